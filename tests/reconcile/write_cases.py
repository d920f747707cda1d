"""Writes books and exports of the cases: `python -m tests.reconcile.write_cases`.

The files are kept, and not made anew by the tests: what was written once must stay readable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from tests.reconcile.scenario import ASKED, DAY_ONE, MODEL, NOON, flagged, measured, row

from tallyspan.books.otlp_json import Encoder
from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Billable, Entry, Kind, Mark, MarkKind, Reason, UsageLine, UsageRecord
from tallyspan.reconcile.statement import StatementRow
from tallyspan.reconcile.tally import DAY, utc

CASES = Path(__file__).parent / "cases"
ENCODER = Encoder.of({"service.name": "shop"}, "0.1.0")
OTHER = "gpt-5-mini-2025-08-07"

# The 26 columns of 2026, in the order of a real file.
HEADER = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "service_tier,compute_units,input_tokens,output_tokens,input_cached_tokens,input_cache_write_tokens,"
    "input_uncached_tokens,input_text_tokens,output_text_tokens,input_cached_text_tokens,input_audio_tokens,"
    "input_cached_audio_tokens,output_audio_tokens,input_image_tokens,input_cached_image_tokens,output_image_tokens"
)
COLUMNS: tuple[str, ...] = tuple(HEADER.split(","))
COUNTS = {
    "requests": "num_model_requests",
    "input": "input_tokens",
    "input_cached": "input_cached_tokens",
    "output": "output_tokens",
}


@dataclass(frozen=True)
class Case:
    """What was recorded and what the provider says; `spoil` damages the books on their way to the disk."""

    records: Sequence[UsageRecord]
    rows: Sequence[StatementRow]
    spoil: Callable[[list[bytes]], list[bytes]] = list
    ended: bool = True


def calls(number: int, prefix: str = "r", **how: object) -> list[UsageRecord]:
    """So many measured calls of 100 input and 10 output tokens."""
    return [measured(f"{prefix}{n}", **how) for n in range(number)]  # type: ignore[arg-type]


def _torn(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[1][:90] + lines[-1]]


def two_line_record() -> UsageRecord:
    """A chat completion that made an image as well."""
    record = measured("two")
    image = UsageLine(
        model="gpt-image-1",
        item="image_gen",
        counts=MappingProxyType({Quantity.INPUT: 5, Quantity.INPUT_CACHED: 0, Quantity.OUTPUT: 6}),
    )
    return replace(record, lines=(*record.lines, image))


def _without_cached(record: UsageRecord) -> UsageRecord:
    counts = MappingProxyType({Quantity.INPUT: 100, Quantity.OUTPUT: 10})
    return replace(record, lines=(UsageLine(model=MODEL, counts=counts),))


def _half_of_the_last(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b'{"key":"tallyspan.record.lines","value":{"intValue":"2"}}',
                         b'{"key":"tallyspan.record.lines","value":{"intValue":"3"}}') for line in lines]  # fmt: skip


TIMED_OUT = flagged("first", call_id="c")
ANSWERED = measured("second", call_id="c", attempt=1)
UNASKED = flagged("stream", billable=Billable.YES, reason=Reason.STREAM_NOT_ASKED, bounds=(0, 400, 3, 60), model=MODEL)
MIDNIGHT = DAY_ONE + DAY - 5

CASES_BY_NAME: Mapping[str, Case] = {
    "agrees": Case(calls(3), [row((3, 300, 0, 30))]),
    "agrees_with_refused_and_foreign": Case(
        [
            *calls(2),
            flagged("limit", billable=Billable.NO, reason=Reason.HTTP_ERROR),
            replace(measured("azure"), provider="azure.ai.openai"),
            replace(measured("vectors"), endpoint="/embeddings"),
        ],
        [row((2, 200, 0, 20))],
    ),
    "retry_charged_twice": Case([TIMED_OUT, ANSWERED], [row((2, 200, 0, 18))]),
    "retry_not_charged": Case([TIMED_OUT, ANSWERED], [row((1, 100, 0, 10))]),
    "retry_can_not_hold_it": Case([TIMED_OUT, ANSWERED], [row((2, 201, 0, 18))]),
    "no_answer": Case([*calls(2), flagged("lost")], [row((3, 350, 40, 35))]),
    "stream_without_usage": Case([*calls(2), UNASKED], [row((3, 280, 0, 44))]),
    "stream_without_its_least": Case([*calls(2), UNASKED], [row((3, 280, 0, 20))]),
    "several_unknowns": Case([*calls(2), UNASKED, flagged("lost")], [row((4, 380, 0, 44))]),
    "unbounded_flag": Case([*calls(2), flagged("open", bounds=(0, 100, 0, None))], [row((3, 250, 0, 25))]),
    "cached_not_reported": Case([_without_cached(measured("a")), *calls(1)], [row((2, 200, 64, 20))]),
    "foreign_key": Case(calls(2), [row((2, 200, 0, 20), key="key_shop"), row((12, 10_800, 0, 1800), key="key_cron")]),
    "foreign_key_and_retry": Case(
        [TIMED_OUT, ANSWERED], [row((2, 200, 0, 18), key="key_shop"), row((7, 700, 0, 70), key="key_cron")]
    ),
    "foreign_model": Case(calls(2), [row((2, 200, 0, 20)), row((5, 900, 0, 90), model=OTHER, key="key_cron")]),
    "foreign_model_and_a_torn_line": Case(
        calls(2), [row((2, 200, 0, 20)), row((5, 900, 0, 90), model=OTHER)], spoil=_torn
    ),
    "foreign_project_hidden_by_extra_records": Case(
        calls(3, project="proj_a"), [row((1, 100, 0, 10), project="proj_a"), row((2, 200, 0, 20), project="proj_b")]
    ),
    "foreign_project_and_a_timeout": Case(
        [*calls(2, project="proj_a"), flagged("lost")],
        [row((3, 250, 0, 25), project="proj_a"), row((2, 200, 0, 20), project="proj_b")],
    ),
    "batch_not_recorded": Case(calls(2), [row((2, 200, 0, 20), batch=False), row((40, 9000, 0, 800), batch=True)]),
    "opposite_errors": Case(
        [*calls(2), *calls(3, "o", model=OTHER)], [row((3, 300, 0, 30)), row((2, 200, 0, 20), model=OTHER)]
    ),
    "day_without_books": Case(calls(2), [row((2, 200, 0, 20)), row((3, 300, 0, 30), day=DAY_ONE + DAY)]),
    "over_midnight": Case(
        [*calls(2), *calls(2, "late", at=MIDNIGHT, lasts=30), *calls(1, "next", at=NOON + DAY)],
        [row((2, 200, 0, 20)), row((3, 300, 0, 30), day=DAY_ONE + DAY)],
    ),
    "alias": Case(calls(2, model=ASKED), [row((2, 200, 0, 20))]),
    "not_an_alias": Case(calls(2, model="gpt-4o-mini-2024-05-13"), [row((2, 200, 0, 20))]),
    "delivered_twice": Case(calls(2), [row((2, 200, 0, 20))], spoil=lambda lines: [*lines, *lines]),
    "one_answer_twice": Case(
        [measured("a", response_id="chatcmpl-1"), measured("b", at=NOON + 3, response_id="chatcmpl-1")],
        [row((1, 100, 0, 10))],
    ),
    "contradiction": Case([*calls(2), measured("r1", tokens=(7, 0, 7))], [row((1, 100, 0, 10))]),
    "lost_entry": Case(calls(4), [row((4, 400, 0, 40))], spoil=lambda lines: [*lines[:2], *lines[3:]]),
    "begins_late": Case(calls(2), [row((2, 200, 0, 20))], spoil=lambda lines: lines[1:]),
    "cut_off": Case(calls(2), [row((2, 200, 0, 20))], ended=False),
    "torn_line": Case(calls(2), [row((2, 200, 0, 20))], spoil=_torn),
    "lines_missing": Case([*calls(1), two_line_record()], [row((1, 100, 0, 10))], spoil=_half_of_the_last),
    "several_models_in_one_answer": Case(
        [two_line_record()], [row((1, 100, 0, 10)), row((0, 5, 0, 6), model="gpt-image-1")]
    ),
    "settled_later": Case(
        [
            replace(flagged("bg", billable=Billable.YES, reason=Reason.PENDING), response_id="resp_1"),
            replace(measured("bg-done", at=NOON + 60, tokens=(50, 0, 500), response_id="resp_1"), kind=Kind.SETTLEMENT),
        ],
        [row((1, 50, 0, 500))],
    ),
    "books_of_another_time": Case(calls(2, at=NOON - 5 * DAY), [row((2, 200, 0, 20))]),
    "nothing_at_all": Case(calls(2, at=NOON - 5 * DAY), []),
    "not_settled": Case(calls(2, at=NOON + 9 * DAY), [row((9, 900, 0, 90), day=DAY_ONE + 9 * DAY)]),
    "not_grouped_by_model": Case([*calls(2), *calls(1, "o", model=OTHER)], [row((3, 300, 0, 30), model=None)]),
    "cached_not_exported": Case(calls(1, tokens=(100, 40, 10)), [row({"requests": 1, "input": 100, "output": 10})]),
    "blank_cells": Case(calls(1), [row({"requests": 1, "input": 100, "input_cached": 0})]),
}


def write(name: str, case: Case) -> None:
    """Write one case."""
    folder = CASES / name
    folder.mkdir(parents=True, exist_ok=True)
    first = min(record.started_ns for record in case.records)
    last = max(record.ended_ns or 0 for record in case.records)
    end = [Mark(MarkKind.END, last)] if case.ended else []
    items: list[UsageRecord | Mark] = [Mark(MarkKind.START, first), *case.records, *end]
    lines = [ENCODER.encode(Entry("w1", number, item), last) for number, item in enumerate(items)]
    (folder / "books.jsonl").write_bytes(b"".join(b"\n" + line + b"\n" for line in case.spoil(lines)))
    (folder / "usage.csv").write_text(_usage(case.rows), encoding="utf-8", newline="")


def _usage(rows: Sequence[StatementRow]) -> str:
    cells = [_cells(one) for one in rows] or [_times(DAY_ONE, DAY_ONE + DAY)]
    lines = [HEADER, *(",".join(str(line.get(column, "")) for column in COLUMNS) for line in cells)]
    return "\n".join(lines) + "\n"


def _cells(one: StatementRow) -> dict[str, str | int]:
    return {
        **_times(one.start, one.end),
        "model": one.model or "",
        "api_key_id": one.api_key_id or "",
        "project_id": one.project_id or "",
        "batch": "" if one.batch is None else str(one.batch),
        **{column: one.counts.get(name, "") for name, column in COUNTS.items()},
    }


def _times(start: int, end: int) -> dict[str, str | int]:
    return {
        "start_time": start,
        "end_time": end,
        "start_time_iso": f"{utc(start)}T00:00:00+00:00",
        "end_time_iso": f"{utc(end)}T00:00:00+00:00",
    }


if __name__ == "__main__":
    for case_name, made in CASES_BY_NAME.items():
        write(case_name, made)
