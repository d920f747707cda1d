"""Shapes of call, and what the application gets from each: the same whoever else watches."""

import gc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeAlias

from tests.wire.guest import Guest, Sdk

Told: TypeAlias = Callable[[Guest], Coroutine[object, object, object]]
"""What an application does with its client; returns what it was given, as JSON values."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """
    One row.

    Attributes:
        plan: What the stand-in does to the attempts, in order.
        needs: The attribute of a client without which the installed SDK does not have the shape.
    """

    name: str
    body: Told
    plan: tuple[str, ...] = ()
    needs: str = "chat"
    modes: tuple[str, ...] = ("sync", "async")

    def fits(self, guest: Guest, mode: str) -> bool:
        """Whether it is for this mode, and the installed SDK has it."""
        return mode in self.modes and hasattr(guest.client, self.needs)


async def chat(guest: Guest) -> object:
    return (await guest.create()).to_dict()


async def impatient(guest: Guest) -> object:
    return (await guest.create(timeout=0.25)).to_dict()


async def with_options(guest: Guest) -> object:
    client = guest.client.with_options(max_retries=0)
    return (await guest.get(client.chat.completions.create(**guest.ask))).to_dict()


async def post(guest: Guest) -> object:
    return await guest.get(guest.client.post("/chat/completions", body=dict(guest.ask), cast_to=object))


async def raw(guest: Guest) -> object:
    answer = await guest.get(guest.client.chat.completions.with_raw_response.create(**guest.ask))
    return [answer.status_code, answer.parse().to_dict()]


async def raw_stream(guest: Guest) -> object:
    answer = await guest.get(guest.client.chat.completions.with_raw_response.create(**guest.ask, stream=True))
    return [chunk.to_dict() for chunk in await guest.drain(answer.parse())]


async def lines(guest: Guest) -> object:
    told = guest.client.chat.completions.with_streaming_response.create(**guest.ask)
    async with guest.held(told) as answer:
        return len(await guest.drain(answer.iter_lines()))


async def stream(guest: Guest) -> object:
    return [chunk.to_dict() for chunk in await guest.drain(guest.create(stream=True))]


async def asked(guest: Guest) -> object:
    options = {"include_usage": True}
    return [chunk.to_dict() for chunk in await guest.drain(guest.create(stream=True, stream_options=options))]


async def closed(guest: Guest) -> object:
    begun = await guest.create(stream=True)
    first = await _first(guest, begun)
    await guest.get(begun.close())
    return first


async def left(guest: Guest) -> object:
    begun = await guest.create(stream=True)
    first = await _first(guest, begun)
    del begun
    gc.collect()
    return first


async def _first(guest: Guest, begun: Sdk) -> object:
    chunk = await anext(aiter(begun)) if guest.is_async else next(iter(begun))
    return chunk.to_dict()


async def respond(guest: Guest) -> object:
    return (await guest.get(guest.client.responses.create(model="gpt-4o-mini", input=guest.prompt))).to_dict()


async def respond_stream(guest: Guest) -> object:
    begun = guest.client.responses.create(model="gpt-4o-mini", input=guest.prompt, stream=True)
    return [event.to_dict() for event in await guest.drain(begun)]


async def embed(guest: Guest) -> object:
    ask = {"model": "text-embedding-3-small", "input": guest.prompt}
    return (await guest.get(guest.client.embeddings.create(**ask))).to_dict()


FEW = (Shape(name="chat", body=chat), Shape(name="stream", body=stream))
"""Asked again after one of the two was switched off."""

SHAPES = (
    *FEW,
    Shape(name="with options", body=with_options),
    Shape(name="client.post", body=post),
    Shape(name="raw", body=raw),
    Shape(name="raw stream", body=raw_stream),
    Shape(name="lines", body=lines),
    Shape(name="stream, asked", body=asked),
    Shape(name="stream, closed", body=closed, plan=("hold",)),
    # An async one may live until its event loop ends, whoever watches.
    Shape(name="stream, left", body=left, plan=("hold",), modes=("sync",)),
    Shape(name="stream, cut", body=stream, plan=("cut",)),
    Shape(name="429, then ok", body=chat, plan=("429", "ok")),
    Shape(name="429 of a stream, then ok", body=stream, plan=("429", "ok")),
    Shape(name="time-out, then ok", body=impatient, plan=("timeout", "ok")),
    Shape(name="drop, then ok", body=chat, plan=("drop", "ok")),
    Shape(name="500 three times", body=chat, plan=("500",) * 3),
    Shape(name="400", body=chat, plan=("400",)),
    Shape(name="responses", body=respond, needs="responses"),
    Shape(name="responses, stream", body=respond_stream, needs="responses"),
    Shape(name="embeddings", body=embed, needs="embeddings"),
)
