"""How does another process look into the stand-in: its ledger, its exports, its faults, its clock?

GET  /__standin__/ledger                              JSON lines, a row each
GET  /__standin__/export?kind=completions_usage&first=2026-11-22&last=2026-11-22[&columns=24][&width=1m]
POST /__standin__/plan   {"scripts": ["429", "ok"], "path": "/chat/completions"}
POST /__standin__/clock  {"shift": 3600} or {"hold": 1795305600}, in seconds
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tallyspan.demo import exports
from tallyspan.demo.billing import Ledger
from tallyspan.demo.callers import Request
from tallyspan.demo.clock import Clock
from tallyspan.demo.exports import Export, Selection
from tallyspan.demo.faults import Plan
from tallyspan.demo.json_tree import count, document, items, text

OWN: Final = "/__standin__/"


@dataclass(frozen=True, slots=True)
class Page:
    """A finished page."""

    status: int
    body: bytes
    kind: str = "application/json"


class Controls:
    """Answers the stand-in's own pages; nothing here is part of the imitated API."""

    def __init__(self, ledger: Ledger, plan: Plan, clock: Clock) -> None:
        self._ledger = ledger
        self._plan = plan
        self._clock = clock
        self._pages: Mapping[str, Callable[[Request], Page]] = {
            "ledger": self._ledger_page,
            "export": self._export_page,
            "plan": self._plan_page,
            "clock": self._clock_page,
        }

    def page(self, request: Request) -> Page:
        """Return the page of a request; a wrong one says what is wrong."""
        build = self._pages.get(request.path.removeprefix(OWN))
        if build is None:
            return Page(404, b"{}")
        try:
            return build(request)
        except (KeyError, ValueError) as wrong:
            return Page(400, json.dumps({"error": repr(wrong)}).encode())

    def _ledger_page(self, _: Request) -> Page:
        lines = (json.dumps(row.flat()) + "\n" for row in self._ledger.rows())
        return Page(200, "".join(lines).encode(), "application/jsonl")

    def _export_page(self, request: Request) -> Page:
        query = {name: values[-1] for name, values in query_of(request.target).items()}
        chosen = Selection(
            first=date.fromisoformat(query["first"]),
            last=date.fromisoformat(query["last"]),
            width=query.get("width", "1d"),
            as_of_ns=self._clock(),
        )
        columns = query.get("columns")
        made = self._export(query["kind"], chosen, None if columns is None else int(columns))
        return Page(200, made.text.encode(), "text/csv")

    def _export(self, kind: str, chosen: Selection, columns: int | None) -> Export:
        rows = self._ledger.rows()
        if kind == "embeddings_usage":
            return exports.embeddings_usage(rows, chosen)
        build = {"completions_usage": exports.completions_usage, "cost": exports.cost}[kind]
        return build(rows, chosen) if columns is None else build(rows, chosen, columns=columns)

    def _plan_page(self, request: Request) -> Page:
        tree = document(request.body) or {}
        scripts = tuple(str(script) for script in items(tree.get("scripts")))
        self._plan.add(scripts, text(tree.get("path")) or "")
        return Page(200, json.dumps({"waiting": self._plan.waiting()}).encode())

    def _clock_page(self, request: Request) -> Page:
        tree = document(request.body) or {}
        hold = count(tree.get("hold"))
        if hold is not None:
            self._clock.hold(hold)
        self._clock.shift(count(tree.get("shift")) or 0)
        return Page(200, json.dumps({"now_ns": self._clock()}).encode())


def query_of(target: str) -> dict[str, list[str]]:
    """Read a query; lists come as `name[]=a&name[]=b`, `name=a&name=b` or `name=a,b`."""
    found: dict[str, list[str]] = {}
    for name, values in parse_qs(urlsplit(target).query).items():
        cells = [cell for value in values for cell in value.split(",")]
        found.setdefault(name.removesuffix("[]"), []).extend(cells)
    return found
