"""The application that we watch: one face for the sync and the async client of whichever openai is installed.

A shape of call is written once, as a coroutine. In a sync run nothing in it ever waits, so that it runs to its end
without an event loop, just as the plain code of a sync application would.
"""

import importlib
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import reduce
from types import ModuleType
from typing import Any, TypeAlias

import openai

from tallyspan.demo import StandIn

Sdk: TypeAlias = Any
"""Whatever the SDK gives: the types differ between its generations, and these tests run on all of them."""

VERSION = tuple(int(part) for part in openai.__version__.split(".")[:2])
GENERATION = f"{VERSION[0]}.{VERSION[1]}"
KEY = "sk-test-1234567890abcdef"


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


HTTP: Sdk = importlib.import_module("httpx2" if VERSION >= (3, 0) else "httpx")
"""The http library that this generation is built on."""

OTHER_HTTP: Sdk = _module("httpx" if VERSION >= (3, 0) else "httpx2")
"""The other one; None where it is not installed."""


class Guest:
    """One application with one client."""

    def __init__(self, api: StandIn, prompt: str, *, is_async: bool) -> None:
        self.api = api
        self.is_async = is_async
        self.prompt = prompt
        self.messages: list[Mapping[str, object]] = [{"role": "user", "content": prompt}]
        self.ask: Mapping[str, object] = {"model": "gpt-4o-mini", "messages": self.messages}
        self._clients: list[Sdk] = []
        self.client: Sdk = self.another()

    def another(self, cls: str = "OpenAI", **options: object) -> Sdk:
        """Make a further client, of the guest's kind."""
        kind: Sdk = getattr(openai, f"Async{cls}" if self.is_async else cls)
        return self.made(kind, **options)

    def made(self, kind: Sdk, **options: object) -> Sdk:
        """Make a client of a class of one's own."""
        where = {} if "azure_endpoint" in options else {"base_url": self.api.base_url}
        client = kind(**{"api_key": KEY, **where, **options})
        self._clients.append(client)
        return client

    def choose(self, sync: Sdk, asynchronous: Sdk) -> Sdk:
        """Take what fits the guest's kind."""
        return asynchronous if self.is_async else sync

    async def get(self, value: Sdk) -> Sdk:
        """Wait for what is to be waited for."""
        return await value if inspect.isawaitable(value) else value

    async def each(self, stream: Sdk) -> AsyncIterator[Sdk]:
        """Read a stream to its end."""
        if self.is_async:
            async for item in stream:
                yield item
        else:
            for item in stream:
                yield item

    async def drain(self, stream: Sdk) -> list[Sdk]:
        """Read a stream to its end; a coroutine that gives one is waited for first."""
        return [item async for item in self.each(await self.get(stream))]

    @asynccontextmanager
    async def held(self, manager: Sdk) -> AsyncGenerator[Sdk, None]:
        """Enter a context manager of either kind."""
        if self.is_async:
            async with manager as entered:
                yield entered
        else:
            with manager as entered:
                yield entered

    async def create(self, **more: object) -> Sdk:
        """Ask for a chat completion."""
        return await self.get(self.client.chat.completions.create(**{**self.ask, **more}))

    async def leave(self) -> None:
        """Close the clients."""
        for client in self._clients:
            await self.get(client.close())


Body: TypeAlias = Callable[[Guest], Coroutine[object, object, object]]


def at_once(work: Coroutine[object, object, Sdk]) -> Sdk:
    """Run sync work that is written as a coroutine."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    message = "a sync shape waited"
    raise AssertionError(message)


def has(dotted: str, *, takes: str | None = None) -> Callable[[], bool]:
    """Make a probe: does a client have this attribute, and does that take a parameter of this name."""

    def probe() -> bool:
        client: Sdk = openai.OpenAI(api_key=KEY)
        found: Sdk = reduce(lambda node, name: getattr(node, name, None), dotted.split("."), client)
        client.close()
        return found is not None and (takes is None or takes in inspect.signature(found).parameters)

    return probe
