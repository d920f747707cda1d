"""Which pages does the back office show: usage and costs for an admin key, and the stand-in's own?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tallyspan.demo.billing import Ledger
from tallyspan.demo.callers import Request
from tallyspan.demo.clock import Clock

_OWN: Final = "/__standin__/"
_ORGANIZATION: Final = "/v1/organization/"


@dataclass(frozen=True, slots=True)
class Page:
    """A finished page."""

    status: int
    body: bytes
    kind: str = "application/json"


class Office:
    """Reads the ledger; books nothing."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def page(self, request: Request) -> Page | None:
        """Return the page of a request; None if it is none of the office's."""
        if request.path == f"{_OWN}ledger":
            lines = (json.dumps(row.flat()) + "\n" for row in self._ledger.rows())
            return Page(200, "".join(lines).encode(), "application/jsonl")
        return None
