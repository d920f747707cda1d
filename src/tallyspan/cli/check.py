"""`tallyspan check`: the books against OpenAI's usage export."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from tallyspan.books.gaps import Window, losses
from tallyspan.books.merge import merge as merge_books
from tallyspan.cli.bill import BillOptions, read, show
from tallyspan.cli.exits import CouldNotRunError, Exit
from tallyspan.cli.inputs import BOOKS, Inputs, sort_inputs
from tallyspan.cli.options import CheckOptions, from_arguments
from tallyspan.cli.parser import Commands
from tallyspan.ledger import Books, BooksError, named, read_books
from tallyspan.reconcile.aggregate import SECOND_NS, aggregate
from tallyspan.reconcile.compare import Settling, compare, covered_days
from tallyspan.reconcile.explain import explain
from tallyspan.reconcile.judge import FailOn, judge
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.report import Report
from tallyspan.reconcile.statement import Statement, StatementKind
from tallyspan.reconcile.tally import DAY, day_of, utc
from tallyspan.render.document import check_document, nothing_document
from tallyspan.render.terminal import check_screen
from tallyspan.statements import KINDS, StatementError, merge

SUBJECT = "completions"
"""The one usage export that is compared so far: chat completions, responses and legacy completions."""


def register(commands: Commands) -> None:
    """Add the parser of this command."""
    about = "books against statement: files recognised by content, in any order"
    add = commands.add_parser("check", help=about, description=about).add_argument
    add("files", nargs="+", metavar="FILE", help="books (OTLP JSON lines), exports of OpenAI, or folders of them")
    add("--since", metavar="DATE", help="first UTC day, YYYY-MM-DD (default: the export's first)")
    add("--until", metavar="DATE", help="last UTC day, inclusive (default: the export's last)")
    add("--settle", default="24", metavar="HOURS", help="a day is judged so long after its end; 0: every day (24)")
    add("--tol-requests", default="0", metavar="N|P%", help="a bucket may differ by so many requests (0)")
    add("--tol-tokens", default="0", metavar="N|P%", help="a bucket may differ by so many tokens of a kind (0)")
    add("--max-unknown", metavar="N|P%", help="fail if marked unknowns may hold more tokens (no limit)")
    add("--fail-on", choices=[one.value for one in FailOn], default="error", help="what exits 1 (error)")
    add("--kind", metavar="FILE=KIND", action="append", default=[], help=f"KIND: {', '.join((BOOKS, *KINDS))}, …")
    add("--newest", metavar="FILE", help="the export to believe where exports of one age differ")
    add("--format", choices=("terminal", "json"), default="terminal", help="default: terminal")
    add("-q", "--quiet", action="store_true", help="coverage and verdict only")
    add("-v", "--verbose", action="store_true", help="notes, and buckets that agree")


def run(args: argparse.Namespace) -> int:
    """Read, compare, print at once."""
    options = from_arguments(args)
    inputs = sort_inputs(options.files, options.kinds)
    for name in inputs.skipped:
        sys.stderr.write(f"{name}: neither books nor an export, skipped\n")
    statements = read(inputs.statements, options.kinds)
    if not inputs.books:
        return _without_books(statements, options)
    books = _books(inputs)
    statement = _statement(statements, options)
    if statement is None:
        reason, given = f"no {SUBJECT} usage export was given", _inputs(books, statements)
        screen = f"✗ NOTHING TO COMPARE  {reason}\nexit 3 (nothing was compared)\n"
        sys.stdout.write(nothing_document(reason, given) if options.format == "json" else screen)
        return Exit.NOTHING_COMPARED
    report = check(books, statement, options, int(time.time()))
    report = replace(report, inputs=_inputs(books, statements), notes=statement.notes)
    sys.stdout.write(
        check_document(report)
        if options.format == "json"
        else check_screen(report, verbose=options.verbose, quiet=options.quiet)
    )
    return report.exit_code


def check(books: Books, statement: Statement, options: CheckOptions, now: int) -> Report:
    """Compare what was read; `now` is Unix seconds."""
    start = max(statement.start, statement.start if options.since is None else options.since)
    end = max(start, min(statement.end, statement.end if options.until is None else options.until))
    merged = merge_books(books.entries)
    comparison = compare(
        aggregate(merged.records, start, end), statement, start, end, Settling(now, options.settle_hours)
    )
    observed = Observed(
        merged=merged,
        losses=losses(books.entries, Window(start * SECOND_NS, end * SECOND_NS)),
        unreadable=tuple(str(problem) for problem in books.problems),
        incomplete=named(books.incomplete),
        uncovered=_uncovered(statement, options),
    )
    return judge(comparison, explain(comparison, observed), observed, options.gate)


def _without_books(statements: Sequence[Statement], options: CheckOptions) -> int:
    """The bill is all that can be said; nothing was compared, and the exit code says so."""
    bill = BillOptions(
        since=options.since,
        until=options.until,
        newest=options.newest,
        format=options.format,
        verbose=options.verbose,
        quiet=options.quiet,
    )
    text = show(statements, bill)
    sys.stderr.write("no books among the files, so nothing was compared; this is the bill alone\n")
    sys.stdout.write(text)
    return Exit.NOTHING_COMPARED


def _books(inputs: Inputs) -> Books:
    try:
        return read_books(inputs.books)
    except BooksError as bad:
        raise CouldNotRunError(str(bad)) from bad


def _statement(statements: Sequence[Statement], options: CheckOptions) -> Statement | None:
    if options.newest is not None and options.newest not in {one.name for one in statements}:
        msg = f"--newest {options.newest}: not one of the exports given"
        raise CouldNotRunError(msg)
    usable = [one for one in statements if one.kind is StatementKind.USAGE and one.subject == SUBJECT]
    if not usable:
        return None
    try:
        (merged,) = merge(usable, options.newest)
    except StatementError as bad:
        raise CouldNotRunError(str(bad)) from bad
    crossing = next((row for row in merged.rows if day_of(row.start) != day_of(row.end - 1)), None)
    if crossing is not None:
        found = f"found a bucket from {crossing.start} to {crossing.end}, expected one inside a UTC day"
        msg = f"{crossing.source}: {found}; export it again by day, hour or minute"
        raise CouldNotRunError(msg)
    return merged


def _uncovered(statement: Statement, options: CheckOptions) -> tuple[str, ...]:
    """Days that were asked for, or lie between two exports, and are in none."""
    start = day_of(statement.start) if options.since is None else options.since
    end = statement.end if options.until is None else options.until
    covered = set(covered_days(statement, start, end))
    missing = [day for day in range(start, end, DAY) if day not in covered]
    return (f"no export covers {utc(missing[0])} to {utc(missing[-1])}: {len(missing)} UTC days",) if missing else ()


def _inputs(books: Books, statements: Sequence[Statement]) -> tuple[str, ...]:
    names = books.files[0].name if len(books.files) == 1 else f"{len(books.files)} files"
    foreign = f", {books.foreign:,} log records of others skipped" if books.foreign else ""
    lines = [f"books      {names}: {len(books.entries):,} entries{foreign}"]
    for one in statements:
        used = "" if one.subject == SUBJECT else ", not compared by this version"
        lines.append(f"statement  {one.name}: {one.variant}, {len(one.rows):,} rows{used}")
    return tuple(lines)
