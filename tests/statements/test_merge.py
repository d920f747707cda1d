"""Several files are one statement in which nothing is counted twice."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallyspan.reconcile.statement import Statement, StatementKind, StatementRow
from tallyspan.reconcile.tally import DAY, tally
from tallyspan.statements import StatementError, merge

START = 1_745_366_400


def file(name: str, *rows: StatementRow, days: int = 1, **changes: object) -> Statement:
    groupings = frozenset(name for row in rows for name in ("model", "line_item") if getattr(row, name) is not None)
    whole = Statement(
        kind=StatementKind.USAGE,
        subject="completions",
        variant="completions usage, 26 columns",
        name=name,
        sha256=name,
        start=START,
        end=START + days * DAY,
        width=DAY,
        groupings=groupings,
        rows=rows,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def row(day: int = 0, model: str | None = "gpt-4o", requests: int = 1, **changes: object) -> StatementRow:
    start = START + day * DAY
    found = StatementRow(start=start, end=start + DAY, model=model, counts={"requests": requests}, source=f"{day}")
    return replace(found, **changes)  # type: ignore[arg-type]


def requests(*statements: Statement, newest: str | None = None) -> int:
    (merged,) = merge(statements, newest)
    return tally(merged.rows).counts.get("requests", 0)


def test_the_same_key_inside_one_file_adds_up() -> None:
    (merged,) = merge([file("a", row(requests=2), row(requests=3))])
    assert [dict(row.counts) for row in merged.rows] == [{"requests": 5}]


def test_identical_rows_of_two_files_count_once() -> None:
    assert requests(file("a", row(requests=2)), file("b", row(requests=2))) == 2


def test_the_same_file_twice_counts_once_and_says_so() -> None:
    (merged,) = merge([file("a", row(requests=2)), file("copy", row(requests=2), sha256="a")])
    assert tally(merged.rows).counts == {"requests": 2}
    assert merged.notes == ("1 of the files repeats another, byte for byte: counted once",)


def test_disjoint_days_are_united_and_a_day_between_stays_uncovered() -> None:
    late = file("b", row(2), days=3, start=START + 2 * DAY)
    (merged,) = merge([late, file("a", row(0))])
    assert (merged.start, merged.end, merged.gaps) == (
        START,
        START + 3 * DAY,
        ((START + DAY, START + 2 * DAY),),
    )
    assert len(merged.rows) == 2


def test_the_newest_pull_wins_and_the_difference_is_shown() -> None:
    old = file("old", row(requests=2), pulled_at=1)
    new = file("new", row(requests=3), pulled_at=2)
    for order in ([old, new], [new, old]):
        (merged,) = merge(order)
        assert tally(merged.rows).counts == {"requests": 3}
        assert merged.notes == ("restated: 0 instead of 0 (requests 2 and 3)",)


def test_a_file_that_ends_later_is_newer() -> None:
    assert requests(file("b", row(requests=3), days=2), file("a", row(requests=2))) == 3


def test_equal_age_and_different_is_refused_unless_the_user_says_which() -> None:
    files = (file("a", row(requests=2)), file("b", row(requests=3)))
    with pytest.raises(StatementError, match="--newest FILE"):
        merge(files)
    assert requests(*files, newest="a") == 2
    assert requests(*files, newest="b") == 3


def test_a_finer_file_is_read_instead_of_the_coarser_one_that_it_adds_up_to() -> None:
    coarse = file("coarse", row(model=None, requests=5))
    fine = file("fine", row(requests=2), row(model="gpt-5", requests=3))
    (merged,) = merge([coarse, fine])
    assert sorted(row.model or "" for row in merged.rows) == ["gpt-4o", "gpt-5"]
    assert merged.notes == ()


def test_a_finer_file_that_does_not_add_up_is_left_out_and_said() -> None:
    coarse = file("coarse", row(model=None, requests=5))
    (merged,) = merge([file("fine", row(requests=2)), coarse])
    assert tally(merged.rows).counts == {"requests": 5}
    assert "does not add up to it (requests 5 and 2)" in merged.notes[0]


def test_opposite_errors_of_two_models_do_not_make_a_finer_file_add_up() -> None:
    coarse = file("coarse", row(requests=2), row(model="gpt-5", requests=3))
    keys = [row(requests=3, api_key_id="key_1"), row(model="gpt-5", requests=2, api_key_id="key_1")]
    fine = file("fine", *keys, groupings=frozenset({"model", "api_key_id"}))
    (merged,) = merge([fine, coarse])
    assert sorted(row.counts["requests"] for row in merged.rows if row.model == "gpt-5") == [3]
    assert "does not add up to it (gpt-4o requests 2 and 3)" in merged.notes[0]


def test_subjects_are_kept_apart() -> None:
    costs = file("c", row(amount=Decimal(1)), kind=StatementKind.COST, subject="costs")
    assert [s.subject for s in merge([file("a", row()), costs])] == ["completions", "costs"]


rows = st.builds(
    row,
    day=st.integers(0, 3),
    model=st.sampled_from(["gpt-4o", "gpt-5"]),
    requests=st.integers(0, 9),
    amount=st.decimals(0, 10, places=4),
    api_key_id=st.sampled_from(["key_1", "key_2"]),
)


@given(st.lists(rows, max_size=12), st.integers(0, 4))
def test_splitting_a_file_by_days_never_matters(found: list[StatementRow], cut: int) -> None:
    border = START + cut * DAY
    early = file("a", *(row for row in found if row.start < border), end=border)
    late = file("b", *(row for row in found if row.start >= border), start=border, end=START + 4 * DAY)
    (whole,) = merge([file("whole", *found, days=4)])
    (parts,) = merge([early, late])
    assert tally(parts.rows) == tally(whole.rows)
    assert {(row.start, row.model, row.api_key_id, row.amount) for row in parts.rows} == {
        (row.start, row.model, row.api_key_id, row.amount) for row in whole.rows
    }


@given(st.lists(rows, max_size=12))
def test_splitting_a_file_by_key_never_matters(found: list[StatementRow]) -> None:
    parts = [file(key, *(row for row in found if row.api_key_id == key), days=4) for key in ("key_1", "key_2")]
    shaped = [replace(part, groupings=frozenset({"model", "api_key_id"})) for part in parts]
    (united,) = merge(shaped)
    assert tally(united.rows) == tally(found)


@given(st.lists(rows, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(found: list[StatementRow], random: Random) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert tally(merge([file("a", *found)])[0].rows) == tally(merge([file("a", *shuffled)])[0].rows)
