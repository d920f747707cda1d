"""Which models does the stand-in serve, under which dated name, at which price?"""

from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Model:
    """A model; prices in US dollars per million tokens, None where the kind does not exist."""

    alias: str
    served: str
    price_input: Decimal
    price_cached: Decimal | None
    price_output: Decimal | None
    price_cache_write: Decimal | None = None
    price_audio_input: Decimal | None = None
    price_audio_output: Decimal | None = None
    _: KW_ONLY
    reasons: bool = False


def _row(alias: str, served: str, prices: str, *, reasons: bool = False) -> Model:
    cells = [None if cell == "-" else Decimal(cell) for cell in prices.split()]
    cells += [None] * (6 - len(cells))
    return Model(alias, served, Decimal(prices.split(maxsplit=1)[0]), *cells[1:6], reasons=reasons)


# Columns: input, cached input, output, cache write, audio input, audio output.
# List prices of 2026-11-20 as genai-prices 0.2 has them; audio from OpenAI's price page of 2025.
MODELS: Final = (
    _row("gpt-5-mini", "gpt-5-mini-2025-08-07", "0.25 0.025 2", reasons=True),
    _row("gpt-5", "gpt-5-2025-08-07", "1.25 0.125 10", reasons=True),
    _row("gpt-5-nano", "gpt-5-nano-2025-08-07", "0.05 0.005 0.4", reasons=True),
    _row("gpt-5.4", "gpt-5.4-2026-03-05", "2.5 0.25 15", reasons=True),
    _row("gpt-5.6-terra", "gpt-5.6-terra", "2 0.2 12 2.5", reasons=True),
    _row("o4-mini", "o4-mini-2025-04-16", "1.1 0.275 4.4", reasons=True),
    _row("gpt-4o", "gpt-4o-2024-08-06", "2.5 1.25 10"),
    _row("gpt-4o-mini", "gpt-4o-mini-2024-07-18", "0.15 0.075 0.6"),
    _row("gpt-4.1", "gpt-4.1-2025-04-14", "2 0.5 8"),
    _row("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "0.4 0.1 1.6"),
    _row("gpt-4o-audio-preview", "gpt-4o-audio-preview-2024-12-17", "2.5 - 10 - 40 80"),
    _row("gpt-3.5-turbo-instruct", "gpt-3.5-turbo-instruct:20230824-v2", "1.5 - 2"),
    _row("text-embedding-3-small", "text-embedding-3-small", "0.02 - -"),
    _row("text-embedding-3-large", "text-embedding-3-large", "0.13 - -"),
    _row("text-embedding-ada-002", "text-embedding-ada-002-v2", "0.1 - -"),
)
_BY_NAME: Final = {name: row for row in MODELS for name in (row.served, row.alias)}
UNKNOWN_MODEL: Final = "mystery-1"  # serves a billed request that names no model
MISSING_MODEL: Final = "no-such-model"  # the one name that is answered with 404


def model_of(name: str | None) -> Model:
    """Return the model behind a name; an unknown one is served as named, at gpt-4o-mini's price."""
    known = _BY_NAME.get(name or "")
    if known is not None:
        return known
    asked = name or UNKNOWN_MODEL
    base = _BY_NAME["gpt-4o-mini"]
    return Model(asked, asked, base.price_input, base.price_cached, base.price_output)
