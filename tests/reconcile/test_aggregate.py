"""The books as a table of UTC day by served model."""

from dataclasses import replace
from random import Random
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st
from tests.reconcile.scenario import ASKED, DAY_ONE, MODEL, NOON, flagged, measured

from tallyspan.books.quantities import Quantity, Unit
from tallyspan.books.record import Billable, Reason, UsageLine, UsageRecord
from tallyspan.reconcile.aggregate import Cell, Key, Table, aggregate
from tallyspan.reconcile.tally import DAY
from tallyspan.reconcile.unknown import Shape, Unknown
from tallyspan.reconcile.vector import Interval, Vector

KEY = Key(DAY_ONE, MODEL)


def table(*records: UsageRecord) -> Table:
    return aggregate(records, DAY_ONE, DAY_ONE + DAY)


def only_unknown(found: Table) -> Unknown:
    (unknown,) = [unknown for cell in found.cells.values() for unknown in cell.unknowns]
    return unknown


def test_measured_attempts_add_up() -> None:
    found = table(measured("a", tokens=(100, 30, 10)), measured("b", tokens=(7, 0, 3)))
    assert found.cells == {KEY: Cell(Vector(2, 107, 30, 13))}
    assert (found.records, found.outside, found.refused) == (2, 0, 0)


def test_an_endpoint_that_no_table_knows_may_or_may_not_be_on_the_statement() -> None:
    found = table(replace(flagged("a", billable=Billable.YES, bounds=(None, 9, None, 9)), endpoint="/images/edits"))
    unknown = only_unknown(found)
    assert (unknown.certain, unknown.requests) == (False, 1)
    assert [cell.measured for cell in found.cells.values()] == [Vector()]


def test_the_day_is_that_of_the_start() -> None:
    late = measured("a", at=DAY_ONE + DAY - 1, lasts=10)
    found = table(late)
    assert list(found.cells) == [KEY]
    (straddler,) = found.straddlers
    assert (straddler.start, straddler.end) == (KEY, Key(DAY_ONE + DAY, MODEL))
    assert straddler.counts == Vector(1, 100, 0, 10)


def test_the_window_takes_its_start_and_not_its_end() -> None:
    found = table(measured("a", at=DAY_ONE), measured("b", at=DAY_ONE + DAY), measured("c", at=DAY_ONE - 1))
    assert found.records == 1
    assert found.outside == 2


def test_a_refused_attempt_counts_no_request() -> None:
    found = table(flagged("a", billable=Billable.NO, reason=Reason.HTTP_ERROR))
    assert not found.cells
    assert found.refused == 1


def test_a_certain_attempt_counts_its_request_and_a_doubtful_one_does_not() -> None:
    certain = table(flagged("a", billable=Billable.YES, model=MODEL))
    assert certain.cells[KEY].measured == Vector(1)
    doubtful = table(flagged("a", model=MODEL))
    assert doubtful.cells[KEY].measured == Vector()
    assert only_unknown(doubtful).requests == 1


def test_a_sibling_gives_input_and_model_exactly() -> None:
    first, second = flagged("a", call_id="c"), measured("b", call_id="c", attempt=1, tokens=(321, 0, 5))
    unknown = only_unknown(table(first, second))
    assert unknown.input == Interval.exactly(321)
    assert unknown.shape is Shape.RETRIED
    assert unknown.model_known
    assert list(table(first, second).cells) == [KEY]


def test_a_request_model_with_one_served_model_names_a_flagged_attempt() -> None:
    found = table(flagged("a"), measured("b"))
    assert list(found.cells) == [KEY]
    assert only_unknown(found).model_known


def test_a_request_model_with_two_served_models_names_nobody() -> None:
    found = table(flagged("a"), measured("b"), measured("c", model="gpt-4o-mini-2025-01-01"))
    assert Key(DAY_ONE, ASKED) in found.cells
    assert not only_unknown(found).model_known


def test_absent_is_not_zero() -> None:
    counts = MappingProxyType({Quantity.INPUT: 100, Quantity.OUTPUT: 10})
    unknown = only_unknown(table(replace(measured("a"), lines=(UsageLine(model=MODEL, counts=counts),))))
    assert unknown.shape is Shape.NO_CACHED_FIELD
    assert unknown.certain
    assert unknown.cached == Interval(0, 100)
    no_output = MappingProxyType({Quantity.INPUT: 100, Quantity.INPUT_CACHED: 0})
    unknown = only_unknown(table(replace(measured("a"), lines=(UsageLine(model=MODEL, counts=no_output),))))
    assert unknown.output == Interval(0, None)


def test_zero_is_not_absent() -> None:
    assert table(measured("a", tokens=(100, 0, 0))).cells[KEY].unknowns == ()


def test_further_models_count_tokens_and_no_request() -> None:
    other = UsageLine(
        model="gpt-image-1", counts=MappingProxyType({Quantity.INPUT: 5, Quantity.INPUT_CACHED: 0, Quantity.OUTPUT: 6})
    )
    search = UsageLine(item="web_search", unit=Unit.CALLS, counts=MappingProxyType({Quantity.CALLS: 2}))
    record = measured("a")
    found = table(replace(record, lines=(*record.lines, other, search)))
    assert found.cells == {
        KEY: Cell(Vector(1, 100, 0, 10)),
        Key(DAY_ONE, "gpt-image-1"): Cell(Vector(0, 5, 0, 6)),
    }


def test_what_the_statement_can_not_show_is_left_out_and_counted() -> None:
    azure = replace(measured("a"), provider="azure.ai.openai")
    vectors = replace(measured("b"), endpoint="/embeddings")
    found = table(azure, vectors, measured("c"))
    assert found.left_out == {"in the embeddings usage export": 1, "provider azure.ai.openai": 1}
    assert found.records == 1


TIMES = st.integers(NOON - DAY, NOON + DAY)
RECORD_IDS, CALL_IDS = st.uuids().map(str), st.sampled_from(["c1", "c2", "c3"])
TOKENS = st.tuples(st.integers(0, 99), st.just(0), st.integers(0, 99))
RECORDS = st.lists(
    st.one_of(
        st.builds(measured, RECORD_IDS, at=TIMES, tokens=TOKENS, call_id=CALL_IDS),
        st.builds(flagged, RECORD_IDS, at=TIMES, call_id=CALL_IDS),
    ),
    max_size=12,
)


@given(RECORDS, st.randoms(use_true_random=False))
def test_order_never_matters(records: list[UsageRecord], random: Random) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    assert table(*shuffled) == table(*records)


@given(RECORDS)
def test_nothing_is_lost_between_records_and_table(records: list[UsageRecord]) -> None:
    found = table(*records)
    assert found.records + found.outside + found.refused + sum(found.left_out.values()) == len(records)
    flags = sum(len(cell.unknowns) for cell in found.cells.values())
    assert sum(cell.measured.requests for cell in found.cells.values()) + flags == found.records
