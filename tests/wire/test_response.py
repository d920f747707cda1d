"""What the application holds in its hands stays what it was."""

import asyncio
import copy
import pickle
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.wire.bench import Bench
from tests.wire.guest import HTTP, Guest, Sdk, at_once

if TYPE_CHECKING:
    import httpx2 as httpx
else:
    httpx = HTTP

from tallyspan.demo import StandIn
from tallyspan.wire.policy import StreamUsage


@pytest.fixture
def guest(api: StandIn) -> Iterator[Guest]:
    one = Guest(api, "in hand", is_async=False)
    yield one
    at_once(one.leave())


def opened(guest: Guest) -> Sdk:
    return guest.client.chat.completions.create(**guest.ask, stream=True)


def test_a_whole_answer_is_never_touched(api: StandIn, guest: Guest) -> None:
    with Bench(api):
        raw = guest.client.chat.completions.with_raw_response.create(**guest.ask)
    assert type(raw.http_response) is HTTP.Response
    assert "trace" not in raw.http_response.request.extensions


def test_a_watched_response_is_a_response_and_turns_back_at_its_end(api: StandIn, guest: Guest) -> None:
    with Bench(api):
        stream = opened(guest)
        response = stream.response
        assert isinstance(response, HTTP.Response)
        assert type(response) is not HTTP.Response
        assert type(response).__name__ == "Response"
        assert repr(response) == "<Response [200 OK]>"
        assert "trace" not in response.request.extensions
        list(stream)
        stream.close()
        assert type(response) is HTTP.Response
        assert not any("tallyspan" in key for key in response.extensions)


def pickled(response: Sdk) -> Sdk:
    return pickle.loads(pickle.dumps(response))  # noqa: S301 - our own


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_is_of_the_real_class(api: StandIn, guest: Guest, duplicate: Sdk) -> None:
    bare = opened(guest)
    list(bare)
    duplicate(bare.response)
    with Bench(api) as bench:
        stream = opened(guest)
        list(stream)
        stream.close()
        twin = duplicate(stream.response)
        assert type(twin) is HTTP.Response
        unread = opened(guest)
        twin = duplicate(unread.response)
        assert type(twin) is HTTP.Response
        assert twin.headers["x-request-id"] == unread.response.headers["x-request-id"]
        assert len(list(unread)) == len(list(opened(guest)))
    assert bench.faults == []
    assert [str(record.state) for record in bench.written.records] == ["measured"] * 3


def test_a_copy_in_mid_stream_takes_nothing_from_the_original(api: StandIn, guest: Guest) -> None:
    with Bench(api) as bench:
        stream = opened(guest)
        chunks = [next(stream).choices]
        copy.copy(stream.response)
        chunks += [chunk.choices for chunk in stream]
        assert chunks == [chunk.choices for chunk in opened(guest)]
    assert bench.faults == []
    assert [str(record.state) for record in bench.written.records] == ["measured"] * 2


def heard_by(api: StandIn, *, is_async: bool) -> list[str]:
    """Names of the trace events that an application's own callback hears."""
    heard: list[str] = []

    def listen(name: str, _told: object) -> None:
        heard.append(name)

    async def listen_async(name: str, _told: object) -> None:
        heard.append(name)

    class Listening(httpx.Client):
        def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            request.extensions = {**request.extensions, "trace": listen}
            return super().send(request, **kwargs)

    class AsyncListening(httpx.AsyncClient):
        async def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            request.extensions = {**request.extensions, "trace": listen_async}
            return await super().send(request, **kwargs)

    async def talk() -> None:
        guest = Guest(api, "listening", is_async=is_async)
        client = guest.another(http_client=guest.choose(Listening, AsyncListening)())
        await guest.get(client.chat.completions.create(**guest.ask))
        await guest.drain(client.chat.completions.create(**guest.ask, stream=True))
        await guest.leave()

    if is_async:
        asyncio.run(talk())
    else:
        at_once(talk())
    return heard


@pytest.mark.parametrize("is_async", [False, True])
def test_the_applications_own_trace_hears_what_it_always_heard(api: StandIn, *, is_async: bool) -> None:
    bare = heard_by(api, is_async=is_async)
    with Bench(api) as bench:
        assert heard_by(api, is_async=is_async) == bare != []
    assert bench.faults == []
    assert [str(record.state) for record in bench.written.records] == ["measured"] * 2


def test_a_trace_that_raises_breaks_the_call_as_it_did_before(api: StandIn) -> None:
    def angry(_name: str, _told: object) -> None:
        raise LookupError

    class Angry(httpx.Client):
        def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            request.extensions = {"trace": angry}
            return super().send(request, **kwargs)

    def outcome() -> tuple[str, int]:
        guest = Guest(api, "angry", is_async=False)
        before = len(api.requests_seen)
        client = guest.another(http_client=Angry(), max_retries=0)
        try:
            client.chat.completions.create(**guest.ask)
        except Exception as error:  # noqa: BLE001 - compared
            return type(error).__name__, len(api.requests_seen) - before
        finally:
            at_once(guest.leave())
        return "", len(api.requests_seen) - before

    bare = outcome()
    with Bench(api) as bench:
        assert outcome() == bare
    assert bench.faults == []
    assert len(bench.written.records) == len(bench.written.ends) == 1


def bytes_seen(guest: Guest) -> bytes:
    answer = guest.client.chat.completions.with_streaming_response.create(**guest.ask, stream=True)
    with answer as response:
        return b"".join(response.iter_bytes())


@pytest.mark.parametrize("script", ["ok", "split", "crlf", "gzip", "ping", "crlf+split:1"])
def test_with_asking_off_every_byte_is_the_same(api: StandIn, guest: Guest, script: str) -> None:
    api.plan(script, script)
    bare = bytes_seen(guest)
    with Bench(api, stream_usage=StreamUsage.OFF):
        watched = bytes_seen(guest)
    assert [same(line) for line in watched.split(b"\n")] == [same(line) for line in bare.split(b"\n")]


def same(line: bytes) -> bytes:
    """Leave out what differs between two answers of the stand-in: the id and the second."""
    head, found, tail = line.partition(b'"id":"')
    return head + found + tail.partition(b'"')[2].partition(b'"created":')[0] + line[-200:].partition(b'"model"')[2]


def test_the_callers_own_options_are_not_changed(api: StandIn, guest: Guest) -> None:
    options = {"include_obfuscation": True}
    extra: dict[str, object] = {"stream_options": options}
    with Bench(api):
        list(guest.client.chat.completions.create(**guest.ask, stream=True, extra_body=extra))
    assert options == {"include_obfuscation": True}
    assert extra == {"stream_options": options}
