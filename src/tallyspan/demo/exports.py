"""What would the dashboard's export files of this ledger say? The exact layouts of real files."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from tallyspan.demo.billing import LedgerRow
from tallyspan.demo.buckets import View, sums
from tallyspan.demo.charges import Charge, costs
from tallyspan.demo.columns import COMPLETIONS, EMBEDDINGS

_ALL_CALLERS: Final = ("project_id", "user_id", "api_key_id")
_TIMES: Final = ("start_time", "end_time", "start_time_iso", "end_time_iso")
_USAGE_26: Final = (
    *_TIMES,
    "project_id",
    "num_model_requests",
    "user_id",
    "api_key_id",
    "model",
    "batch",
    "service_tier",
    "compute_units",
    *(name for name in COMPLETIONS if name != "num_model_requests"),
)
_NOT_IN_24: Final = frozenset({"compute_units", "input_cache_write_tokens"})
_COST_9: Final = (
    "start_time",
    "end_time",
    "amount_value",
    "amount_currency",
    "line_item",
    "project_id",
    "organization_id",
    "project_name",
    "organization_name",
)
_COST_16: Final = (
    *_TIMES,
    "amount_value",
    "amount_currency",
    "quantity",
    "quantity_unit",
    "line_item",
    "user_id",
    "api_key_id",
    "project_id",
    "organization_id",
    "project_name",
    "organization_name",
    "user_email",
)
# Number of columns -> header, as real files have it (2025 to 2026).
USAGE_LAYOUTS: Final = {
    26: _USAGE_26,
    24: tuple(name for name in _USAGE_26 if name not in _NOT_IN_24),
}
COST_LAYOUTS: Final = {17: (*_COST_16, "api_source"), 16: _COST_16, 9: _COST_9}
_EMBEDDINGS: Final = (
    *_TIMES,
    "project_id",
    "num_model_requests",
    "user_id",
    "api_key_id",
    "model",
    "input_tokens",
)
_AMOUNT_FORM: Final = ".36f"  # real files: 0.003400000000000000000000000000000000


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen on the dashboard: whole UTC days, both included, bucket width, API keys.

    `keys` are key ids, None keeps all. `as_of_ns` is the moment of the export: what settles later
    is missing; None shows all that is booked.
    """

    first: date
    last: date
    width: str = "1d"
    keys: frozenset[str] | None = None
    as_of_ns: int | None = None

    def view(self, group_by: tuple[str, ...]) -> View:
        """Return the view of the ledger that this selection shows."""
        return View(
            since=_midnight(self.first),
            until=_midnight(self.last + timedelta(days=1)),
            as_of_ns=1 << 80 if self.as_of_ns is None else self.as_of_ns,
            width=self.width,
            group_by=group_by,
            only={} if self.keys is None else {"api_key_id": self.keys},
        )


@dataclass(frozen=True, slots=True)
class Export:
    """A file that the dashboard would hand out."""

    name: str
    text: str = field(repr=False)

    def write(self, folder: Path) -> Path:
        """Write the file into a folder that exists, and return its path."""
        path = folder / self.name
        path.write_bytes(self.text.encode())
        return path


def completions_usage(
    ledger: Iterable[LedgerRow],
    chosen: Selection,
    *,
    columns: int = 26,
    group_by: tuple[str, ...] = (*_ALL_CALLERS, "model", "batch", "service_tier"),
) -> Export:
    """Return `completions_usage_<from>_<to>.csv`; dimensions not grouped by stay blank."""
    view = chosen.view(group_by)
    rows = _usage_rows(ledger, view, "completions")
    return _export("completions_usage", chosen, USAGE_LAYOUTS[columns], rows)


def embeddings_usage(
    ledger: Iterable[LedgerRow],
    chosen: Selection,
    *,
    group_by: tuple[str, ...] = (*_ALL_CALLERS, "model"),
) -> Export:
    """Return `embeddings_usage_<from>_<to>.csv`; its columns are inferred, no real file was seen."""
    view = chosen.view(group_by)
    return _export("embeddings_usage", chosen, _EMBEDDINGS, _usage_rows(ledger, view, "embeddings"))


def cost(
    ledger: Iterable[LedgerRow],
    chosen: Selection,
    *,
    columns: int = 17,
    group_by: tuple[str, ...] = (*_ALL_CALLERS, "line_item"),
) -> Export:
    """Return `cost_<from>_<to>.csv`, always by day."""
    callers = tuple(name for name in group_by if name != "line_item")
    view = replace(chosen, width="1d").view(callers)
    rows: list[dict[str, object]] = []
    for start, groups in costs(ledger, view, group_by).items():
        if not groups:
            rows.append(_times(start, view.seconds, "+00:00"))
        for group, charge in groups.items():
            known = dict(zip(callers, group, strict=False))
            times = _times(start, view.seconds, "")
            rows.append({**times, **known, **_cost_cells(charge, known, columns)})
    return _export("cost", chosen, COST_LAYOUTS[columns], rows)


def _usage_rows(ledger: Iterable[LedgerRow], view: View, report: str) -> list[dict[str, object]]:
    counted = {"completions": COMPLETIONS, "embeddings": EMBEDDINGS}[report]
    rows: list[dict[str, object]] = []
    for start, groups in sums(ledger, view, report).items():
        times = _times(start, view.seconds, "+00:00")
        if not groups:
            rows.append(times)
        for group, total in groups.items():
            numbers = {name: _count(total) for name, _count in counted.items()}
            rows.append({**times, **dict(zip(view.group_by, group, strict=True)), **numbers})
    return rows


def _cost_cells(charge: Charge, known: Mapping[str, object], columns: int) -> dict[str, object]:
    form = "f" if columns == len(_COST_9) else _AMOUNT_FORM
    cells: dict[str, object] = {
        "amount_value": format(charge.amount, form),
        "amount_currency": "usd",
        "organization_id": "org-standin",
        "organization_name": "Stand-in",
        "project_name": "Default project" if "project_id" in known else "",
        "user_email": "person@example.com" if "user_id" in known else "",
    }
    if charge.line_item:
        cells |= {"line_item": charge.line_item, "quantity_unit": charge.unit}
        cells["quantity"] = Decimal(charge.quantity)
    return cells


def _times(start: int, seconds: int, offset: str) -> dict[str, object]:
    """Return the four time cells; a populated row of costs has no offset."""
    shown = {
        name: f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S}{offset}"
        for name, moment in (("start_time_iso", start), ("end_time_iso", start + seconds))
    }
    return {"start_time": str(start), "end_time": str(start + seconds), **shown}


def _export(kind: str, chosen: Selection, header: Sequence[str], rows: list[dict[str, object]]) -> Export:
    """Write the rows; with only empty buckets the file has nothing but the time columns.

    Where a column has blanks its numbers are floats (`4.0`), as pandas writes them.
    """
    times = [name for name in header if name in _TIMES]
    shown = list(header) if any(len(row) > len(_TIMES) for row in rows) else times
    floats = {name for name in shown if any(name not in row for row in rows)}
    text = io.StringIO()
    table = csv.DictWriter(text, shown, restval="", extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: _cell(value, name in floats) for name, value in row.items()})
    return Export(f"{kind}_{chosen.first}_{chosen.last}.csv", text.getvalue())


def _cell(value: object, floating: bool) -> str:  # noqa: FBT001 - a property of the column
    counted = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return f"{value}.0" if counted and floating else f"{value}"


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
