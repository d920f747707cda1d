"""Record every token the OpenAI client spends, and check it against OpenAI's own exports."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallyspan.books.record import UsageRecord
    from tallyspan.instrumentor import TallyspanInstrumentor

__all__ = ["TallyspanInstrumentor", "UsageRecord"]

# The plugin runs in other people's processes and the checker on a desk: neither may load the other, so no name is
# imported before it is asked for (PEP 562).
_HOMES = {
    "TallyspanInstrumentor": "tallyspan.instrumentor",
    "UsageRecord": "tallyspan.books.record",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
