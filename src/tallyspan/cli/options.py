"""What the user asked `check` for, parsed once."""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from tallyspan.cli.exits import CouldNotRunError
from tallyspan.cli.flags import kinds, window
from tallyspan.reconcile.judge import FailOn, Gate, Tolerance

_NUMBER = re.compile(r"(\d{1,15})")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """Times are Unix seconds; `until` is exclusive."""

    files: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    settle_hours: int = 24
    gate: Gate = field(default_factory=Gate)
    kinds: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    newest: str | None = None
    format: str = "terminal"
    verbose: bool = False
    quiet: bool = False


def from_arguments(args: argparse.Namespace) -> CheckOptions:
    """
    Parse what argparse left as text.

    Raises:
        CouldNotRunError: A value does not fit; the line names the flag.
    """
    since, until = window(args.since, args.until)
    unknown = None if args.max_unknown is None else _tolerance("--max-unknown", args.max_unknown)
    return CheckOptions(
        files=tuple(args.files),
        since=since,
        until=until,
        settle_hours=_hours(args.settle),
        gate=Gate(
            requests=_tolerance("--tol-requests", args.tol_requests),
            tokens=_tolerance("--tol-tokens", args.tol_tokens),
            max_unknown=unknown,
            fail_on=FailOn(args.fail_on),
        ),
        kinds=kinds(args.kind),
        newest=args.newest,
        format=args.format,
        verbose=args.verbose,
        quiet=args.quiet,
    )


def _hours(text: str) -> int:
    found = _NUMBER.fullmatch(text)
    if found is None:
        msg = f"--settle: found '{text}', expected whole hours such as 24"
        raise CouldNotRunError(msg)
    return int(found[1])


def _tolerance(flag: str, text: str) -> Tolerance:
    """`12` is a number of requests or tokens, `0.5%` a share of the statement's."""
    number, share = _NUMBER.fullmatch(text), _SHARE.fullmatch(text)
    if number is not None:
        return Tolerance(absolute=int(number[1]))
    if share is not None:
        return Tolerance(share=Decimal(share[1]) / 100)
    money = "; dollars are not compared by this version" if text.startswith("$") else ""
    msg = f"{flag}: found '{text}', expected a whole number or a percentage such as 0.5%{money}"
    raise CouldNotRunError(msg)
