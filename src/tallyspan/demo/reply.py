"""What goes back to the client, before it is turned into bytes?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tallyspan.demo.json_tree import mapping
from tallyspan.demo.tokens import Usage
from tallyspan.demo.worlds import Outcome

Payload = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `payload` None is `[DONE]`, `tokens` the output tokens it carries."""

    payload: Payload | None
    name: str | None = None
    tokens: int = 0

    def encoded(self, line_end: str = "\n") -> bytes:
        """Return the event's bytes with its blank line."""
        shown = "[DONE]" if self.payload is None else compact(self.payload).decode()
        named = "" if self.name is None else f"event: {self.name}{line_end}"
        return f"{named}data: {shown}{line_end}{line_end}".encode()


DONE: Final = Event(None)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a JSON document (`payload`) or a stream (`events`), and what the work was."""

    status: int = 200
    payload: Payload = field(default_factory=dict[str, object])
    events: tuple[Event, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    outcome: Outcome = Outcome.COMPLETE
    usage: Usage = field(default_factory=Usage)
    response_id: str | None = None
    served: str | None = None
    kept: Payload | None = None  # what a later GET of the response id returns

    def without_usage(self) -> "Reply":
        """Return the same answer with every usage field left out."""
        return replace(
            self,
            payload=_no_usage(self.payload),
            events=tuple(
                replace(event, payload=None if event.payload is None else _no_usage(event.payload))
                for event in self.events
            ),
        )


def compact(payload: Payload) -> bytes:
    """Return a payload as the JSON bytes that go over the wire."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def _no_usage(payload: Payload) -> Payload:
    kept = {key: value for key, value in payload.items() if key != "usage"}
    inner = kept.get("response")
    if inner is not None:
        kept["response"] = {**mapping(inner), "usage": None}
    return kept
