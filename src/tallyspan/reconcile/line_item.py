"""
Names of cost lines, and whether their quantities are the tokens that usage counted.

The grammar, seen in real exports: `[tier | ]model[ text| audio| image], input|cached input|cache writes|output[, long
context]`. A name that does not fit is a line without tokens and is left alone.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallyspan.reconcile.money import times, total
from tallyspan.reconcile.price import Unpriced, billed
from tallyspan.reconcile.statement import StatementRow
from tallyspan.reconcile.tally import day_of

_LINE = re.compile(
    r"(?:[a-z ]+ \| )?(?P<model>\S+)(?: (?:text|audio|image))?, "
    r"(?P<measure>input|input_tokens|cached input|cache writes|output|output_tokens)(?:, long context)?"
)
_MEASURES = {
    "input": "input_uncached",
    "input_tokens": "input_uncached",
    "cached input": "input_cached",
    "cache writes": "input_cache_write",
    "output": "output",
    "output_tokens": "output",
}
_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_TOKENS_IN = {"tokens": 1, "1000_tokens": 1000, None: 1}
"""Tokens in one of each unit; exports of before 2026-08-21 name no unit."""

_TOKENS = ("input", "input_uncached", "input_cached", "input_cache_write", "output")

Cell = tuple[int, str, str]
"""UTC day, model without date, billed measure."""


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Cost quantities against counted tokens, by UTC day, model and billed measure.

    Attributes:
        exact: Cells with the same number on both sides.
        different: Cells that differ: quantity in the costs, tokens in the usage (None: no such cell there).
        unmatched: Models with tokens in the costs that the usage does not have at all: another endpoint's, perhaps.
    """

    exact: int
    different: tuple[tuple[Cell, Decimal | None, Decimal | None], ...]
    unmatched: tuple[str, ...]

    @property
    def cells(self) -> int:
        """All cells that were compared."""
        return self.exact + len(self.different)


def plain_model(name: str) -> str:
    """A model's name as both exports can be compared: no date; `ft:gpt-4o:org::id` and `ft-gpt-4o` are one."""
    base = "ft-" + name.split(":")[1] if name.startswith("ft:") and name.count(":") > 1 else name
    return _DATED.sub("", base)


def compare_tokens(costs: Iterable[StatementRow], usage: Iterable[StatementRow]) -> Identity | None:
    """Compare rows of the same days; None if either side has no tokens to compare."""
    charged = {cell: total(parts) for cell, parts in _by_cell(costs, _charged).items()}
    counted = {cell: total(parts) for cell, parts in _by_cell(usage, _counted).items()}
    if not charged or not counted:
        return None
    models = {model for _, model, _ in counted}
    cells = [cell for cell in sorted(charged.keys() | counted.keys()) if cell[1] in models]
    different = [
        (cell, charged.get(cell), counted.get(cell)) for cell in cells if charged.get(cell) != counted.get(cell)
    ]
    unmatched = sorted({model for _, model, _ in charged} - models)
    return Identity(len(cells) - len(different), tuple(different), tuple(unmatched))


def _by_cell(
    rows: Iterable[StatementRow], cells: Callable[[StatementRow], Iterable[tuple[Cell, Decimal]]]
) -> Mapping[Cell, list[Decimal]]:
    found: defaultdict[Cell, list[Decimal]] = defaultdict(list)
    for row in rows:
        for cell, tokens in cells(row):
            if tokens:
                found[cell].append(tokens)
    return found


def _charged(row: StatementRow) -> Iterable[tuple[Cell, Decimal]]:
    named = _LINE.fullmatch(row.line_item or "")
    if named is None or row.quantity is None or row.quantity_unit not in _TOKENS_IN:
        return []
    cell = (day_of(row.start), plain_model(named["model"]), _MEASURES[named["measure"]])
    return [(cell, times(_TOKENS_IN[row.quantity_unit], row.quantity))]


def _counted(row: StatementRow) -> Iterable[tuple[Cell, Decimal]]:
    counts = billed({name: count for name, count in row.counts.items() if name in _TOKENS})
    if row.model is None or isinstance(counts, Unpriced):
        return []
    day, model = day_of(row.start), plain_model(row.model)
    return [((day, model, measure), Decimal(count)) for measure, count in counts.items()]
