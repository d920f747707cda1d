"""A program that ends streams where nothing may be written: run by test_hang.py, with a watchdog.

Its sink takes a lock that is not re-entrant, as the SDK of OpenTelemetry and the handlers of logging do. The main
thread holds that lock while a stream ends by the way that the first argument names. With a second argument `inline`,
ends are written where they happen: that program can never end, and the watchdog kills it.
"""

import asyncio
import faulthandler
import gc
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.wire.bench import Bench, Written
from tests.wire.guest import HTTP, Guest, Sdk

from tallyspan.books.record import UsageRecord
from tallyspan.demo import StandIn
from tallyspan.wire.closing import Step

if TYPE_CHECKING:
    import httpx2 as httpx
else:
    httpx = HTTP

PATIENCE = 2
"""Seconds, of which the end needs milliseconds."""


class Locked(Written):
    """A sink behind a lock."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def attempt_ended(self, record: UsageRecord) -> None:
        with self.lock:
            super().attempt_ended(record)


def begun(guest: Guest) -> Sdk:
    stream = guest.client.chat.completions.create(**guest.ask, stream=True)
    next(stream)
    return stream


def collected(guest: Guest) -> Callable[[], object]:
    """A stream in a cycle, found by the collector."""
    held: list[object] = [begun(guest)]
    held.append(held)
    return gc.collect


def forgotten(guest: Guest) -> Callable[[], object]:
    """A body whose last reference goes: its generator exits."""
    answer = guest.client.chat.completions.with_streaming_response.create(**guest.ask, stream=True).__enter__()
    lines = [answer.iter_lines()]
    next(lines[0])
    return lines.clear


def closed(guest: Guest) -> Callable[[], object]:
    stream = begun(guest)

    def end() -> None:
        stream.close()

    return end


def left_waiting(guest: Guest) -> Callable[[], object]:
    """A call that waits for its answer, and whose coroutine is closed under it."""
    loop = asyncio.new_event_loop()
    sent = asyncio.Event()

    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: Sdk) -> Sdk:
            sent.set()
            await asyncio.Event().wait()
            raise AssertionError(request)

    asking = Guest(guest.api, "nobody answers", is_async=True)
    asking.client = asking.another(http_client=httpx.AsyncClient(transport=Silent()))
    work = asking.create()
    task = loop.create_task(work)
    loop.run_until_complete(sent.wait())

    def end() -> None:
        work.close()
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.run_until_complete(asking.leave())
        loop.close()

    return end


WAYS = {way.__name__: way for way in (collected, forgotten, closed, left_waiting)}


def main(way: str, *, inline: bool) -> None:
    """Run; after some seconds the watchdog says on stderr where everybody hangs, and exits with 1."""
    gc.disable()
    with StandIn() as api, Bench(api) as bench:
        sink = Locked()
        bench.recorder.sink = bench.written = sink
        if inline:

            def at_once(step: Step) -> None:
                step()

            bench.closing.put = at_once  # type: ignore[method-assign]
        api.plan("hold")
        guest = Guest(api, "hang", is_async=False)
        end = WAYS[way](guest)
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        with sink.lock:
            end()
        faulthandler.cancel_dump_traceback_later()
        del end
        guest.client.close()
        bench.settle()
        reasons = [str(record.reason) for record in sink.records]
        sys.stdout.write(" ".join([*reasons, str(len(sink.ends)), *bench.faults]))


if __name__ == "__main__":
    main(sys.argv[1], inline="inline" in sys.argv)
