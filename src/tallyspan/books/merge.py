"""What the entries of the books come to: every attempt once, with the best that is known of it.

Delivery is at least once and in any order, so nothing here depends on order: the same entries, shuffled or repeated,
give the same records. What contradicts itself is set aside and reported, never picked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tallyspan.books.record import UNBOUNDED, Billable, Entry, Kind, Phase, Reason, State, UsageRecord

OWN_PROVIDER = "openai"
"""What records of OpenAI's own hosts name as their provider (`gen_ai.provider.name`)."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """
    Versions that can not all be true: same record id with other content, or settlements of one id that differ.

    Attributes:
        key: The record id, or the response or batch id of the settlements.
        versions: All of them, sorted; none is counted.
    """

    key: str
    versions: tuple[UsageRecord, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """One response of the provider that several attempts brought home; it is charged once, so one of them counts."""

    response_id: str
    counted: UsageRecord
    set_aside: tuple[UsageRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """
    The books, merged.

    Attributes:
        records: What counts, one for each attempt (and each settlement without its spend), by start and record id.
        redelivered: Entries that were there before, word for word.
        conflicts: What contradicts itself; counted nowhere.
        repeats: Responses that were recorded more than once; `records` holds each once.
        settled: Flagged attempts whose usage a settlement brought.
        settlements_set_aside: Settlements that add nothing: a second one of an id, or one of a measured attempt.
        rereads: Old usage seen again.
        unobserved: Intents that no result followed; they stand in `records` as flagged.
    """

    records: tuple[UsageRecord, ...]
    redelivered: int
    conflicts: tuple[Conflict, ...]
    repeats: tuple[Repeat, ...]
    settled: int
    settlements_set_aside: int
    rereads: int
    unobserved: int


def merge(entries: Iterable[Entry]) -> Merged:
    """Count every attempt once: duplicates, intents and results, repeats, settlements, rereads."""
    by_id: dict[str, list[UsageRecord]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry.item, UsageRecord):
            by_id[entry.item.record_id].append(entry.item)
    chosen = [_one_version(key, copies) for key, copies in by_id.items()]
    records = sorted((one.record for one in chosen if one.record), key=_order)
    conflicts = [one.conflict for one in chosen if one.conflict]
    intents = [record for record in records if record.phase is Phase.INTENT]
    spends, repeats = _without_repeats([_resolved(r) for r in records if r.kind is Kind.SPEND])
    settlements = [r for r in records if r.kind is Kind.SETTLEMENT]
    outcome = _settle(spends, settlements)
    return Merged(
        records=tuple(sorted(outcome.records, key=_order)),
        redelivered=sum(one.redelivered for one in chosen),
        conflicts=tuple(sorted((*conflicts, *outcome.conflicts), key=lambda conflict: conflict.key)),
        repeats=tuple(repeats),
        settled=outcome.settled,
        settlements_set_aside=outcome.set_aside,
        rereads=sum(r.kind is Kind.REREAD for r in records),
        unobserved=len(intents),
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    record: UsageRecord | None
    conflict: Conflict | None
    redelivered: int


def _one_version(key: str, copies: Sequence[UsageRecord]) -> _Choice:
    """Result before intent; what is left must be one version, else it is a conflict."""
    results = _distinct([copy for copy in copies if copy.phase is Phase.RESULT])
    intents = _distinct([copy for copy in copies if copy.phase is Phase.INTENT])
    redelivered = len(copies) - len(results) - len(intents)
    versions = results or intents
    if len(versions) == 1:
        return _Choice(versions[0], None, redelivered)
    return _Choice(None, Conflict(key, tuple(sorted(versions, key=repr))), redelivered)


def _distinct(copies: Iterable[UsageRecord]) -> list[UsageRecord]:
    found: list[UsageRecord] = []
    for copy in copies:
        if copy not in found:  # records hold mappings, so they compare but do not hash
            found.append(copy)
    return found


def _order(record: UsageRecord) -> tuple[int, str]:
    return (record.started_ns, record.record_id)


def _resolved(record: UsageRecord) -> UsageRecord:
    """Give an intent that no result followed the words of a flagged result: it may have been sent, and charged."""
    if record.phase is Phase.RESULT:
        return record
    return replace(
        record, phase=Phase.RESULT, state=State.FLAGGED, reason=Reason.UNOBSERVED, billable=Billable.MAYBE,
        requests=max(record.requests, 1),
    )  # fmt: skip


def _without_repeats(spends: Sequence[UsageRecord]) -> tuple[list[UsageRecord], list[Repeat]]:
    """
    Keep one attempt for each response id.

    The provider gives every answer that it charges an id of its own; an id seen twice is the same answer served again
    (a cache, a replay). A measured attempt counts before a flagged one, then the earliest. Other servers may repeat
    their ids, so there all count.
    """
    kept = [record for record in spends if _own_response_id(record) is None]
    repeats: list[Repeat] = []
    for response_id, group in _grouped(spends, _own_response_id):
        first, *others = sorted(group, key=lambda record: (record.state is State.FLAGGED, *_order(record)))
        kept.append(first)
        if others:
            repeats.append(Repeat(response_id, first, tuple(others)))
    return sorted(kept, key=_order), repeats


def _own_response_id(record: UsageRecord) -> str | None:
    return record.response_id if record.provider == OWN_PROVIDER else None


@dataclass(frozen=True, slots=True)
class _Settled:
    records: tuple[UsageRecord, ...]
    conflicts: tuple[Conflict, ...]
    settled: int
    set_aside: int


def _settle(spends: Sequence[UsageRecord], settlements: Sequence[UsageRecord]) -> _Settled:
    """Let one settlement an id give the usage of its flagged attempt; without its attempt it counts whole."""
    records = {record.record_id: record for record in spends}
    owners = {key: record for record in reversed(spends) for key in _ids(record)}
    conflicts: list[Conflict] = []
    settled = set_aside = 0
    for key, group in _grouped(settlements, _settled_id):
        measured = [record for record in group if record.state is State.MEASURED]
        first, *others = measured or group
        set_aside += len(group) - 1
        if any(not _same_usage(first, other) for other in others):
            conflicts.append(Conflict(key, tuple(group)))
            continue
        owner = owners.get(key)
        if owner is None:
            records[first.record_id] = first
        elif records[owner.record_id].state is State.FLAGGED:
            records[owner.record_id] = _with_usage(owner, first)
            settled += 1
        else:
            set_aside += 1
    loose = [record for record in settlements if _settled_id(record) is None]
    return _Settled((*records.values(), *loose), tuple(conflicts), settled, set_aside)


def _ids(record: UsageRecord) -> list[str]:
    return [key for key in (record.response_id, record.batch_id) if key is not None]


def _settled_id(record: UsageRecord) -> str | None:
    return record.response_id or record.batch_id


def _same_usage(one: UsageRecord, other: UsageRecord) -> bool:
    return (one.state, one.requests, one.lines) == (other.state, other.requests, other.lines)


def _with_usage(spend: UsageRecord, settlement: UsageRecord) -> UsageRecord:
    """Lines and bounds of the settlement; requests and day of the spend."""
    if settlement.state is State.FLAGGED:
        return replace(spend, lines=settlement.lines, bounds=settlement.bounds)
    return replace(
        spend, state=State.MEASURED, reason=None, billable=Billable.YES, bounds=UNBOUNDED, lines=settlement.lines
    )


def _grouped(
    records: Iterable[UsageRecord], key: Callable[[UsageRecord], str | None]
) -> list[tuple[str, list[UsageRecord]]]:
    """Records that have the key, by key; inside a group by time, so that no order of files shows."""
    keyed = sorted(
        ((found, record) for record in records if (found := key(record)) is not None),
        key=lambda pair: (pair[0], *_order(pair[1])),
    )
    return [(name, [record for _, record in group]) for name, group in groupby(keyed, key=lambda pair: pair[0])]
