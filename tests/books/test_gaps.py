"""What is missing from the books shows in the books."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.reconcile.scenario import NOON, entries, measured

from tallyspan.books.gaps import ALIVE_INTERVAL_NS, Gap, Window, losses
from tallyspan.books.record import Entry, Mark, MarkKind

SECOND = 1_000_000_000
ALWAYS = Window(0, 10**18)


def mark(number: int | None, at: int, kind: MarkKind = MarkKind.ALIVE, writer: str = "w") -> Entry:
    return Entry(writer, number, Mark(kind, at * SECOND))


def test_a_missing_number_is_a_lost_entry_between_its_neighbours() -> None:
    found = losses([mark(0, 10), mark(3, 40), mark(4, 50, MarkKind.END)], ALWAYS)
    assert found.gaps == (Gap("w", 1, 2, 10 * SECOND, 40 * SECOND),)
    assert found.gaps[0].lost == 2
    assert found.cut_off == ()


def test_a_result_is_written_at_its_end() -> None:
    (gap,) = losses([*entries([measured("a", at=100, lasts=30)], "w"), mark(2, 200)], ALWAYS).gaps
    assert gap.after_ns == 130 * SECOND


def test_missing_first_entries_are_told_apart_from_gaps() -> None:
    found = losses([mark(7, 70), mark(8, 80, MarkKind.END)], ALWAYS)
    assert found.gaps == ()
    assert found.beginnings == (Gap("w", 0, 6, None, 70 * SECOND),)


def test_gaps_of_other_times_are_not_of_this_window() -> None:
    written = [mark(0, 10), mark(2, 20), mark(3, 100), mark(5, 110), mark(6, 200, MarkKind.END)]
    inside = losses(written, Window(50 * SECOND, 150 * SECOND))
    assert [gap.first for gap in inside.gaps] == [4]


def test_a_gap_that_reaches_into_the_window_counts() -> None:
    inside = losses([mark(0, 10), mark(5, 100), mark(6, 101, MarkKind.END)], Window(90 * SECOND, 95 * SECOND))
    assert [gap.lost for gap in inside.gaps] == [4]


def test_a_writer_without_an_end_is_cut_off_after_three_intervals() -> None:
    window_ends = NOON * SECOND + 3 * ALIVE_INTERVAL_NS
    alive = [mark(0, NOON)]
    assert [one.last_ns for one in losses(alive, Window(0, window_ends)).cut_off] == [NOON * SECOND]
    assert losses(alive, Window(0, window_ends - 1)).cut_off == ()
    assert losses([*alive, mark(1, NOON, MarkKind.END)], Window(0, window_ends)).cut_off == ()


def test_a_writer_that_fell_silent_before_the_window_is_not_of_it() -> None:
    assert losses([mark(0, 10)], Window(NOON * SECOND, 2 * NOON * SECOND)).cut_off == ()


def test_an_intent_takes_no_number() -> None:
    found = losses([mark(0, 10), mark(None, 20), mark(1, 30, MarkKind.END)], ALWAYS)
    assert found.gaps == found.beginnings == ()


@given(st.sets(st.integers(0, 60), min_size=1), st.randoms(use_true_random=False))
def test_what_is_there_and_what_is_missing_make_the_whole(numbers: set[int], random: Random) -> None:
    written = [mark(number, number * 10) for number in numbers] * 2
    random.shuffle(written)
    found = losses(written, ALWAYS)
    missing = {n for gap in (*found.gaps, *found.beginnings) for n in range(gap.first, gap.last + 1)}
    assert missing == set(range(max(numbers))) - numbers
