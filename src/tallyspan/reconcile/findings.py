"""From parts, residuals and what the books say of themselves to findings: one for each cause and model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from tallyspan.books.gaps import CutOff, Gap
from tallyspan.books.merge import Conflict
from tallyspan.reconcile.aggregate import SECOND_NS, Key
from tallyspan.reconcile.causes import CAUSES, Certainty, Code
from tallyspan.reconcile.compare import Bucket, Comparison
from tallyspan.reconcile.explain import Explained
from tallyspan.reconcile.explain.flagged import CODES, code_of, evidence_of, open_unknowns
from tallyspan.reconcile.explain.part import Part, sources
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.report import Finding
from tallyspan.reconcile.tally import utc
from tallyspan.reconcile.unknown import bounds
from tallyspan.reconcile.vector import Interval, Measure, Vector

SHOWN = 5
"""Pieces of evidence that a finding lists; the rest is counted."""

UNKNOWN_CODES = frozenset({*CODES.values(), Code.SEVERAL_UNKNOWNS})


def findings(comparison: Comparison, explained: Explained, observed: Observed) -> tuple[Finding, ...]:
    """All of them, largest first: errors before warnings before notes."""
    found = [
        *_of_parts(comparison, explained.parts),
        *_of_unclaimed(comparison, explained),
        *_of_residuals(comparison, explained.residual),
        *_of_buckets(comparison),
        *_of_books(comparison, observed),
    ]
    return tuple(sorted(found, key=_rank))


def _rank(finding: Finding) -> tuple[int, int, str, tuple[Key, ...]]:
    size = 0 if finding.amount is None else abs(finding.amount).tokens
    return (-CAUSES[finding.code].severity, -size, finding.code, finding.places)


def _of_parts(comparison: Comparison, parts: Sequence[Part]) -> Iterable[Finding]:
    groups: dict[tuple[Code, Certainty, str], list[Part]] = defaultdict(list)
    for part in parts:
        groups[part.code, part.certainty, part.key.model].append(part)
    for (code, certainty, _), group in groups.items():
        places = tuple(sorted({part.key for part in group}))
        yield Finding(
            code=code,
            certainty=certainty,
            amount=Vector.sum(part.amount for part in group),
            bounds=_bounds(comparison, places) if code in UNKNOWN_CODES else None,
            places=places,
            evidence=_first(dict.fromkeys(sentence for part in group for sentence in part.evidence)),
        )


def _of_unclaimed(comparison: Comparison, explained: Explained) -> Iterable[Finding]:
    """Unknowns that hold nothing, or were not shown to hold anything: named all the same."""
    claimed = {part.key for part in explained.parts if part.code in UNKNOWN_CODES}
    groups: dict[tuple[Code, str], list[Bucket]] = defaultdict(list)
    for key, bucket in comparison.buckets.items():
        unknowns = open_unknowns(bucket)
        if unknowns and key not in claimed:
            groups[code_of(unknowns), key.model].append(bucket)
    for (code, _), group in groups.items():
        places = tuple(bucket.key for bucket in group)
        yield Finding(
            code=code,
            certainty=Certainty.POSSIBLE,
            bounds=_bounds(comparison, places),
            places=places,
            evidence=evidence_of([unknown for bucket in group for unknown in open_unknowns(bucket)]),
        )


def _of_residuals(comparison: Comparison, residual: Mapping[Key, Vector]) -> Iterable[Finding]:
    groups: dict[str, list[Key]] = defaultdict(list)
    for key, rest in residual.items():
        if rest and not comparison.buckets[key].provisional:
            groups[key.model].append(key)
    for keys in groups.values():
        named = [sources(comparison.buckets[key].rows) for key in keys]
        yield Finding(
            code=Code.UNEXPLAINED,
            certainty=None,
            amount=Vector.sum(residual[key] for key in keys),
            places=tuple(keys),
            evidence=_first([f"statement rows {rows}" for rows in named if rows]),
        )


def _bounds(comparison: Comparison, places: Sequence[Key]) -> Mapping[Measure, Interval]:
    unknowns = [unknown for key in places for unknown in comparison.buckets[key].books.unknowns]
    return {measure: bounds(unknowns, measure) for measure in Measure}


def _of_buckets(comparison: Comparison) -> Iterable[Finding]:
    no_cached = [b for b in comparison.buckets.values() if Measure.INPUT_CACHED in b.blank]
    blank = [b for b in comparison.buckets.values() if b.blank - {Measure.INPUT_CACHED}]
    days = sorted({bucket.key.day for bucket in comparison.buckets.values() if bucket.provisional})
    aliases = [f"{ours} in the books, {theirs} on the statement" for ours, theirs in comparison.aliases.items()]
    others = [f"{plural(count, 'record')}: {why}" for why, count in comparison.table.left_out.items()]
    yield from _noted(Code.BLANK_CELLS, [sources(bucket.rows) for bucket in blank])
    yield from _noted(Code.CACHED_NOT_EXPORTED, [sources(bucket.rows) for bucket in no_cached])
    yield from _noted(Code.PROVISIONAL, [utc(day) for day in days])
    yield from _noted(Code.ALIAS, aliases, Certainty.LIKELY)
    yield from _noted(Code.NOT_BILLED_HERE, others)
    yield from _noted(Code.UNGROUPED, [] if comparison.grouped else ["no row names a model"])


def _of_books(comparison: Comparison, observed: Observed) -> Iterable[Finding]:
    merged, losses = observed.merged, observed.losses
    start, end = comparison.start * SECOND_NS, comparison.end * SECOND_NS
    twice = [
        f"{repeat.response_id}: {len(repeat.set_aside) + 1} attempts, counted is {repeat.counted.record_id}"
        for repeat in merged.repeats
        if start <= repeat.counted.started_ns < end
    ]
    copies = [f"{plural(merged.redelivered, 'record')} more than there are"] if merged.redelivered else []
    yield from _noted(Code.CONTRADICTION, [_contradiction(one) for one in merged.conflicts if _inside(one, start, end)])
    yield from _noted(Code.ANSWER_TWICE, twice)
    yield from _noted(Code.LOST, [_lost(gap) for gap in losses.gaps])
    yield from _noted(Code.NO_BEGINNING, [_lost(gap) for gap in losses.beginnings])
    yield from _noted(Code.CUT_OFF, [_cut_off(one) for one in losses.cut_off])
    yield from _noted(Code.UNREADABLE, observed.unreadable)
    yield from _noted(Code.INCOMPLETE, observed.incomplete)
    yield from _noted(Code.OUTSIDE_EXPORT, observed.uncovered)
    yield from _noted(Code.REDELIVERED, copies)


def _noted(code: Code, evidence: Sequence[str], certainty: Certainty = Certainty.PROVEN) -> Iterable[Finding]:
    if evidence:
        yield Finding(code=code, certainty=certainty, evidence=_first(evidence))


def _first(evidence: Iterable[str]) -> tuple[str, ...]:
    listed = tuple(evidence)
    more = (f"and {len(listed) - SHOWN} more",) if len(listed) > SHOWN else ()
    return (*listed[:SHOWN], *more)


def _inside(conflict: Conflict, start: int, end: int) -> bool:
    return any(start <= version.started_ns < end for version in conflict.versions)


def _contradiction(conflict: Conflict) -> str:
    first = conflict.versions[0]
    return f"{conflict.key}: {len(conflict.versions)} versions, the first of {moment(first.started_ns)}"


def _lost(gap: Gap) -> str:
    since = "its beginning" if gap.after_ns is None else moment(gap.after_ns)
    return f"writer {gap.writer_id}: {plural(gap.lost, 'entry', 'entries')} between {since} and {moment(gap.before_ns)}"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _cut_off(one: CutOff) -> str:
    return f"writer {one.writer_id}: no word after {moment(one.last_ns)}, and no end"


def moment(nanoseconds: int) -> str:
    """A time of the books, to the second."""
    return f"{datetime.fromtimestamp(nanoseconds // SECOND_NS, UTC):%Y-%m-%d %H:%M:%S} UTC"
