"""What our records must say of the truth in the stand-in's ledger: one rule each, the same for every shape of call."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.wire.bench import Bench

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Billable, Phase, State, UsageRecord
from tallyspan.demo.billing import LedgerRow

UNMETERED = "unmetered"
Pair = tuple[LedgerRow, UsageRecord | None]


def label(record: UsageRecord | None) -> str:
    """Say in two words how a record judges its attempt."""
    if record is None:
        return UNMETERED
    return str(record.state) if record.reason is None else f"{record.reason} {record.billable}"


def joined(rows: Sequence[LedgerRow], records: Sequence[UsageRecord]) -> tuple[list[Pair], list[UsageRecord]]:
    """
    Join by `X-Client-Request-Id`; return the pairs in the order of the ledger, and the records without a row.

    The exchanges hidden in one attempt (a redirect, a transport's own resend) carry its id too: the last one is the
    attempt's own record, those before it are its hidden ones in order. A row that costs nothing by its path (`report`
    is empty) has no record.
    """
    hidden: dict[tuple[str, int], list[UsageRecord]] = defaultdict(list)
    own = {record.record_id: record for record in records}
    for each in records:
        if not each.client_request_id_sent:
            hidden[each.call_id, each.attempt].append(each)
    last = {row.client_request_id: row.number for row in rows}
    pairs: list[Pair] = []
    for row in rows:
        record: UsageRecord | None = own.get(row.client_request_id or "")
        if record is not None and last[row.client_request_id] != row.number:
            waiting = hidden[record.call_id, record.attempt]
            assert waiting, f"no record of the hidden exchange {row}"
            record = waiting.pop(0)
        assert record is not None or not row.report, f"no record of {row}"
        pairs.append((row, record))
    met = {record.record_id for _, record in pairs if record is not None}
    return pairs, [record for record in records if record.record_id not in met]


_TRUTH: dict[Quantity, str] = {
    Quantity.INPUT: "input",
    Quantity.INPUT_CACHED: "cached",
    Quantity.INPUT_CACHE_WRITE: "cache_write",
    Quantity.INPUT_AUDIO: "audio_input",
    Quantity.OUTPUT: "output",
    Quantity.OUTPUT_REASONING: "reasoning",
    Quantity.OUTPUT_AUDIO: "audio_output",
    Quantity.OUTPUT_ACCEPTED_PREDICTION: "accepted",
    Quantity.OUTPUT_REJECTED_PREDICTION: "rejected",
}


def judge_pair(row: LedgerRow, record: UsageRecord) -> None:
    """Compare one attempt with its truth."""
    assert record.phase is Phase.RESULT
    assert record.requests == (0 if record.billable is Billable.NO else 1)
    assert record.request_id in {None, row.request_id}
    assert record.http_status in {None, row.status}
    assert record.response_id in {None, row.response_id}
    assert record.ended_ns is not None
    assert record.started_ns <= record.ended_ns
    if record.state is State.MEASURED:
        assert row.billed
        assert record.lines[0].model == row.model_served
        assert record.response_id == row.response_id
        counts = record.lines[0].counts
        assert Quantity.INPUT in counts
        assert {kind: count for kind, count in counts.items() if kind in _TRUTH} == {
            kind: getattr(row.usage, name) for kind, name in _TRUTH.items() if kind in counts
        }
        assert Quantity.OUTPUT in counts or row.output_tokens == 0
        assert sum(line.counts.get(Quantity.CALLS, 0) for line in record.lines) == row.usage.searches
        return
    assert not any(line.counts for line in record.lines)
    if record.billable is not Billable.MAYBE:
        assert row.billed == (record.billable is Billable.YES)
    if row.billed:
        bounds = record.bounds
        assert (bounds.input_min or 0) <= row.input_tokens
        assert bounds.input_max is None or row.input_tokens <= bounds.input_max
        assert (bounds.output_min or 0) <= row.output_tokens
        assert bounds.output_max is None or row.output_tokens <= bounds.output_max


def judge_totals(rows: Sequence[LedgerRow], records: Sequence[UsageRecord], expected: int) -> None:
    """Compare the sums: nothing is missing, nothing is counted twice, and what is unknown is within its bounds."""
    assert len(records) == expected
    assert all(row.client_request_id is None for row in rows)
    sure = sum(record.requests for record in records if record.billable is Billable.YES)
    perhaps = sum(record.requests for record in records if record.billable is Billable.MAYBE)
    assert sure <= sum(row.requests for row in rows) <= sure + perhaps
    truth = {"input": sum(row.input_tokens for row in rows), "output": sum(row.output_tokens for row in rows)}
    for kind in (Quantity.INPUT, Quantity.OUTPUT):
        measured = sum(line.counts.get(kind, 0) for record in records for line in record.lines)
        widths = list(_widths(records, kind))
        assert measured + sum(least for least, _ in widths) <= truth[kind]
        if all(most is not None for _, most in widths):
            assert truth[kind] <= measured + sum(most or 0 for _, most in widths)


def _widths(records: Sequence[UsageRecord], kind: Quantity) -> Iterator[tuple[int, int | None]]:
    for record in records:
        if record.state is State.MEASURED or record.billable is Billable.NO:
            continue
        bounds = record.bounds
        least = 0 if record.billable is Billable.MAYBE else getattr(bounds, f"{kind}_min") or 0
        yield least, getattr(bounds, f"{kind}_max")


def judge_calls(bench: Bench, calls: int) -> None:
    """Every call ends once, with the records of its own attempts; nothing stays open, and nothing of ours failed."""
    written = bench.written
    assert bench.faults == []
    assert bench.recorder.guard.failures == 0
    assert bench.recorder.open_attempts == set()
    assert len(written.starts) == calls
    assert sorted(end.call_id for end in written.ends) == sorted(start.call_id for start in written.starts)
    assert len({start.call_id for start in written.starts}) == calls
    ended = [record for end in written.ends for record in end.records]
    assert sorted(map(id, ended)) == sorted(map(id, written.records))
    assert len({record.record_id for record in written.records}) == len(written.records)
    for end in written.ends:
        assert {record.call_id for record in end.records} <= {end.call_id}
        numbers = [record.attempt for record in end.records if record.client_request_id_sent]
        assert numbers == sorted(set(numbers))
    intents = {intent.record_id for intent in written.intents}
    assert intents <= {record.record_id for record in written.records}
