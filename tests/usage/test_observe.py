"""The one place that makes a record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Billable, Bounds, Phase, Reason, State, UsageLine, UsageRecord
from tallyspan.usage.ending import Ending
from tallyspan.usage.endpoints import Endpoint, endpoint_of
from tallyspan.usage.observe import CallHead, End, RequestHead, ResponseHead, intend, observe
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


NOTHING, WHOLE = Seen(), Seen(empty=False, finished=True)


@pytest.mark.parametrize(
    ("attempted", "seen", "ending", "head", "judged"),
    [
        (Attempted({}), NOTHING, Ending.COMPLETE, OK, (Reason.EMPTY_BODY, Billable.MAYBE)),
        (Attempted({}), WHOLE, Ending.COMPLETE, OK, (Reason.NO_USAGE_FIELD, Billable.YES)),
        (Attempted({}), Seen(empty=False, unreadable=True), Ending.COMPLETE, OK, (Reason.UNREADABLE, Billable.YES)),
        (Attempted({}), Seen(empty=False, pending=True), Ending.COMPLETE, OK, (Reason.PENDING, Billable.YES)),
        (Attempted({"stream": True}), WHOLE, Ending.COMPLETE, OK, (Reason.NO_USAGE_FIELD, Billable.YES)),
        (
            Attempted({"stream": True}, asks=False),
            WHOLE,
            Ending.COMPLETE,
            OK,
            (Reason.STREAM_NOT_ASKED, Billable.YES),
        ),
        (Attempted({"stream": True}), Seen(empty=False), Ending.COMPLETE, OK, (Reason.DROPPED, Billable.MAYBE)),
        (Attempted({}, "/frobnicate"), WHOLE, Ending.COMPLETE, OK, (Reason.NO_USAGE_FIELD, Billable.MAYBE)),
        (Attempted({}), Seen(error_type="x"), Ending.CLOSED_EARLY, OK, (Reason.DROPPED, Billable.MAYBE)),
        (Attempted({}), NOTHING, Ending.CLOSED_EARLY, OK, (Reason.CLOSED_EARLY, Billable.MAYBE)),
        (Attempted({}), NOTHING, Ending.NEVER_SENT, None, (Reason.DROPPED, Billable.NO)),
        (Attempted({}), NOTHING, Ending.DROPPED, ResponseHead(429), (Reason.HTTP_ERROR, Billable.NO)),
        (Attempted({}), NOTHING, Ending.COMPLETE, ResponseHead(503), (Reason.HTTP_ERROR, Billable.MAYBE)),
        (Attempted({}), NOTHING, Ending.HIDDEN, ResponseHead(307), (Reason.HIDDEN_RESEND, Billable.NO)),
        (Attempted({}), NOTHING, Ending.HIDDEN, ResponseHead(500), (Reason.HIDDEN_RESEND, Billable.MAYBE)),
        (Attempted({}), NOTHING, Ending.HIDDEN, None, (Reason.HIDDEN_RESEND, Billable.MAYBE)),
    ],
)
def test_what_is_unknown_is_flagged_with_its_reason(
    attempted: Attempted, seen: Seen, ending: Ending, head: ResponseHead | None, judged: tuple[Reason, Billable]
) -> None:
    record = attempted.ended(seen, ending, head)
    assert (record.state, record.reason, record.billable) == (State.FLAGGED, *judged)
    assert record.requests == (0 if record.billable is Billable.NO else 1)
    assert not record.lines[0].counts
    unbounded = record.billable is Billable.NO or record.endpoint == "/frobnicate"
    assert (record.bounds == Bounds()) is unbounded


def test_bounds_are_the_requests_own_limit_else_the_models() -> None:
    body = json.dumps({"model": "gpt-4o", "max_tokens": 5, "n": 2}).encode()
    limited = recorded(NOTHING, Ending.TIMED_OUT, max_tokens=5, n=2)
    assert limited.bounds == Bounds(input_min=0, input_max=len(body), output_min=0, output_max=10)
    assert recorded(NOTHING, Ending.TIMED_OUT).bounds.output_max == 16_384
    assert recorded(NOTHING, Ending.TIMED_OUT, model="llama").bounds.output_max is None
    served = recorded(Seen(empty=False, model="gpt-4.1-2025-04-14"), Ending.TIMED_OUT)
    assert served.bounds.output_max == 32_768
    assert Attempted({}, "/embeddings").ended(NOTHING, Ending.TIMED_OUT).bounds.output_max == 0


@pytest.mark.parametrize(
    ("seen", "head", "error", "told"),
    [
        (NOTHING, OK, "httpx2.ReadError", "httpx2.ReadError"),
        (Seen(error_type="server_error"), OK, None, "server_error"),
        (Seen(error_type="server_error"), OK, "httpx2.ReadError", "httpx2.ReadError"),
        (NOTHING, ResponseHead(429), None, "429"),
        (NOTHING, OK, None, None),
    ],
)
def test_an_error_is_told_by_its_own_name_first(
    seen: Seen, head: ResponseHead, error: str | None, told: str | None
) -> None:
    assert Attempted({}).ended(seen, Ending.COMPLETE, head, error).error_type == told


def test_a_measured_record_holds_all_that_was_seen() -> None:
    record = recorded(streamed({"id": "chatcmpl-1", "model": "gpt-4o-x", "service_tier": "flex", **FINAL}), stream=True)
    assert record == UsageRecord(
        record_id="r",
        state=State.MEASURED,
        billable=Billable.YES,
        requests=1,
        started_ns=START,
        ended_ns=STOP,
        call_id="c",
        attempt=0,
        operation="chat",
        provider="openai",
        endpoint="/chat/completions",
        api_type="chat_completions",
        server_address="api.openai.com",
        server_port=443,
        stream=True,
        request_model="gpt-4o",
        response_id="chatcmpl-1",
        request_id="req_1",
        organization="org",
        project="proj",
        service_tier="flex",
        http_status=200,
        lines=(UsageLine(model="gpt-4o-x", counts={Quantity.INPUT: 3, Quantity.OUTPUT: 2}),),
    )


def test_an_intent_is_what_remains_if_nothing_follows() -> None:
    attempted = Attempted({})
    intent = intend(attempted.call, attempted.request)
    assert (intent.phase, intent.reason, intent.billable) == (Phase.INTENT, Reason.UNOBSERVED, Billable.MAYBE)
    assert (intent.started_ns, intent.ended_ns, intent.http_status) == (START, None, None)
