"""Applications that do odd things with their clients."""

import asyncio
import contextvars
import json
import multiprocessing
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import openai
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from tests.wire.bench import Bench
from tests.wire.guest import HTTP, KEY, Guest, Sdk, at_once

if TYPE_CHECKING:
    import httpx2 as httpx
else:
    httpx = HTTP

from tallyspan.books.record import State
from tallyspan.demo import StandIn
from tallyspan.instrumentor import TallyspanInstrumentor
from tallyspan.wire.closing import Closing
from tallyspan.wire.policy import AZURE, OTHER


@pytest.fixture
def guest(api: StandIn) -> Iterator[Guest]:
    one = Guest(api, "odd", is_async=False)
    yield one
    at_once(one.leave())


def test_the_callers_own_request_id_stays(api: StandIn, guest: Guest) -> None:
    before = len(api.ledger)
    with Bench(api) as bench:
        guest.client.chat.completions.create(**guest.ask, extra_headers={"X-Client-Request-Id": "mine"})
    assert [row.client_request_id for row in api.ledger[before:]] == ["mine"]
    assert [record.client_request_id_sent for record in bench.written.records] == [False]


@pytest.mark.parametrize(
    ("root", "provider", "asked"),
    [
        ("https://api.groq.com/openai/v1", OTHER, False),
        ("https://mine.openai.azure.com/openai/v1", AZURE, True),
        ("https://mine.azure-api.net/x/openai/v1", AZURE, True),
    ],
)
def test_nothing_is_asked_of_hosts_that_only_look_like_azure(
    api: StandIn, guest: Guest, root: str, provider: str, *, asked: bool
) -> None:
    bodies: list[Sdk] = []

    def answer(request: Sdk) -> Sdk:
        bodies.append(json.loads(request.content))
        return HTTP.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: [DONE]\n\n")

    client = guest.another(base_url=root, http_client=HTTP.Client(transport=HTTP.MockTransport(answer)))
    with Bench(api) as bench:
        list(client.chat.completions.create(**guest.ask, stream=True))
    assert ["stream_options" in body for body in bodies] == [asked]
    assert [start.provider for start in bench.written.starts] == [provider]


def test_a_whole_url_is_known_by_its_end(api: StandIn, guest: Guest) -> None:
    whole = f"{api.azure_endpoint}/openai/v1/chat/completions"
    with Bench(api) as bench:
        guest.client.post(whole, body=guest.ask, cast_to=object)
    assert [record.state for record in bench.written.records] == [State.MEASURED]


def test_a_path_tells_of_nobody(api: StandIn, guest: Guest) -> None:
    with Bench(api) as bench:
        guest.client.post("/people/alice@example.com/notes", body={}, cast_to=object)
    assert [record.endpoint for record in bench.written.records] == ["/people/{id}/notes"]


def test_two_requests_side_by_side_are_two_attempts(api: StandIn) -> None:
    class Hedging(httpx.AsyncClient):
        async def send(self, request: Sdk, **options: Sdk) -> Sdk:
            again = self.build_request(request.method, request.url, content=request.content, headers=request.headers)
            first, _second = await asyncio.gather(super().send(request, **options), super().send(again, **options))
            return first

    async def work() -> None:
        guest = Guest(api, "hedged", is_async=True)
        await guest.another(http_client=Hedging()).chat.completions.create(**guest.ask)
        await guest.leave()

    before = len(api.ledger)
    with Bench(api) as bench:
        asyncio.run(work())
    booked = {row.client_request_id for row in api.ledger[before:]}
    assert len(booked) == 2
    assert {record.record_id for record in bench.written.records} == booked


def test_a_request_of_nobody_whose_coroutine_is_closed_ends_its_call(api: StandIn) -> None:
    class Never(HTTP.AsyncBaseTransport):  # type: ignore[misc,unused-ignore]
        async def handle_async_request(self, _request: Sdk) -> Sdk:
            await asyncio.sleep(0)

    async def work() -> None:
        client = HTTP.AsyncClient(transport=Never())
        request = client.build_request("POST", f"{api.base_url}/chat/completions", json={"model": "gpt-4o-mini"})
        sending = client.send(request)
        contextvars.copy_context().run(sending.send, None)
        sending.close()

    with Bench(api) as bench:
        asyncio.run(work())
    assert not bench.faults
    assert [end.call_id for end in bench.written.ends] == [start.call_id for start in bench.written.starts]
    assert len(bench.written.records) == 1


