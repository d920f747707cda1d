"""A flag holds a variance only within finite bounds, and only with the request it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallyspan.reconcile.unknown import TRIED_AT_MOST, Shape, Unknown, bounds, fits, least
from tallyspan.reconcile.vector import Interval, Measure, Vector


def maybe(received: Interval = Interval(0, 100), sent: Interval = Interval(0, 50), requests: int = 1) -> Unknown:  # noqa: B008 - frozen
    return Unknown(
        record_id="u",
        shape=Shape.UNANSWERED,
        certain=False,
        requests=requests,
        input=received,
        cached=Interval(0, received.high),
        output=sent,
        reason="timed_out",
    )


def surely(received: Interval, sent: Interval) -> Unknown:
    return Unknown(
        record_id="u",
        shape=Shape.UNREPORTED,
        certain=True,
        requests=0,
        input=received,
        cached=Interval(0, received.high),
        output=sent,
        reason="stream_not_asked",
    )


@pytest.mark.parametrize(
    ("variance", "held"),
    [
        (Vector(1, 100, 0, 50), True),
        (Vector(1, 0, 0, 0), True),
        (Vector(0, 0, 0, 0), True),
        (Vector(1, 101, 0, 50), False),
        (Vector(1, 100, 0, 51), False),
        (Vector(2, 100, 0, 50), False),
        (Vector(-1, 0, 0, 0), False),
        (Vector(1, -1, 0, 0), False),
        (Vector(1, 50, 51, 0), False),
        (Vector(1, 50, 50, 0), True),
    ],
)
def test_a_doubtful_attempt_holds_what_one_request_can(variance: Vector, held: bool) -> None:  # noqa: FBT001 - a table
    assert fits([maybe()], variance) is held


def test_tokens_without_a_request_are_not_of_a_doubtful_attempt() -> None:
    assert not fits([maybe()], Vector(0, 50, 0, 10))


def test_what_has_no_bound_shows_nothing() -> None:
    assert not fits([maybe(sent=Interval(0, None))], Vector(1, 10, 0, 10))
    assert fits([maybe(sent=Interval(0, None))], Vector(1, 10, 0, 0))


def test_a_certain_attempt_adds_its_least_whatever_the_statement_says() -> None:
    unknown = surely(Interval(50, 80), Interval(5, 10))
    assert least([unknown]) == Vector(0, 50, 0, 5)
    assert fits([unknown], Vector(0, 80, 0, 5))
    assert not fits([unknown], Vector())
    assert not fits([unknown], Vector(1, 60, 0, 6))


def test_bounds_of_one_attempt_are_not_lent_to_another() -> None:
    exact_input = maybe(Interval.exactly(100), Interval(0, 10))
    exact_output = maybe(Interval.exactly(50), Interval(0, 1000))
    assert not fits([exact_input, exact_output], Vector(1, 100, 0, 500))
    assert fits([exact_input, exact_output], Vector(1, 50, 0, 500))
    assert fits([exact_input, exact_output], Vector(2, 150, 0, 1010))


def test_a_batch_may_have_been_charged_in_part() -> None:
    assert fits([maybe(requests=10)], Vector(4, 100, 0, 50))
    assert not fits([maybe(requests=10)], Vector(11, 100, 0, 50))


def test_many_doubtful_attempts_are_bounded_by_their_largest() -> None:
    crowd = [maybe(Interval(0, n)) for n in range(40)]
    assert fits(crowd, Vector(20, sum(range(20, 40)), 0, 20 * 50))
    assert not fits(crowd, Vector(20, sum(range(20, 40)) + 1, 0, 0))
    assert TRIED_AT_MOST < 10**6


def test_no_unknown_holds_nothing() -> None:
    assert fits([], Vector())
    assert not fits([], Vector(output=1))


def test_bounds_add_up_and_an_open_end_stays_open() -> None:
    assert bounds([maybe(), surely(Interval(5, None), Interval())], Measure.INPUT) == Interval(5, None)
    assert bounds([maybe(), maybe()], Measure.REQUESTS) == Interval(0, 2)


NUMBERS = st.integers(0, 30)
INTERVALS = st.tuples(NUMBERS, NUMBERS).map(lambda drawn: Interval(drawn[0], sum(drawn)))


@given(st.lists(st.tuples(INTERVALS, INTERVALS, st.booleans()), max_size=6), st.data())
def test_what_was_really_charged_always_fits(drawn: list[tuple[Interval, Interval, bool]], data: st.DataObject) -> None:
    unknowns = [surely(r, s) if certain else maybe(r, s) for r, s, certain in drawn]
    variance = Vector()
    for unknown in unknowns:
        if unknown.certain or data.draw(st.booleans()):
            received = data.draw(st.integers(unknown.input.low, unknown.input.finite_high))
            cached = data.draw(st.integers(0, received))
            sent = data.draw(st.integers(unknown.output.low, unknown.output.finite_high))
            variance += Vector(unknown.requests, received, cached, sent)
    assert fits(unknowns, variance)
