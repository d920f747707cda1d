"""Every attempt once, whatever the order and however often it was delivered."""

from dataclasses import replace
from random import Random
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st
from tests.reconcile.scenario import NOON, entries, flagged, measured

from tallyspan.books.merge import merge
from tallyspan.books.quantities import Quantity
from tallyspan.books.record import (
    UNBOUNDED,
    Billable,
    Entry,
    Kind,
    Mark,
    MarkKind,
    Phase,
    Reason,
    State,
    UsageLine,
    UsageRecord,
)


def intent(of: UsageRecord) -> UsageRecord:
    return replace(
        of,
        phase=Phase.INTENT,
        state=State.FLAGGED,
        reason=Reason.UNOBSERVED,
        billable=Billable.MAYBE,
        ended_ns=None,
        lines=(UsageLine(),),
    )


def settlement(record_id: str, response_id: str, output: int = 77) -> UsageRecord:
    tokens = (300, 0, output)
    return replace(
        measured(record_id, at=NOON + 90_000, tokens=tokens, response_id=response_id), kind=Kind.SETTLEMENT, requests=1
    )


def pending(record_id: str, response_id: str) -> UsageRecord:
    return replace(flagged(record_id, reason=Reason.PENDING, billable=Billable.YES), response_id=response_id)


def test_a_result_replaces_its_intent_in_either_order() -> None:
    result = measured("a")
    for copies in ([intent(result), result], [result, intent(result)]):
        merged = merge(entries(copies))
        assert merged.records == (result,)
        assert merged.unobserved == 0
        assert merged.redelivered == 0


def test_an_intent_without_a_result_is_flagged_and_may_be_charged() -> None:
    bounded = replace(intent(measured("a")), bounds=flagged("x").bounds)
    merged = merge(entries([bounded]))
    (record,) = merged.records
    assert (record.phase, record.state, record.reason) == (Phase.RESULT, State.FLAGGED, Reason.UNOBSERVED)
    assert record.billable is Billable.MAYBE
    assert record.requests == 1
    assert record.bounds == bounded.bounds
    assert merged.unobserved == 1


def test_a_copy_counts_once_and_is_counted_as_redelivered() -> None:
    merged = merge(entries([measured("a"), measured("a"), measured("a"), measured("b")]))
    assert [record.record_id for record in merged.records] == ["a", "b"]
    assert merged.redelivered == 2


def test_a_contradiction_is_reported_and_never_picked() -> None:
    one, other = measured("a", tokens=(1, 0, 1)), measured("a", tokens=(2, 0, 2))
    for order in ([one, other, measured("b")], [measured("b"), other, one, one]):
        merged = merge(entries(order))
        assert [record.record_id for record in merged.records] == ["b"]
        (conflict,) = merged.conflicts
        assert conflict.key == "a"
        assert set(map(repr, conflict.versions)) == {repr(one), repr(other)}


def test_an_answer_that_came_twice_counts_once() -> None:
    first, again = measured("a", response_id="r1"), measured("b", at=NOON + 5, response_id="r1")
    merged = merge(entries([again, first]))
    assert merged.records == (first,)
    (repeat,) = merged.repeats
    assert (repeat.response_id, repeat.counted, repeat.set_aside) == ("r1", first, (again,))


def test_other_servers_may_repeat_their_ids() -> None:
    same = [replace(measured(name, response_id="chatcmpl-1"), provider="_other") for name in "ab"]
    merged = merge(entries(same))
    assert len(merged.records) == 2
    assert merged.repeats == ()


def test_a_measured_attempt_counts_before_a_flagged_one_of_the_same_answer() -> None:
    merged = merge(entries([pending("a", "r1"), measured("b", at=NOON + 5, response_id="r1")]))
    assert [record.record_id for record in merged.records] == ["b"]


