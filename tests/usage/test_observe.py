"""The one place that makes a record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Billable, Bounds, Reason, State, UsageLine, UsageRecord
from tallyspan.usage.ending import Ending
from tallyspan.usage.endpoints import Endpoint, endpoint_of
from tallyspan.usage.observe import CallHead, End, RequestHead, ResponseHead, observe
from tallyspan.usage.request import read_ask
from tallyspan.usage.scan import EventScan, Seen

START, STOP = 1_000, 2_000
OK = ResponseHead(200, "req_1", "org", "proj")


def endpoint(path: str) -> Endpoint:
    row = endpoint_of("POST", path)
    assert row is not None
    return row


def recorded(seen: Seen, ending: Ending = Ending.COMPLETE, **told: object) -> UsageRecord:
    """Observe one attempt of a call; `told` is its request's body."""
    return Attempted(told).ended(seen, ending)


@dataclass(frozen=True)
class Attempted:
    """An attempt that is ready to be observed."""

    body: Mapping[str, object]
    path: str = "/chat/completions"
    asks: bool = True

    @property
    def call(self) -> CallHead:
        row = endpoint(self.path)
        return CallHead(
            call_id="c",
            endpoint=row,
            ask=read_ask(self.asked, row),
            provider="openai",
            server_address="api.openai.com",
            server_port=443,
        )

    @property
    def asked(self) -> dict[str, object]:
        return {"model": "gpt-4o", **self.body}

    @property
    def request(self) -> RequestHead:
        return RequestHead(
            record_id="r",
            attempt=0,
            started_ns=START,
            stream=self.call.ask.stream,
            asks_usage=self.asks,
            body=json.dumps(self.asked).encode(),
        )

    def ended(
        self, seen: Seen, ending: Ending = Ending.COMPLETE, head: ResponseHead | None = OK, error: str | None = None
    ) -> UsageRecord:
        return observe(self.call, self.request, head, seen, End(ending, STOP, error))


def streamed(*chunks: object, done: bool = False) -> Seen:
    row = endpoint("/chat/completions")
    assert row.stream is not None
    scan = EventScan(row, row.stream, json.loads)
    scan.scan(b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks))
    if done:
        scan.scan(b"data: [DONE]\n\n")
    return scan.seen()


RUNNING: Mapping[str, object] = {"choices": [{"index": 0}], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
FINAL: Mapping[str, object] = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}


def test_a_running_total_is_not_the_last_word() -> None:
    """A server that tells usage on every chunk, and a stream that ends in order, but before its last event."""
    record = recorded(streamed(RUNNING), stream=True)
    assert (record.state, record.reason, record.billable) == (State.FLAGGED, Reason.DROPPED, Billable.MAYBE)
    assert record.lines == (UsageLine(),)


@pytest.mark.parametrize("seen", [streamed(RUNNING, done=True), streamed(RUNNING, FINAL), streamed(FINAL, done=True)])
def test_usage_is_final_by_its_own_event_or_by_the_last_one(seen: Seen) -> None:
    record = recorded(seen, stream=True)
    assert record.state is State.MEASURED
    assert record.bounds == Bounds()
    assert record.lines[0].counts[Quantity.INPUT] == 3
