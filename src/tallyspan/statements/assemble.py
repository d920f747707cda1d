"""From buckets to a statement: period, width, groupings, and what the name of the file promised."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tallyspan.reconcile.statement import Statement, StatementRow
from tallyspan.statements.errors import StatementError
from tallyspan.statements.layouts import Layout
from tallyspan.statements.rows import DAY, Bucket

_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})[_-](\d{4}-\d{2}-\d{2})")
_GROUPS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source", "line_item")


@dataclass(frozen=True, slots=True)
class Source:
    """A file before it is understood: its name as the user gave it, and its bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()


def assemble(
    source: Source, layout: Layout, variant: str, buckets: Sequence[Bucket], notes: Sequence[str]
) -> Statement:
    """
    Put the buckets of one file together.

    Raises:
        StatementError: No bucket and no dates in the name: the period is unknown.
    """
    start, end, said = _period(source, layout, buckets)
    widths = {bucket.end - bucket.start for bucket in buckets}
    mixed = ("buckets of different width in one file",) if len(widths) > 1 else ()
    rows = tuple(bucket.row for bucket in buckets if bucket.row is not None)
    return Statement(
        kind=layout.kind,
        subject=layout.subject,
        variant=variant,
        name=source.name,
        sha256=source.sha256,
        start=start,
        end=end,
        width=max(widths, default=None),
        groupings=_groupings(rows),
        rows=rows,
        notes=(*notes, *mixed, *_holes(layout, buckets), *said),
    )


def _holes(layout: Layout, buckets: Sequence[Bucket]) -> tuple[str, ...]:
    """Days in the middle that a file by day passes over: an export lists an empty day as well, so pages are missing."""
    if layout.end is None or any(bucket.end - bucket.start != DAY for bucket in buckets):
        return ()
    days = sorted({bucket.start for bucket in buckets})
    missing = [day for before, after in pairwise(days) for day in range(before + DAY, after, DAY)]
    if not missing:
        return ()
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return (f"no bucket, not even an empty one, for {_date(missing[0])}{more}: lines or pages of it are missing",)


def _groupings(rows: Sequence[StatementRow]) -> frozenset[str]:
    named = {name for row in rows for name in row.dimensions}
    return frozenset(named.union(name for name in _GROUPS if any(getattr(row, name) is not None for row in rows)))


def _period(source: Source, layout: Layout, buckets: Sequence[Bucket]) -> tuple[int, int, tuple[str, ...]]:
    promised = _promised(source.name)
    if not buckets:
        if promised is None:
            raise StatementError(
                source.name,
                found="no row and no period in the name",
                expected="at least one bucket",
                do="export a period with usage, or keep the name that OpenAI gave the file",
            )
        return *promised, ("no row in it: its period is taken from its name",)
    start, end = min(b.start for b in buckets), max(b.end for b in buckets)
    # An activity export lists days with usage only: what its name promises beyond them is not missing.
    if promised is None or layout.end is None or promised[1] <= end:
        return start, end, ()
    last = _date(promised[1] - 1)
    return start, end, (f"its name says up to {last}, its last bucket ends {_date(end - 1)} 24:00 UTC",)


def _promised(name: str) -> tuple[int, int] | None:
    """The period in a file's name, both days included (so in the files of 2026)."""
    found = _PERIOD.search(name)
    if found is None:
        return None
    try:
        first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in found.groups())
    except ValueError:
        return None
    if last < first:
        return None
    return int(first.timestamp()), int((last + timedelta(days=1)).timestamp())


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
