"""Answers of odd shape: what we asked for stays hidden, and nothing else changes."""

import json
from collections.abc import Iterator, Sequence

import pytest
from tests.wire.bench import Bench
from tests.wire.guest import HTTP, Guest, Sdk, at_once

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Billable, Reason, State
from tallyspan.demo import StandIn
from tallyspan.usage.scan import EventScan


def event(choices: list[object], **more: object) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini", "choices": choices}
    return b"data: " + json.dumps(chunk | more).encode() + b"\n\n"


WORD = event([{"index": 0, "delta": {"content": "a"}, "finish_reason": None}])
USAGE = event([], usage={"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12})
DONE = b"data: [DONE]\n\n"


class Pieces(HTTP.SyncByteStream):  # type: ignore[misc,unused-ignore]
    """A body that comes in these pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces


def answering(guest: Guest, pieces: Sequence[bytes], *, kind: str | None = "text/event-stream", kept: bool) -> Sdk:
    """Make a client whose transport answers with this body; `kept`: as a cache does, whole and in memory."""
    headers = {} if kind is None else {"content-type": kind}

    def answer(_request: Sdk) -> Sdk:
        if kept:
            return HTTP.Response(200, headers=headers, content=b"".join(pieces))
        return HTTP.Response(200, headers=headers, stream=Pieces(pieces))

    return guest.another(http_client=HTTP.Client(transport=HTTP.MockTransport(answer)))


@pytest.fixture
def guest(api: StandIn) -> Iterator[Guest]:
    one = Guest(api, "odd", is_async=False)
    yield one
    at_once(one.leave())


def choices_told(client: Sdk, guest: Guest) -> list[int]:
    return [len(chunk.choices) for chunk in client.chat.completions.create(**guest.ask, stream=True)]


def test_a_stream_that_is_in_memory_hides_what_we_asked_for(api: StandIn, guest: Guest) -> None:
    client = answering(guest, [WORD, USAGE, DONE], kept=True)
    with Bench(api) as bench:
        assert choices_told(client, guest) == [1]
    assert not bench.faults
    assert [record.lines[0].counts[Quantity.OUTPUT] for record in bench.written.records] == [7]


def test_a_hook_that_reads_a_stream_leaves_what_we_asked_for_hidden(api: StandIn, guest: Guest) -> None:
    def log(response: Sdk) -> None:
        response.read()

    client = guest.another(http_client=HTTP.Client(event_hooks={"response": [log]}))
    with Bench(api) as bench:
        assert all(choices_told(client, guest))
    assert [record.state for record in bench.written.records] == [State.MEASURED]


@pytest.mark.parametrize("kind", [None, "text/plain", "Text/Event-Stream; charset=utf-8"])
def test_a_stream_is_read_as_one_whatever_its_type(api: StandIn, guest: Guest, kind: str | None) -> None:
    client = answering(guest, [WORD, USAGE, DONE], kind=kind, kept=False)
    with Bench(api) as bench:
        assert choices_told(client, guest) == [1]
    assert [record.state for record in bench.written.records] == [State.MEASURED]


def test_usage_that_we_can_not_read_is_hidden_all_the_same(api: StandIn, guest: Guest) -> None:
    client = answering(guest, [WORD, event([], usage={"prompt_tokens": 5}), DONE], kept=False)
    with Bench(api) as bench:
        assert choices_told(client, guest) == [1]
    assert [record.reason for record in bench.written.records] == [Reason.NO_USAGE_FIELD]


def test_a_gateways_mark_on_every_chunk_is_nothing_new(api: StandIn, guest: Guest) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    marked = [event([{"index": 0, "delta": {}}], gateway="g"), event([], usage=usage, gateway="g"), DONE]
    with Bench(api):
        assert choices_told(answering(guest, marked, kept=False), guest) == [1]


def test_what_only_the_usage_event_says_reaches_the_caller(api: StandIn, guest: Guest) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    moderated = [WORD, event([], usage=usage, moderation={"flagged": True}), DONE]
    with Bench(api):
        assert choices_told(answering(guest, moderated, kept=False), guest) == [1, 0]


def test_no_byte_is_lost_where_events_are_far_apart(api: StandIn, guest: Guest) -> None:
    client = answering(guest, [WORD + b"\n", WORD + b"\n\n\n", USAGE, DONE], kept=False)
    streaming = client.chat.completions.with_streaming_response.create(**guest.ask, stream=True)
    with Bench(api), streaming as response:
        told = b"".join(response.iter_bytes())
    assert told == WORD + b"\n" + WORD + b"\n\n\n" + DONE


def test_a_stream_of_responses_that_stops_short_may_not_be_billed(api: StandIn, guest: Guest) -> None:
    if not hasattr(guest.client, "responses"):
        pytest.skip("this generation has no responses")
    api.plan("eof:3")
    with Bench(api) as bench:
        list(guest.client.responses.create(model="gpt-4o", input="x", stream=True))
    assert [(record.reason, record.billable) for record in bench.written.records] == [(Reason.DROPPED, Billable.MAYBE)]


def test_an_answer_that_holds_an_error_and_no_usage_may_not_be_billed(api: StandIn, guest: Guest) -> None:
    failed = {"id": "r", "status": "failed", "model": "gpt-4o", "error": {"code": "server_error"}, "usage": None}
    client = answering(guest, [json.dumps(failed).encode()], kind="application/json", kept=True)
    with Bench(api) as bench:
        client.post("/responses", body={"model": "gpt-4o", "input": "x"}, cast_to=object)
    (record,) = bench.written.records
    assert (record.state, record.billable, record.error_type) == (State.FLAGGED, Billable.MAYBE, "server_error")


def test_a_long_event_is_not_searched_again_with_each_chunk(
    api: StandIn, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []
    real = EventScan.scan

    def scan(self: EventScan, data: bytes) -> tuple[bytes, bytes]:
        searched.append(len(data))
        return real(self, data)

    monkeypatch.setattr(EventScan, "scan", scan)
    body = WORD + event([{"index": 0, "delta": {"content": "a" * 1_000_000}}]) + USAGE + DONE
    pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]
    with Bench(api) as bench:
        assert choices_told(answering(guest, pieces, kept=False), guest) == [1, 1]
    assert [record.state for record in bench.written.records] == [State.MEASURED]
    assert sum(searched) < 3 * len(body)
