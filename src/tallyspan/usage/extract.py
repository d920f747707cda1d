"""The one interpreter of the endpoint table, over a decoded document."""

from dataclasses import dataclass
from types import MappingProxyType

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import UsageLine
from tallyspan.usage.document import Object, as_list, as_object, as_text
from tallyspan.usage.endpoints import Endpoint, Path, UsageSource
from tallyspan.usage.tokens import counted


@dataclass(frozen=True, slots=True)
class Extraction:
    """
    What one document says.

    Attributes:
        lines: None if the document tells no usage, or not all that the endpoint needs.
        pending: The document says that the work goes on.
        problem: Why a count that was there could not be read; None if none was bad.
    """

    response_id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    finish_reasons: tuple[str, ...] = ()
    lines: tuple[UsageLine, ...] | None = None
    pending: bool = False
    problem: str | None = None


def extract(document: object, endpoint: Endpoint) -> Extraction:
    """Read a document by the endpoint's row. Never raises for what a document holds."""
    found = as_object(document)
    if found is None:
        return Extraction(problem=f"expected an object, found {type(document).__name__}")
    model = as_text(found.get("model"))
    lines, problem = _lines(found, endpoint, model)
    return Extraction(
        response_id=as_text(found.get("id")),
        model=model,
        service_tier=as_text(found.get("service_tier")),
        system_fingerprint=as_text(found.get("system_fingerprint")),
        finish_reasons=tuple(text for value in _at(found, endpoint.finish) if (text := as_text(value))),
        lines=lines,
        pending=as_text(found.get("status")) in endpoint.pending,
        problem=problem,
    )


def _lines(document: Object, endpoint: Endpoint, model: str | None) -> tuple[tuple[UsageLine, ...] | None, str | None]:
    try:
        first, *others = [_line(document, source, model) for source in endpoint.sources] or [None]
    except ValueError as error:
        return None, str(error)
    if first is None:
        return None, None
    return (first, *(line for line in others if line is not None and any(line.counts.values()))), None


def _line(document: Object, source: UsageSource, model: str | None) -> UsageLine | None:
    """Read one line; None unless everything that it needs is there. Only line 0 is of the answer's own model."""
    counts: dict[Quantity, int] = {}
    for node in _at(document, source.at):
        counts |= counted(node, source.shape)
    if not source.needs <= counts.keys():
        return None
    return UsageLine(
        model=model if source.item is None else None,
        item=source.item,
        unit=source.unit,
        counts=MappingProxyType(counts),
    )


def _at(node: object, path: Path) -> list[object]:
    """Give what stands at `path`; `*` goes through a list. Nothing for an empty path."""
    found = [node] if path else []
    for step in path:
        if step == "*":
            found = [child for each in found for child in as_list(each) or ()]
        else:
            found = [inner.get(step) for each in found if (inner := as_object(each)) is not None]
    return [each for each in found if each is not None]