def test_a_cancelled_reader_is_not_kept_by_held_bytes(api: StandIn) -> None:
    class Stalling(HTTP.AsyncByteStream):  # type: ignore[misc,unused-ignore]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b'data: {"choices":[]}\n\ndata: {"half'
            await asyncio.sleep(30)

    def answer(_request: Sdk) -> Sdk:
        return HTTP.Response(200, headers={"content-type": "text/event-stream"}, stream=Stalling())

    async def work() -> list[bytes]:
        guest = Guest(api, "cancelled", is_async=True)
        client = guest.another(http_client=HTTP.AsyncClient(transport=HTTP.MockTransport(answer)))
        got: list[bytes] = []

        begun = asyncio.Event()

        async def read() -> None:
            streaming = client.chat.completions.with_streaming_response.create(**guest.ask, stream=True)
            async with streaming as response:
                async for piece in response.iter_bytes():
                    got.append(piece)
                    begun.set()

        reading = asyncio.create_task(read())
        await begun.wait()
        await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.wait([reading])
        await guest.leave()
        return got

    with Bench(api):
        assert len(asyncio.run(work())) == 1


def test_one_thread_however_many_calls_begin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[threading.Thread] = []
    real = threading.Thread.__init__

    def slowly(self: threading.Thread, *args: Sdk, **kwargs: Sdk) -> None:
        if kwargs.get("name") == "tallyspan":
            time.sleep(0.01)
            made.append(self)
        real(self, *args, **kwargs)

    closing = Closing(lambda step: step(), lambda: None, lambda: None)
    starters = [threading.Thread(target=closing.start) for _ in range(4)]
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "__init__", slowly)
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join()
    closing.stop()
    assert len(made) == 1


def test_a_forked_child_leaves_its_parents_stream_to_the_parent(
    api: StandIn, guest: Guest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSPAN_SPOOL", str(tmp_path))
    monkeypatch.setenv("TALLYSPAN_HOSTS", api.host)
    plugin = TallyspanInstrumentor()
    plugin.instrument(skip_dep_check=True)
    try:
        stream = guest.client.chat.completions.create(**guest.ask, stream=True)
        next(iter(stream))
        child = os.fork()
        if not child:
            stream.close()
            plugin.flush()
            os._exit(0)
        os.waitpid(child, 0)
        stream.close()
        plugin.flush()
    finally:
        plugin.uninstrument()
    lines = [line for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert sum('"stringValue":"result"' in line for line in lines) == 1


def leave_a_stream(base_url: str) -> None:
    """Work of a process of `multiprocessing`: its last deed is a stream that it leaves."""
    client = openai.OpenAI(api_key=KEY, base_url=base_url)
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "a"}], stream=True
    )
    next(iter(stream))
    stream.close()


def test_a_worker_writes_its_last_end(api: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSPAN_SPOOL", str(tmp_path))
    monkeypatch.setenv("TALLYSPAN_HOSTS", api.host)
    plugin = TallyspanInstrumentor()
    plugin.instrument(skip_dep_check=True)
    try:
        worker = multiprocessing.get_context("fork").Process(target=leave_a_stream, args=(api.base_url,))
        worker.start()
        worker.join()
    finally:
        plugin.uninstrument()
    (books,) = (file.read_text() for file in tmp_path.iterdir())
    assert "closed_early" in books
    assert '"stringValue":"end"' in books


def test_switched_on_again_the_counters_go_on(api: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSPAN_SPOOL", str(tmp_path))
    monkeypatch.setenv("TALLYSPAN_HOSTS", api.host)
    reader = InMemoryMetricReader()
    guest = Guest(api, "again", is_async=False)
    plugin = TallyspanInstrumentor()
    meters = MeterProvider([reader])
    for _ in range(2):
        plugin.instrument(meter_provider=meters, skip_dep_check=True)
        guest.client.chat.completions.create(**guest.ask)
        plugin.uninstrument()
    at_once(guest.leave())
    told: Sdk = reader.get_metrics_data()
    points = {
        metric.name: [point.value for point in metric.data.data_points]
        for scope in told.resource_metrics[0].scope_metrics
        for metric in scope.metrics
        if metric.name == "tallyspan.attempts"
    }
    assert points == {"tallyspan.attempts": [2]}
