"""Traffic on the statement that nobody recorded, and traffic in the books that the statement does not hold."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.causes import Certainty, Code
from tallyspan.reconcile.compare import Bucket, Comparison
from tallyspan.reconcile.explain.part import Part, compared, sources
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.statement import StatementRow
from tallyspan.reconcile.unknown import fits
from tallyspan.reconcile.vector import Vector

GROUPS: Mapping[str, Callable[[StatementRow], str | None]] = {
    "api_key_id": lambda row: row.api_key_id,
    "user_id": lambda row: row.user_id,
    "project_id": lambda row: row.project_id,
}
"""Groupings of a statement that the books do not know: they may fit a variance, they can not prove it."""


def by_dimension(comparison: Comparison, remaining: Mapping[Key, Vector], observed: Observed) -> Iterable[Part]:
    """Take rows that can not be of the books: batches where the books have none, projects that no record names."""
    foreign = _foreign_projects(comparison)
    for key in remaining:
        if key.day not in comparison.table.days:
            continue
        bucket = comparison.buckets[key]
        batches = [row for row in bucket.rows if row.batch and not comparison.table.batches]
        others = [row for row in bucket.rows if row not in batches and row.project_id in foreign]
        doubt = observed.may_lack(key.day) or bool(bucket.books.unknowns)
        certainty = Certainty.LIKELY if doubt else Certainty.PROVEN
        yield from _taken(bucket, batches, Code.BATCH_NOT_RECORDED, certainty, "batch rows, and no batch in the books")
        named = ", ".join(sorted({row.project_id for row in others if row.project_id}))
        yield from _taken(bucket, others, Code.NOT_RECORDED, certainty, f"no record names project {named}")


def _foreign_projects(comparison: Comparison) -> frozenset[str]:
    """Projects of the statement that no record names, if every measured one names one and the names are of one kind."""
    recorded = comparison.table.projects
    stated = {row.project_id for bucket in comparison.buckets.values() for row in bucket.rows if row.project_id}
    return frozenset(stated - recorded) if "" not in recorded and recorded & stated else frozenset()


def _taken(bucket: Bucket, rows: Sequence[StatementRow], code: Code, certainty: Certainty, why: str) -> Iterable[Part]:
    amount = _sum(bucket, rows)
    if amount:
        yield Part(code, certainty, bucket.key, amount, (f"{why}: {sources(rows)}",))


def by_model(comparison: Comparison, remaining: Mapping[Key, Vector], observed: Observed) -> Iterable[Part]:
    """
    Take the rows of a model that the books of the whole window do not name.

    What the books have too much on that day may be the same traffic under another name: then it is not proven.
    """
    booked = [bucket for bucket in comparison.buckets.values() if bucket.books.measured or bucket.books.unknowns]
    recorded = {bucket.key.model for bucket in booked}
    nameless = any(not one.model_known for bucket in booked for one in bucket.books.unknowns)
    surplus = {key.day for key, variance in remaining.items() if variance.requests < 0 or variance.input < 0}
    for key, variance in remaining.items():
        if variance and key.model not in recorded:
            alone = not nameless and key.day not in surplus and not observed.may_lack(key.day)
            certainty = Certainty.PROVEN if alone else Certainty.LIKELY
            evidence = (
                f"no record of the window names {key.model or 'no model'}: {_who(comparison.buckets[key].rows)}",
            )
            yield Part(Code.NOT_RECORDED, certainty, key, variance, evidence)


def _who(rows: Sequence[StatementRow]) -> str:
    named = [
        f"{name} {', '.join(sorted(values))}"
        for name, of in GROUPS.items()
        if (values := {value for row in rows if (value := of(row)) is not None})
    ]
    return f"{sources(rows)}{' (' if named else ''}{'; '.join(named)}{')' if named else ''}"


def by_group(comparison: Comparison, remaining: Mapping[Key, Vector], observed: Observed) -> Iterable[Part]:
    """
    Take the rows of one key, user or project if without them the bucket is whole, and no other group does that.

    A bucket that is missing altogether may as well be among entries that were lost.
    """
    for key, variance in remaining.items():
        bucket = comparison.buckets[key]
        if variance.requests <= 0 or fits(bucket.books.unknowns, variance):
            continue
        found = [
            (name, value, rows)
            for name, of in GROUPS.items()
            for value, rows in _groups(bucket.rows, of).items()
            if fits(bucket.books.unknowns, variance - _sum(bucket, rows))
            and not (len(rows) == len(bucket.rows) and observed.may_lack(key.day))
        ]
        if found and all(rows == found[0][2] for _, _, rows in found):
            names = ", ".join(f"{name} {value}" for name, value, _ in found)
            evidence = (f"exactly the rows of {names} are missing: {sources(found[0][2])}",)
            yield Part(Code.NOT_RECORDED, Certainty.LIKELY, key, _sum(bucket, found[0][2]), evidence)


def _sum(bucket: Bucket, rows: Sequence[StatementRow]) -> Vector:
    return compared(Vector.sum(Vector.of(row.counts) for row in rows), bucket.blank)


def _groups(rows: Sequence[StatementRow], of: Callable[[StatementRow], str | None]) -> Mapping[str, list[StatementRow]]:
    groups: dict[str, list[StatementRow]] = defaultdict(list)
    for row in rows:
        value = of(row)
        if value is not None:
            groups[value].append(row)
    return groups