def test_a_settlement_gives_usage_and_keeps_requests_and_day_of_its_spend() -> None:
    spend, later = replace(pending("a", "r1"), requests=3), settlement("s", "r1")
    for order in ([spend, later], [later, spend]):
        merged = merge(entries(order))
        (record,) = merged.records
        assert record.record_id == "a"
        assert record.started_ns == spend.started_ns
        assert record.requests == 3
        assert record.state is State.MEASURED
        assert record.reason is None
        assert record.bounds == UNBOUNDED
        assert record.lines == later.lines
        assert merged.settled == 1


def test_one_settlement_an_id_counts() -> None:
    merged = merge(entries([pending("a", "r1"), settlement("s1", "r1"), settlement("s2", "r1")]))
    assert [record.record_id for record in merged.records] == ["a"]
    assert merged.settlements_set_aside == 1
    assert not merged.conflicts


def test_settlements_of_one_id_that_differ_are_a_contradiction_and_settle_nothing() -> None:
    spend = pending("a", "r1")
    merged = merge(entries([spend, settlement("s1", "r1", 5), settlement("s2", "r1", 6)]))
    assert merged.records == (spend,)
    assert [conflict.key for conflict in merged.conflicts] == ["r1"]


def test_a_settlement_without_its_spend_counts_whole() -> None:
    later = settlement("s", "r1")
    assert merge(entries([later])).records == (later,)


def test_a_settlement_of_a_measured_spend_does_not_count() -> None:
    spend = measured("a", response_id="r1")
    merged = merge(entries([spend, settlement("s", "r1")]))
    assert merged.records == (spend,)
    assert merged.settlements_set_aside == 1


def test_a_batch_is_settled_by_its_batch_id() -> None:
    spend = replace(flagged("a", billable=Billable.YES), batch_id="batch_1", requests=4)
    later = replace(measured("s"), kind=Kind.SETTLEMENT, batch_id="batch_1", requests=4)
    (record,) = merge(entries([spend, later])).records
    assert (record.record_id, record.requests, record.state) == ("a", 4, State.MEASURED)


def test_a_reread_never_adds() -> None:
    old = replace(measured("x", response_id="r1"), kind=Kind.REREAD)
    merged = merge(entries([old]))
    assert merged.records == ()
    assert merged.rereads == 1


def test_a_hidden_resend_counts_beside_its_attempt() -> None:
    hidden = flagged("h", reason=Reason.HIDDEN_RESEND, call_id="c")
    assert len(merge(entries([hidden, measured("a", call_id="c")])).records) == 2


def test_a_mark_is_no_record() -> None:
    assert merge([Entry("w", 0, Mark(MarkKind.START, 1))]).records == ()


POOL = (
    measured("a"),
    intent(measured("a")),
    measured("b", response_id="r1"),
    measured("c", at=NOON + 3, response_id="r1"),
    intent(measured("d")),
    measured("e", tokens=(1, 0, 1)),
    measured("e", tokens=(2, 0, 1)),
    pending("f", "r2"),
    settlement("s1", "r2"),
    settlement("s2", "r2"),
    settlement("s3", "r3", 4),
    settlement("s4", "r3", 5),
    replace(measured("g", response_id="r2"), kind=Kind.REREAD),
    replace(measured("h"), lines=(UsageLine(counts=MappingProxyType({Quantity.INPUT: 1})),)),
)


@given(st.lists(st.sampled_from(POOL), max_size=20), st.randoms(use_true_random=False))
def test_order_never_matters(records: list[UsageRecord], random: Random) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    assert merge(entries(shuffled)) == merge(entries(records))


@given(st.lists(st.sampled_from(POOL), max_size=20))
def test_the_same_again_adds_nothing_but_redeliveries(records: list[UsageRecord]) -> None:
    once, twice = merge(entries(records)), merge(entries(records * 2))
    assert replace(twice, redelivered=0) == replace(once, redelivered=0)
    assert twice.redelivered == 2 * len(records) - (len(records) - once.redelivered)
