"""
List prices: genai-prices, and a small table of our own for what it does not have.

A price that is not known is a reason, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version

import genai_prices
from genai_prices import Usage

from tallyspan.reconcile.price import Rates, Unpriced
from tallyspan.reconcile.statement import StatementRow


@dataclass(frozen=True, slots=True)
class _Probe:
    """How to ask the list for the price of one unit: the usage to price, and the list's name of that price."""

    usage: Mapping[str, int]
    price: str


_PROBES: Mapping[str, _Probe] = {
    "input_uncached": _Probe({"input_tokens": 1}, "input_mtok"),
    "input_cached": _Probe({"input_tokens": 1, "cache_read_tokens": 1}, "input_mtok"),
    "input_cache_write": _Probe({"input_tokens": 1, "cache_write_tokens": 1}, "input_mtok"),
    "output": _Probe({"output_tokens": 1}, "output_mtok"),
    "characters": _Probe({"input_characters": 1}, "input_mchars"),
    "seconds": _Probe({"audio_seconds": 1}, "audio_hours"),
}
_STANDARD_TIERS = (None, "default", "auto")


@dataclass(frozen=True, slots=True)
class _ImagePrice:
    """US dollars for an image; in force from a day on."""

    model: str
    size: str
    quality: str | None
    dollars: str
    since: date
    source: str


_DALLE_3 = (date(2023, 11, 6), "openai.com/api/pricing, DALL·E 3")
_DALLE_2 = (date(2022, 11, 3), "openai.com/api/pricing, DALL·E 2")
_IMAGES = (
    _ImagePrice("dall-e-3", "1024x1024", "standard", "0.040", *_DALLE_3),
    _ImagePrice("dall-e-3", "1024x1024", "hd", "0.080", *_DALLE_3),
    _ImagePrice("dall-e-3", "1024x1792", "standard", "0.080", *_DALLE_3),
    _ImagePrice("dall-e-3", "1024x1792", "hd", "0.120", *_DALLE_3),
    _ImagePrice("dall-e-3", "1792x1024", "standard", "0.080", *_DALLE_3),
    _ImagePrice("dall-e-3", "1792x1024", "hd", "0.120", *_DALLE_3),
    _ImagePrice("dall-e-2", "1024x1024", None, "0.020", *_DALLE_2),
    _ImagePrice("dall-e-2", "512x512", None, "0.018", *_DALLE_2),
    _ImagePrice("dall-e-2", "256x256", None, "0.016", *_DALLE_2),
)
"""Prices that genai-prices does not have. The exports show the size of an image, not its quality."""


def list_prices(row: StatementRow) -> tuple[Rates, ...] | Unpriced:
    """List prices of a row's model on its day, tier and size."""
    if row.model is None:
        return Unpriced("the export is not grouped by model")
    day = datetime.fromtimestamp(row.start, UTC).date()
    size = row.dimensions.get("image_size") or row.dimensions.get("size")
    if size is not None:
        return _of_images(row.model, size, day)
    return _of_model(row.model, day, row.service_tier, row.batch is True)


@lru_cache(maxsize=4096)
def _of_images(model: str, size: str, day: date) -> tuple[Rates, ...] | Unpriced:
    found = [p for p in _IMAGES if (p.model, p.size) == (model, size) and p.since <= day]
    if not found:
        return Unpriced(f"no list price of {model} images of {size} on {day}")
    return tuple(
        Rates(
            {"images": Decimal(price.dollars)},
            f"{price.source}, in force since {price.since}",
            None if price.quality is None else f"{price.quality} quality",
        )
        for price in found
    )


@lru_cache(maxsize=4096)
def _of_model(model: str, day: date, tier: str | None, batch: bool) -> tuple[Rates, ...] | Unpriced:  # noqa: FBT001
    standard = _ask(model, day, {})
    special = {"service_tier": tier} if tier is not None and tier not in _STANDARD_TIERS else {}
    context = special | ({"processing": "batch"} if batch else {})
    if isinstance(standard, Unpriced) or not context:
        return (standard,) if isinstance(standard, Rates) else standard
    told = _ask(model, day, context)
    # The list answers an unknown tier, and a known one before its first day, with the standard price.
    if isinstance(told, Unpriced) or told.per_unit == standard.per_unit:
        return Unpriced(f"the list has no price of {model} for {' '.join(context.values())} on {day}")
    return (told,)


def _ask(model: str, day: date, context: Mapping[str, str]) -> Rates | Unpriced:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    per_unit: dict[str, Decimal] = {}
    long_over: int | None = None
    matched = model
    for measure, probe in _PROBES.items():
        try:
            told = genai_prices.calc_price(
                Usage(**probe.usage),
                model,
                provider_id="openai",
                genai_request_timestamp=noon,
                price_context=dict(context),
            )
        except LookupError:
            return Unpriced(f"no list price of {model}")
        prices: dict[str, object] = vars(told.model_price)
        price = prices.get(probe.price)
        if price is not None:
            per_unit[measure] = told.total_price
            matched = told.model.id
        if isinstance(price, genai_prices.types.TieredPrices):
            long_over = min(tier.start for tier in price.tiers)
    if not per_unit:
        return Unpriced(f"no list price of {model} by tokens, characters or seconds")
    return Rates(per_unit, f"genai-prices {version('genai-prices')}, {matched} on {day}", long_over=long_over)
