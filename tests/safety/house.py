"""The house: an application that calls the API, and all that it, and the provider, can see of its calls."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import re
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import openai

from tallyspan.demo import Request, StandIn

Sdk: TypeAlias = Any
"""Whatever the SDK gives: the types differ between its generations, and these tests run on all of them."""

GENERATION = int(openai.__version__.split(".")[0])
HTTP: Sdk = importlib.import_module("httpx2" if GENERATION >= 3 else "httpx")
"""The http library that this generation is built on."""

KEY = "sk-test-1234567890abcdef"
_NOW = 1_790_000_000
_IDENT = re.compile(r"[0-9a-f]{29,32}")  # the stand-in's ids: each attempt has its own
_LONGEST_WAIT = 5.0
_GENERATORS = 8
"""How deep the SDK nests its generators: an abandoned one lets go of the next only after the loop has closed it."""


class _Hasty:
    """A client that retries at once: the waits between are the SDK's own business."""

    def _calculate_retry_timeout(self, *_args: object, **_kwargs: object) -> float:
        return 0.001


def _hasty(kind: Sdk) -> Sdk:
    return type(kind.__name__, (_Hasty, kind), {})


def _reading(is_async: bool) -> Sdk:  # noqa: FBT001
    async def read_later(response: Sdk) -> None:
        await response.aread()

    def read(response: Sdk) -> None:
        response.read()

    if is_async:
        return HTTP.AsyncClient(event_hooks={"response": [read_later]})
    return HTTP.Client(event_hooks={"response": [read]})


