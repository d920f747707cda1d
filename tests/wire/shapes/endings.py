"""How an application leaves a call or a stream, in good order and in bad."""

import asyncio
import gc
import threading
from collections.abc import Callable

from tests.wire.guest import Guest, Sdk
from tests.wire.shape import Shape

EARLY = ("closed_early maybe",)
CANCELLED = ("cancelled maybe",)

HELD = ("hold",)
"""The server waits in mid-stream until the client leaves: else the whole answer might be read before anybody leaves."""


class StumbleError(Exception):
    """An exception of the application's own."""


async def _stream(guest: Guest) -> Sdk:
    return await guest.create(stream=True)


async def closed(guest: Guest) -> None:
    stream = await _stream(guest)
    async for _ in guest.each(stream):
        break
    await guest.get(stream.close())


async def closed_twice(guest: Guest) -> None:
    stream = await _stream(guest)
    await guest.get(stream.close())
    await guest.get(stream.close())
    await guest.get(stream.response.aclose() if guest.is_async else stream.response.close())


async def managed(guest: Guest) -> None:
    async with guest.held(await _stream(guest)) as stream:
        async for _ in guest.each(stream):
            break


async def drained_and_closed(guest: Guest) -> None:
    async with guest.held(await _stream(guest)) as stream:
        await guest.drain(stream)
    await guest.get(stream.close())


def break_sync(guest: Guest) -> None:
    for _ in guest.client.chat.completions.create(**guest.ask, stream=True):
        break


async def break_async(guest: Guest) -> None:
    async for _ in await guest.client.chat.completions.create(**guest.ask, stream=True):
        break


async def broken_off(guest: Guest) -> None:
    if guest.is_async:
        await break_async(guest)
    else:
        break_sync(guest)
    gc.collect()


def stumble_sync(guest: Guest) -> None:
    for _ in guest.client.chat.completions.create(**guest.ask, stream=True):
        raise StumbleError


async def stumble_async(guest: Guest) -> None:
    async for _ in await guest.client.chat.completions.create(**guest.ask, stream=True):
        raise StumbleError


async def stumbled(guest: Guest) -> None:
    if guest.is_async:
        await stumble_async(guest)
    else:
        stumble_sync(guest)


async def stumbled_in_manager(guest: Guest) -> None:
    async with guest.held(await _stream(guest)) as stream:
        async for _ in guest.each(stream):
            raise StumbleError


async def begun_and_dropped(guest: Guest) -> None:
    stream = await _stream(guest)
    if guest.is_async:
        await anext(stream)
    else:
        next(stream)
    del stream
    gc.collect()


async def never_iterated(guest: Guest) -> None:
    await _stream(guest)
    gc.collect()


async def kept_in_cycle(guest: Guest) -> None:
    held: dict[str, object] = {"stream": await _stream(guest)}
    held["self"] = held


def _in_thread(work: Callable[[], object]) -> None:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert failed == []


async def other_thread(guest: Guest) -> None:
    stream = await _stream(guest)
    _in_thread(lambda: list(stream))


async def closed_in_thread(guest: Guest) -> None:
    stream = await _stream(guest)
    next(stream)
    _in_thread(stream.close)


async def other_task(guest: Guest) -> None:
    stream = await asyncio.create_task(_stream(guest))
    await asyncio.create_task(guest.drain(stream))


async def closed_in_task(guest: Guest) -> None:
    stream = await asyncio.create_task(_stream(guest))
    await asyncio.create_task(stream.close())


async def _sent(guest: Guest, before: int) -> None:
    while len(guest.api.requests_seen) == before:  # noqa: ASYNC110 - the server has no event of this loop
        await asyncio.sleep(0.005)


async def cancelled(guest: Guest) -> None:
    before = len(guest.api.requests_seen)
    task = asyncio.create_task(guest.create())
    await _sent(guest, before)
    task.cancel()
    await task


async def wait_for(guest: Guest) -> None:
    await asyncio.wait_for(guest.create(), 0.25)


async def cancelled_in_stream(guest: Guest) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in await _stream(guest):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    await task


async def coroutine_dropped(guest: Guest) -> None:
    """A call that waits for its answer, and is collected with the one who waited."""
    before = len(guest.api.requests_seen)
    task = asyncio.create_task(guest.create())
    await _sent(guest, before)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def gathered(guest: Guest) -> None:
    await asyncio.gather(*(guest.create() for _ in range(10)), *(guest.drain(_stream(guest)) for _ in range(10)))


async def threads(guest: Guest) -> None:
    def work() -> None:
        for _ in range(2):
            guest.client.chat.completions.create(**guest.ask)
            list(guest.client.chat.completions.create(**guest.ask, stream=True))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert not any(worker.is_alive() for worker in workers)


async def sequential(guest: Guest) -> None:
    """A context that a finished call left would be seen by the next."""
    await guest.create()
    stream = await _stream(guest)
    await guest.create()
    await guest.drain(stream)
    await guest.create()


SYNC, ASYNC = ("sync",), ("async",)

SHAPES = (
    Shape(name="closed early", body=closed, plan=HELD, expect=EARLY),
    Shape(name="closed twice, unread", body=closed_twice, expect=EARLY),
    Shape(name="left by its manager", body=managed, plan=HELD, expect=EARLY),
    Shape(name="drained, then closed", body=drained_and_closed),
    Shape(name="break", body=broken_off, plan=HELD, expect=EARLY),
    Shape(name="exception in the loop", body=stumbled, plan=HELD, raises="StumbleError", expect=EARLY),
    Shape(name="exception in the manager", body=stumbled_in_manager, plan=HELD, raises="StumbleError", expect=EARLY),
    Shape(name="begun and dropped", body=begun_and_dropped, plan=HELD, expect=EARLY),
    Shape(name="never iterated", body=never_iterated, expect=EARLY),
    Shape(name="kept in a cycle", body=kept_in_cycle, expect=EARLY),
    Shape(name="read in another thread", body=other_thread, modes=SYNC),
    Shape(name="closed in another thread", body=closed_in_thread, plan=HELD, expect=EARLY, modes=SYNC),
    Shape(name="eight threads", body=threads, modes=SYNC, expect=("measured",) * 32, calls=32),
    Shape(name="read in another task", body=other_task, modes=ASYNC),
    Shape(name="closed in another task", body=closed_in_task, expect=EARLY, modes=ASYNC),
    Shape(name="cancelled", body=cancelled, plan=("timeout",), expect=CANCELLED, raises="CancelledError", modes=ASYNC),
    Shape(name="wait_for", body=wait_for, plan=("timeout",), expect=CANCELLED, raises="TimeoutError", modes=ASYNC),
    Shape(
        name="cancelled in mid-stream",
        body=cancelled_in_stream,
        plan=HELD,
        expect=CANCELLED,
        raises="CancelledError",
        modes=ASYNC,
    ),
    Shape(name="gather of twenty", body=gathered, modes=ASYNC, expect=("measured",) * 20, calls=20),
    Shape(name="one after another", body=sequential, expect=("measured",) * 4, calls=4),
)
