"""Books and statements for tests, written in few words: everything is on 2026-11-19 UTC unless it says otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Billable, Bounds, Entry, Reason, State, UsageLine, UsageRecord
from tallyspan.reconcile.aggregate import SECOND_NS
from tallyspan.reconcile.statement import Statement, StatementKind, StatementRow
from tallyspan.reconcile.tally import DAY

DAY_ONE = 1_795_046_400
"""2026-11-19 00:00 UTC."""

NOON = DAY_ONE + DAY // 2
NOW = DAY_ONE + 10 * DAY
MODEL = "gpt-4o-mini-2024-07-18"
ASKED = "gpt-4o-mini"


def measured(  # noqa: PLR0913 - the tests name what differs
    record_id: str,
    *,
    at: int = NOON,
    model: str = MODEL,
    tokens: tuple[int, int, int] = (100, 0, 10),
    call_id: str | None = None,
    attempt: int = 0,
    response_id: str | None = None,
    project: str | None = None,
    lasts: int = 1,
) -> UsageRecord:
    """A measured chat completion; `tokens` are input, cached, output; `at` and `lasts` are seconds."""
    names = (Quantity.INPUT, Quantity.INPUT_CACHED, Quantity.OUTPUT)
    return UsageRecord(
        record_id=record_id,
        state=State.MEASURED,
        billable=Billable.YES,
        requests=1,
        started_ns=at * SECOND_NS,
        ended_ns=(at + lasts) * SECOND_NS,
        call_id=call_id or f"call-{record_id}",
        attempt=attempt,
        operation="chat",
        provider="openai",
        endpoint="/chat/completions",
        request_model=ASKED,
        response_id=response_id,
        project=project,
        lines=(UsageLine(model=model, counts=MappingProxyType(dict(zip(names, tokens, strict=True)))),),
    )


def flagged(  # noqa: PLR0913 - the tests name what differs
    record_id: str,
    *,
    bounds: tuple[int | None, int | None, int | None, int | None] = (0, 1000, 0, 500),
    billable: Billable = Billable.MAYBE,
    reason: Reason = Reason.TIMED_OUT,
    at: int = NOON,
    call_id: str | None = None,
    attempt: int = 0,
    model: str | None = None,
) -> UsageRecord:
    """A flagged chat completion; `bounds` are input least, most, output least, most."""
    return replace(
        measured(record_id, at=at, call_id=call_id, attempt=attempt),
        state=State.FLAGGED,
        reason=reason,
        billable=billable,
        requests=0 if billable is Billable.NO else 1,
        bounds=Bounds(*bounds),
        lines=(UsageLine(model=model),),
    )


def row(  # noqa: PLR0913 - the tests name what differs
    counts: tuple[int, int, int, int] | Mapping[str, int],
    *,
    day: int = DAY_ONE,
    model: str | None = MODEL,
    key: str | None = None,
    project: str | None = None,
    batch: bool | None = None,
) -> StatementRow:
    """A row of a day; `counts` are requests, input, cached, output."""
    names = ("requests", "input", "input_cached", "output")
    return StatementRow(
        start=day,
        end=day + DAY,
        model=model,
        api_key_id=key,
        project_id=project,
        batch=batch,
        counts=counts if isinstance(counts, Mapping) else dict(zip(names, counts, strict=True)),
        source=f"usage.csv:{model}:{day}",
    )


def statement(*rows: StatementRow, start: int = DAY_ONE, days: int = 1) -> Statement:
    """A completions usage export."""
    return Statement(
        kind=StatementKind.USAGE,
        subject="completions",
        variant="completions usage, 26 columns",
        name="usage.csv",
        sha256="0" * 64,
        start=start,
        end=start + days * DAY,
        width=DAY,
        groupings=frozenset({"model"}),
        rows=rows,
    )


def entries(records: Sequence[UsageRecord], writer: str = "w1") -> list[Entry]:
    """One writer's entries, numbered."""
    return [Entry(writer, number, record) for number, record in enumerate(records)]