def _answering(is_async: bool) -> Sdk:  # noqa: FBT001
    def answer(_self: Sdk, request: Sdk, **_options: object) -> Sdk:
        return HTTP.Response(200, json={"id": "chatcmpl-deaf", "choices": []}, request=request)

    async def answer_later(self: Sdk, request: Sdk, **options: object) -> Sdk:
        return answer(self, request, **options)

    kind: Sdk = HTTP.AsyncClient if is_async else HTTP.Client
    return type("Deaf", (kind,), {"send": answer_later if is_async else answer})()


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What was seen of one run of a shape; ids are masked, as each attempt has its own.

    Attributes:
        error: Type, message and the cause's type of what the application caught.
        chunks: What the application was given piece by piece; bytes are joined, as the network cuts them at will.
        requests: Method, target, key, headers and body of each, as the provider got them.
        left: Attempts that were planned and did not come.
        stray: Exceptions that reached no caller: in a thread, a finalizer, a task that nobody awaits.
    """

    result: str
    error: tuple[str, str, str | None] | None
    chunks: tuple[str, ...]
    requests: tuple[Request, ...]
    left: int
    stray: tuple[str, ...]


def _masked(value: object) -> str:
    return _IDENT.sub("#", json.dumps(value, default=str, ensure_ascii=False))


def _dumped(value: Sdk) -> object:
    return value.to_dict() if hasattr(value, "to_dict") else value


def _pieces(seen: Iterable[object]) -> Iterator[str]:
    joined = b""
    for piece in seen:
        if isinstance(piece, bytes):
            joined += piece
        else:
            yield _masked(_dumped(piece))
    if joined:
        yield _IDENT.sub("#", joined.decode("latin-1"))


def _error(error: BaseException | None) -> tuple[str, str, str | None] | None:
    if error is None:
        return None
    cause = None if error.__cause__ is None else type(error.__cause__).__qualname__
    return f"{type(error).__module__}.{type(error).__qualname__}", _masked(str(error)), cause


class House:
    """
    One application, sync or async by turns, over one stand-in.

    Attributes:
        seen: Filled by the shape with what the application is given, piece by piece.
    """

    def __init__(self, api: StandIn) -> None:
        api.clock.hold(_NOW)
        self.api = api
        self.is_async = False
        self.seen: list[object] = []
        self.messages = [{"role": "user", "content": "hi"}]
        self.ask: dict[str, object] = {"model": "gpt-4o-mini", "messages": self.messages, "max_tokens": 4}
        self.loop = asyncio.new_event_loop()
        self._clients: dict[tuple[str, bool], Sdk] = {}

    def client(self, name: str, http: Callable[[bool], Sdk] | None = None) -> Sdk:
        """Give the client of a class of the SDK, over the http client that is asked for; made once."""
        key = (f"{name} {http}", self.is_async)
        if key not in self._clients:
            where: dict[str, object] = {"base_url": self.api.base_url}
            if name == "AzureOpenAI":
                where = {"azure_endpoint": self.api.azure_endpoint, "api_version": "2024-10-21"}
            kind: Sdk = getattr(openai, f"Async{name}" if self.is_async else name)
            client = None if http is None else http(self.is_async)
            self._clients[key] = _hasty(kind)(api_key=KEY, http_client=client, **where)
        return self._clients[key]

    @property
    def openai(self) -> Sdk:
        """The usual client."""
        return self.client("OpenAI")

    @property
    def hooked(self) -> Sdk:
        """A client whose http client reads each body in a hook."""
        return self.client("OpenAI", _reading)

    @property
    def deaf(self) -> Sdk:
        """A client whose http client answers by itself."""
        return self.client("OpenAI", _answering)

    @property
    def plain(self) -> Sdk:
        """A client of the http library, with no SDK around it."""
        key = ("", self.is_async)
        if key not in self._clients:
            kind: Sdk = HTTP.AsyncClient if self.is_async else HTTP.Client
            headers = {"authorization": f"Bearer {KEY}"}
            self._clients[key] = kind(base_url=self.api.base_url, headers=headers)
        return self._clients[key]

    async def get(self, value: Sdk) -> Sdk:
        """Wait for what is to be waited for."""
        return await value if inspect.isawaitable(value) else value

    async def read(self, stream: Sdk, most: int | None = None) -> None:
        """Read a stream, at most so many pieces."""
        if self.is_async:
            async for piece in stream:
                self.seen.append(piece)
                if most is not None and len(self.seen) >= most:
                    return
        else:
            for piece in stream:
                self.seen.append(piece)
                if most is not None and len(self.seen) >= most:
                    return

    async def arrived(self, requests: int) -> None:
        """Wait until the provider has got so many requests."""
        until = self.loop.time() + _LONGEST_WAIT
        while len(self.api.requests_seen) < requests and self.loop.time() < until:  # noqa: ASYNC110 - it is in a thread
            await asyncio.sleep(0.001)

    def run(self, shape: Shape) -> Outcome:
        """Run a shape once, and say all that was seen."""
        self.is_async, self.seen = shape.is_async, []
        if shape.plan:
            self.api.plan(*shape.plan)
        before = len(self.api.requests_seen)
        result, error = None, None
        with strays(self.loop) as stray:
            try:
                work = shape.body(self)
                result = self.loop.run_until_complete(work) if shape.is_async else copy_context().run(_at_once, work)
            except Exception as caught:  # noqa: BLE001 - it is compared
                error = caught
            seen = _error(error)
            del error
            self._collect()
        assert self.api.wait_idle(), "the stand-in still answers"
        left = self.api.plans_left
        self._forget_plan()
        result_shown, chunks = _masked(_dumped(result)), tuple(_pieces(self.seen))
        return Outcome(result_shown, seen, chunks, self.api.requests_seen[before:], left, tuple(stray))

    def _forget_plan(self) -> None:
        """Let no run suffer what an earlier one left over."""
        inner(self.api, "_desk", "plan", "_queue").clear()

    def _collect(self) -> None:
        """End what the application left open: no run shall find the litter of another."""
        gc.collect()
        for _ in range(_GENERATORS if self.is_async else 0):
            self.loop.run_until_complete(_idle())
            gc.collect()

    def close(self) -> None:
        """Close clients and loop."""
        for (_name, is_async), client in self._clients.items():
            if is_async:
                self.loop.run_until_complete(client.aclose() if hasattr(client, "aclose") else client.close())
            else:
                client.close()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


Work: TypeAlias = Callable[[House], Coroutine[object, None, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    A way to call.

    Attributes:
        plan: What the stand-in does to the attempts, one script each.
        slow: It waits, so that only the steps of the wire are tried in it.
    """

    name: str
    body: Work
    plan: tuple[str, ...] = ()
    is_async: bool = False
    slow: bool = False


def inner(thing: object, *names: str) -> Sdk:
    """Give what nothing public tells."""
    return reduce(getattr, names, thing)


async def _idle() -> None:
    """Wait until the loop has closed the generators that were collected."""
    for _ in range(100):
        await asyncio.sleep(0)
        if len(asyncio.all_tasks()) == 1:
            await asyncio.sleep(0)
            return


def _at_once(work: Coroutine[object, None, object]) -> object:
    """Run sync work that is written as a coroutine: nothing in it waits."""
    try:
        work.send(None)
    except StopIteration as done:
        returned: object = done.value
        return returned
    work.close()
    message = "a sync shape waited"
    raise AssertionError(message)


@contextmanager
def strays(loop: asyncio.AbstractEventLoop) -> Generator[list[str]]:
    """Note the exceptions that no caller gets."""
    stray: list[str] = []
    hooks = sys.unraisablehook, threading.excepthook
    sys.unraisablehook = lambda lost: stray.append(f"unraisable {lost.exc_value!r}")
    threading.excepthook = lambda lost: stray.append(f"thread {lost.exc_value!r}")
    loop.set_exception_handler(lambda _loop, lost: stray.append(f"loop {lost!r}"))
    try:
        yield stray
    finally:
        sys.unraisablehook, threading.excepthook = hooks
