"""Flags that several commands have, parsed once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from tallyspan.cli.exits import CouldNotRunError
from tallyspan.reconcile.tally import DAY


def window(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """
    `--since` and `--until` as Unix seconds; both days are included, so the end is midnight after the last.

    Raises:
        CouldNotRunError: No day, or the wrong way round.
    """
    start, end = _day("--since", since, 0), _day("--until", until, 1)
    if start is not None and end is not None and start >= end:
        msg = f"--since {since} is after --until {until}; both days are included"
        raise CouldNotRunError(msg)
    return start, end


def kinds(pairs: Sequence[str]) -> Mapping[str, str]:
    """`--kind FILE=KIND`, as often as it was given: kinds by file."""
    found: dict[str, str] = {}
    for pair in pairs:
        file, equals, kind = pair.rpartition("=")
        if not equals:
            msg = f"--kind: found '{pair}', expected FILE=KIND"
            raise CouldNotRunError(msg)
        found[file] = kind
    return found


def _day(flag: str, text: str | None, days: int) -> int | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        msg = f"{flag}: found '{text}', expected a UTC day such as 2025-04-23"
        raise CouldNotRunError(msg) from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + days * DAY
