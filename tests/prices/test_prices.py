"""A list price has a source and a day; what is not known is a reason, never zero."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tallyspan.prices import list_prices
from tallyspan.reconcile.price import Rates, Unpriced
from tallyspan.reconcile.statement import StatementRow


def ask(
    model: str | None,
    day: str,
    *,
    tier: str | None = None,
    batch: bool | None = None,
    size: str | None = None,
) -> tuple[Rates, ...] | Unpriced:
    start = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    dimensions = {} if size is None else {"image_size": size}
    row = StatementRow(
        start=start, end=start + 86_400, model=model, service_tier=tier, batch=batch, dimensions=dimensions
    )
    return list_prices(row)


def one(found: tuple[Rates, ...] | Unpriced) -> Rates:
    assert isinstance(found, tuple)
    (rates,) = found
    return rates


@pytest.mark.parametrize(
    ("model", "measure", "million"),
    [
        ("tts-1", "characters", "15"),
        ("tts-1-hd", "characters", "30"),
        ("gpt-4o-mini-2024-07-18", "input_uncached", "0.15"),
        ("gpt-4o-mini-2024-07-18", "output", "0.6"),
        ("gpt-4o-2024-08-06", "input_cached", "1.25"),
    ],
)
def test_prices_of_april_2025(model: str, measure: str, million: str) -> None:
    rates = one(ask(model, "2025-04-23"))
    assert rates.per_unit[measure] * 1_000_000 == Decimal(million)
    assert rates.source.startswith("genai-prices ")
    assert rates.source.endswith("on 2025-04-23")


def test_a_price_that_changed_is_that_of_its_day() -> None:
    before, after = (one(ask("o3", day)).per_unit["output"] for day in ("2025-06-01", "2025-07-01"))
    assert (before * 1_000_000, after * 1_000_000) == (Decimal(40), Decimal(8))


def test_what_the_export_does_not_show_is_a_condition() -> None:
    found = ask("dall-e-3", "2025-04-23", size="1024x1024")
    assert isinstance(found, tuple)
    assert [(rates.condition, rates.per_unit["images"]) for rates in found] == [
        ("standard quality", Decimal("0.040")),
        ("hd quality", Decimal("0.080")),
    ]


@pytest.mark.parametrize(
    "found",
    [
        ask(None, "2025-04-23"),
        ask("no-such-model", "2025-04-23"),
        ask("dall-e-3", "2025-04-23"),
        ask("dall-e-3", "2023-01-01", size="1024x1024"),
        ask("dall-e-3", "2025-04-23", size="7x7"),
        ask("o3", "2026-09-01", tier="flex"),
        ask("o3", "2026-09-01", batch=True),
        ask("gpt-4o", "2026-11-01", tier="incentivized-tier"),
    ],
)
def test_what_is_not_known_is_a_reason(found: tuple[Rates, ...] | Unpriced) -> None:
    assert isinstance(found, Unpriced)
    assert found.reason


def test_a_tier_in_force_has_its_own_price() -> None:
    flex, standard = (one(ask("o3", "2026-11-01", tier=tier)) for tier in ("flex", "default"))
    assert flex.per_unit["output"] * 2 == standard.per_unit["output"]


def test_a_threshold_for_long_requests_is_told_and_not_applied() -> None:
    rates = one(ask("gpt-5.4", "2026-10-14"))
    assert (rates.long_over, rates.per_unit["input_uncached"] * 1_000_000) == (272_000, Decimal("2.5"))
