"""What does the organization API show an admin key: pages of usage and of costs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tallyspan.demo.billing import Ledger, LedgerRow
from tallyspan.demo.buckets import DIMENSIONS, Sums, View, sums
from tallyspan.demo.callers import Request
from tallyspan.demo.charges import Charge, costs
from tallyspan.demo.clock import SECOND, Clock
from tallyspan.demo.columns import API_ONLY, COMPLETIONS, EMBEDDINGS
from tallyspan.demo.controls import OWN, Controls, Page, query_of
from tallyspan.demo.errors import refusal
from tallyspan.demo.reply import Payload, compact

_ORGANIZATION: Final = "/v1/organization/"
_CALLER: Final = ("project_id", "user_id", "api_key_id", "model")
# Default and greatest number of buckets a page (exports research, 1.2 and 1.4).
_LIMITS: Final = {"1m": (60, 1440), "1h": (24, 168), "1d": (7, 31)}
_COST_LIMITS: Final = (7, 180)
_MOST_BUCKETS: Final = 100_000  # the stand-in holds a whole window in memory
_FILTERS: Final = {
    "project_ids": "project_id",
    "user_ids": "user_id",
    "api_key_ids": "api_key_id",
    "models": "model",
    "batch": "batch",
}


@dataclass(frozen=True, slots=True)
class _Report:
    """A page of usage: the name in `object`, what it shows, what it can be grouped by."""

    result: str
    columns: Mapping[str, Callable[[Sums], int]]
    dimensions: tuple[str, ...]


_REPORTS: Final = {
    "completions": _Report("organization.usage.completions.result", {**COMPLETIONS, **API_ONLY}, tuple(DIMENSIONS)),
    "embeddings": _Report("organization.usage.embeddings.result", EMBEDDINGS, _CALLER),
    "moderations": _Report("organization.usage.moderations.result", EMBEDDINGS, _CALLER),
}
_COST_DIMENSIONS: Final = ("project_id", "user_id", "api_key_id", "api_source")


class Office:
    """Reads the ledger; books nothing."""

    def __init__(self, ledger: Ledger, clock: Clock, controls: Controls) -> None:
        self._ledger = ledger
        self._clock = clock
        self._controls = controls

    def page(self, request: Request) -> Page | None:
        """Return the page of a request; None if it is none of the office's."""
        if request.path.startswith(OWN):
            return self._controls.page(request)
        if not request.path.startswith(_ORGANIZATION):
            return None
        if not request.key.startswith("sk-admin-"):
            return _refused(401)
        try:
            return self._report(request)
        except ValueError as wrong:
            return _refused(400, str(wrong))

    def _report(self, request: Request) -> Page:
        name = request.path.removeprefix(_ORGANIZATION)
        query = query_of(request.target)
        rows = self._ledger.rows()
        if name == "costs":
            view = self._view(query, ("1d",), (*_COST_DIMENSIONS, "line_item"))
            return _paged(query, view, _COST_LIMITS, _cost_results(rows, view))
        report = _REPORTS.get(name.removeprefix("usage/"))
        if report is None:
            return _refused(404)
        view = self._view(query, tuple(_LIMITS), report.dimensions)
        return _paged(query, view, _LIMITS[view.width], _usage_results(rows, view, report, name))

    def _view(self, query: Mapping[str, list[str]], widths: tuple[str, ...], dimensions: tuple[str, ...]) -> View:
        now = self._clock()
        width = query.get("bucket_width", ["1d"])[-1]
        group_by = tuple(query.get("group_by", ()))
        if width not in widths:
            message = f"bucket_width: {width} is not one of {', '.join(widths)}"
            raise ValueError(message)
        if strange := [name for name in group_by if name not in dimensions]:
            message = f"group_by: {strange[0]} is not one of {', '.join(dimensions)}"
            raise ValueError(message)
        if "start_time" not in query:
            message = "start_time is required"
            raise ValueError(message)
        only = {
            dimension: frozenset(_value(raw) for raw in query[name])
            for name, dimension in _FILTERS.items()
            if name in query
        }
        since = int(query["start_time"][-1])
        until = int(query.get("end_time", [str(now // SECOND + 1)])[-1])
        view = View(since, until, now, width, group_by, only)
        if len(view.starts()) > _MOST_BUCKETS:
            message = f"start_time: more than {_MOST_BUCKETS} buckets of {width}"
            raise ValueError(message)
        return view


def _value(raw: str) -> object:
    return {"true": True, "false": False}.get(raw, raw)


def _refused(status: int, message: str | None = None) -> Page:
    return Page(status, compact(refusal(status, message).payload))


def _paged(
    query: Mapping[str, list[str]],
    view: View,
    limits: tuple[int, int],
    results: Mapping[int, list[Payload]],
) -> Page:
    """Return one page of buckets; the cursor is the start of the next bucket."""
    default, most = limits
    limit = int(query.get("limit", [str(default)])[-1])
    if not 1 <= limit <= most:
        message = f"limit: {limit} is not between 1 and {most}"
        raise ValueError(message)
    cursor = query.get("page", ["page_0"])[-1].removeprefix("page_")
    starts = [start for start in view.starts() if start >= int(cursor)]
    further = starts[limit:]
    page = {
        "object": "page",
        "data": [_bucket(start, start + view.seconds, results[start]) for start in starts[:limit]],
        "has_more": bool(further),
        "next_page": f"page_{further[0]}" if further else None,
    }
    return Page(200, compact(page))


def _bucket(start: int, end: int, results: list[Payload]) -> Payload:
    return {"object": "bucket", "start_time": start, "end_time": end, "results": results}


def _usage_results(rows: Iterable[LedgerRow], view: View, report: _Report, name: str) -> dict[int, list[Payload]]:
    found = sums(rows, view, name.removeprefix("usage/"))
    return {
        start: [
            {
                "object": report.result,
                **{column: counted(total) for column, counted in report.columns.items()},
                **dict.fromkeys(report.dimensions),
                **dict(zip(view.group_by, group, strict=True)),
            }
            for group, total in groups.items()
        ]
        for start, groups in found.items()
    }


def _cost_results(rows: Iterable[LedgerRow], view: View) -> dict[int, list[Payload]]:
    asked = view.group_by
    callers = tuple(name for name in asked if name != "line_item")
    plain = View(view.since, view.until, view.as_of_ns, "1d", callers, view.only)
    return {
        start: [_cost_result(charge, dict(zip(callers, group, strict=False))) for group, charge in groups.items()]
        for start, groups in costs(rows, plain, asked).items()
    }


def _cost_result(charge: Charge, caller: Payload) -> Payload:
    """Return a result as live payloads have it: the amount a string, and a name or two more."""
    return {
        "object": "organization.costs.result",
        "amount": {"value": f"{charge.amount:f}", "currency": "usd"},
        "line_item": charge.line_item or None,
        "quantity": charge.quantity or None,
        "quantity_unit": charge.unit or None,
        **dict.fromkeys(_COST_DIMENSIONS),
        **caller,
        "organization_id": "org-standin",
        "organization_name": "Stand-in",
    }
