"""`tallyspan bill`: what was charged and for what, from exports alone."""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from tallyspan.cli.exits import CouldNotRunError, Exit
from tallyspan.cli.flags import kinds, window
from tallyspan.cli.parser import Commands
from tallyspan.prices import list_prices
from tallyspan.reconcile.bill import build
from tallyspan.reconcile.bill_notes import notes
from tallyspan.reconcile.statement import Statement
from tallyspan.render.bill_json import bill_json
from tallyspan.render.bill_terminal import bill_terminal
from tallyspan.statements import KINDS, StatementError, merge, read_statement

_SUM = re.compile(r"\$?(\d{1,12}(?:\.\d{1,2})?)")


@dataclass(frozen=True, slots=True)
class BillOptions:
    """What the user asked for; times are Unix seconds, `until` is exclusive."""

    charged: Decimal | None = None
    since: int | None = None
    until: int | None = None
    newest: str | None = None
    format: str = "terminal"
    verbose: bool = False
    quiet: bool = False
    kinds: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def register(commands: Commands) -> None:
    """Add the parser of this command."""
    about = "what was charged and for what: exports alone, no telemetry"
    parser = commands.add_parser("bill", help=about, description=about)
    parser.add_argument("files", nargs="+", metavar="FILE", help="exports of OpenAI: dashboard CSV or API pages (JSON)")
    parser.add_argument("--charged", metavar="DOLLARS", help="the sum on the receipt: which lines equal it to the cent")
    parser.add_argument("--since", metavar="DATE", help="first UTC day, YYYY-MM-DD (default: the exports' period)")
    parser.add_argument("--until", metavar="DATE", help="last UTC day, inclusive")
    parser.add_argument("--kind", metavar="FILE=KIND", action="append", default=[], help=f"KIND: {', '.join(KINDS)}, …")
    parser.add_argument("--newest", metavar="FILE", help="the file to believe where files of one age differ")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="default: terminal")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing: only say whether it could be read")
    parser.add_argument("-v", "--verbose", action="store_true", help="all rows of every table")


def run(args: argparse.Namespace) -> int:
    """Read, explain, print at once."""
    files: list[str] = args.files
    since, until = window(args.since, args.until)
    options = BillOptions(
        charged=_sum(args.charged),
        since=since,
        until=until,
        newest=args.newest,
        format=args.format,
        verbose=args.verbose,
        quiet=args.quiet,
        kinds=kinds(args.kind),
    )
    for flag, names in (("--newest", filter(None, [options.newest])), ("--kind", options.kinds)):
        for name in names:
            if name not in files:
                msg = f"{flag} {name}: not one of the files given"
                raise CouldNotRunError(msg)
    sys.stdout.write(show(read(files, options.kinds), options))
    return Exit.AGREE


def read(files: Sequence[str], kinds: Mapping[str, str]) -> list[Statement]:
    """Read every file, or none: a bad one ends the run with its line."""
    statements: list[Statement] = []
    for file in files:
        try:
            statements.append(read_statement(file, kinds.get(file)))
        except StatementError as bad:
            raise CouldNotRunError(str(bad)) from bad
        except OSError as fault:
            msg = f"{file}: can not be opened ({fault.strerror}); check the path"
            raise CouldNotRunError(msg) from fault
    return statements


def show(statements: Sequence[Statement], options: BillOptions) -> str:
    """The bill as text; what `check` prints, too, when it was given no books."""
    try:
        merged = merge(statements, options.newest)
    except StatementError as bad:
        raise CouldNotRunError(str(bad)) from bad
    bill = build(merged, list_prices, options.charged, options.since, options.until)
    if bill.start >= bill.end:
        msg = f"the window is empty: the exports and --since/--until leave no UTC day ({len(statements)} files)"
        raise CouldNotRunError(msg)
    if options.quiet:
        return ""
    said = notes(bill)
    return bill_json(bill, said) if options.format == "json" else bill_terminal(bill, said, verbose=options.verbose)


def _sum(text: str | None) -> Decimal | None:
    if text is None:
        return None
    found = _SUM.fullmatch(text)
    if found is None:
        msg = f"--charged: found '{text}', expected US dollars such as 132.42; give the sum on the receipt"
        raise CouldNotRunError(msg)
    return Decimal(found[1])
