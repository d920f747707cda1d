"""A bill on a screen of 100 columns: first what was charged and why, then the figures, then what is missing."""

import io
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from rich.console import Console
from rich.table import Table

from tallyspan.reconcile.bill import Bill, BillDay, Note, Share, Topic
from tallyspan.reconcile.bill_lines import BillLine
from tallyspan.reconcile.bill_words import money, plain, span
from tallyspan.reconcile.price import Unpriced
from tallyspan.reconcile.tally import Tally, utc
from tallyspan.render.charge_terminal import charge_lines, priced

WIDTH = 100
_FEW = 31
"""Rows of a table that are shown without -v."""
_TITLES = {Topic.NEXT: "Export next"}
_COUNTED = (
    ("input", "in"),
    ("input_cached", "cached"),
    ("output", "out"),
    ("characters", "characters"),
    ("images", "images"),
    ("seconds", "seconds"),
    ("calls", "calls"),
    ("sessions", "sessions"),
    ("bytes", "bytes"),
)
"""Measures that a screen shows, in this order, with their short names."""


def bill_terminal(bill: Bill, notes: Sequence[Note], *, verbose: bool = False) -> str:
    """The whole report as plain text; the same bill always gives the same text."""
    page = io.StringIO()
    console = Console(
        file=page, width=WIDTH, color_system=None, force_terminal=False, markup=False, emoji=False, highlight=False
    )
    charged = "" if bill.charge is None else f" · charged ${plain(bill.charge.charged)}"
    console.print(f"tallyspan bill · {span(bill.start, bill.end - 1)} UTC{charged}")
    console.print(_files(bill))
    if bill.charge is not None:
        for line in charge_lines(bill.charge):
            console.print(line, soft_wrap=True)
        console.print()
    for table in _tables(bill, verbose=verbose):
        console.print(table)
    _print_notes(console, notes)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"


def counted(sums: Tally) -> str:
    """What was counted, in short: `3,163 in, 0 cached, 994 out`."""
    return ", ".join(f"{sums.counts[name]:,} {word}" for name, word in _COUNTED if name in sums.counts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        right = column in ("requests", "money")
        table.add_column(
            column, justify="right" if right else "left", overflow="fold", no_wrap=column in ("line", "days")
        )
    return table


def _files(bill: Bill) -> Table:
    table = _table("", "statement", "file", "period, UTC", "rows")
    for statement in bill.statements:
        period = span(statement.start, statement.end - 1)
        names = ", ".join(PurePath(name).name for name in statement.name.split(", "))
        table.add_row(statement.variant, names, period, f"{len(statement.rows):,}")
    return table


def _tables(bill: Bill, *, verbose: bool) -> Iterable[Table | str]:
    for title, table, rows in (
        ("Lines", _table("", "line", "days", "requests", "counted", "a request", "money"), _line_rows(bill.lines)),
        ("Days", _table("", "UTC day", *_TOTALS, "not covered by"), _day_rows(bill.days)),
        ("Models", _table("", "model", *_TOTALS), _share_rows(bill.models)),
        ("Keys", _table("", "API key", *_TOTALS), _share_rows(bill.keys)),
    ):
        cells = list(rows)
        shown = cells if verbose or len(cells) <= _FEW else cells[:_FEW]
        for row in shown:
            table.add_row(*row)
        if cells:
            table.title = title
            table.caption = None if shown is cells else f"… {len(cells) - len(shown)} more, shown with -v"
            table.caption_justify = "left"
            yield table
            yield ""
    totals = _table("Totals; usage, activity and costs say the same in other units and are never added", *_TOTALS)
    for subject, sums in bill.totals.items():
        totals.add_row(subject, _requests(sums), counted(sums), _money(sums))
    yield totals


_TOTALS = ("of", "requests", "counted", "money")


def _line_rows(lines: Iterable[BillLine]) -> Iterable[Sequence[str]]:
    for line in lines:
        averages = {name: f"{average:,.0f}" for name, average in line.tally.per_request().items()}
        each = ", ".join(f"{averages[name]} {word}" for name, word in _COUNTED if name in averages)
        paid = _money(line.tally)
        if isinstance(line.offers, tuple):
            paid = f"list {priced(line.offers[0])}"
        elif isinstance(line.offers, Unpriced):
            paid = "not priced"
        counts = counted(line.tally) or _quantity(line.tally)
        yield line.label, _short_span(line), _requests(line.tally), counts, each, paid


def _short_span(line: BillLine) -> str:
    """`11-22 to 11-23`: the years stand at the head of the screen."""
    first, last = utc(line.first)[5:], utc(line.last)[5:]
    return first if first == last else f"{first} to {last}"


def _day_rows(days: Iterable[BillDay]) -> Iterable[Sequence[str]]:
    for day in days:
        for subject, sums in day.tallies.items():
            yield utc(day.start), subject, _requests(sums), counted(sums), _money(sums), ", ".join(day.missing)


def _share_rows(shares: Iterable[Share]) -> Iterable[Sequence[str]]:
    for share in shares:
        sums = share.tally
        yield share.name or "(blank)", share.subject, _requests(sums), counted(sums), _money(sums)


def _requests(sums: Tally) -> str:
    return f"{sums.counts['requests']:,}" if "requests" in sums.counts else ""


def _quantity(sums: Tally) -> str:
    return ", ".join(f"{quantity.normalize():,f} {unit}".strip() for unit, quantity in sums.quantities.items())


def _money(sums: Tally) -> str:
    return money(sums.amounts)


def _print_notes(console: Console, notes: Sequence[Note]) -> None:
    for next_step in (False, True):
        chosen = [note for note in notes if (note.topic is Topic.NEXT) is next_step]
        if chosen:
            console.print(f"\n{_TITLES.get(chosen[0].topic, 'Notes')}")
        for note in chosen:
            console.print(f"- {note.text}", soft_wrap=True)
