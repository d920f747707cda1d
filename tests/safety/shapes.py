"""The shapes of call in which every step is tried, sync and async."""

from __future__ import annotations

import asyncio
import copy
import zlib
from collections.abc import AsyncIterator, Iterator

import openai
from pydantic import BaseModel
from tests.safety.house import GENERATION, House, Sdk, Shape, Work


class Greeting(BaseModel):
    word: str


async def _chat(house: House) -> object:
    return await house.get(house.openai.chat.completions.create(**house.ask))


async def _stream_of(house: House, client: str = "OpenAI", **more: object) -> Sdk:
    return await house.get(house.client(client).chat.completions.create(**house.ask, stream=True, **more))


async def _stream(house: House) -> None:
    await house.read(await _stream_of(house))


async def _asked(house: House) -> None:
    await house.read(await _stream_of(house, stream_options={"include_usage": True}))


async def _closed(house: House) -> None:
    stream = await _stream_of(house)
    await house.read(stream, 2)
    await house.get(stream.close())


async def _dropped(house: House) -> None:
    await house.read(await _stream_of(house), 2)


async def _copied(house: House) -> None:
    stream = await _stream_of(house)
    house.seen.append(str(copy.copy(stream.response)))
    await house.read(stream)


async def _unbounded(house: House) -> None:
    """Left early with no limit of the request's own: the model's is looked up."""
    ask = {name: value for name, value in house.ask.items() if name != "max_tokens"}
    stream = await house.get(house.openai.chat.completions.create(**ask, stream=True))
    await house.read(stream, 2)
    await house.get(stream.close())


async def _read_by_hook(house: House) -> None:
    """A hook of the application's own http client reads the whole body before anybody is given the response."""
    await house.read(await house.get(house.hooked.chat.completions.create(**house.ask, stream=True)))


async def _unobserved(house: House) -> object:
    """The application's own http client sends in a way of its own."""
    return await house.get(house.deaf.chat.completions.create(**house.ask))


async def _completion(house: House) -> object:
    ask = {"model": "gpt-3.5-turbo-instruct", "prompt": ["hi", "there"], "max_tokens": 4}
    return await house.get(house.openai.completions.create(**ask))


async def _quick_timeout(house: House) -> object:
    quick = house.openai.with_options(timeout=0.2)
    return await house.get(quick.chat.completions.create(**house.ask))


async def _impatient(house: House) -> object:
    impatient = house.openai.with_options(timeout=0.1, max_retries=0)
    return await house.get(impatient.chat.completions.create(**house.ask))


async def _lines(house: House) -> None:
    manager = house.openai.chat.completions.with_streaming_response.create(**house.ask, stream=True)
    if house.is_async:
        async with manager as response:
            await house.read(response.iter_lines())
    else:
        with manager as response:
            await house.read(response.iter_lines())


async def _raw_bytes(house: House) -> None:
    async for piece in _body(house, house.plain, "iter_raw", {"stream": True}):
        house.seen.append(piece)


async def _inflated(house: House) -> None:
    """The bytes on the wire differ by the ids in them; what they unpack to is the same."""
    unpack = zlib.decompressobj(31)
    async for piece in _body(house, house.plain, "iter_raw", {"stream": True}):
        house.seen.append(unpack.decompress(piece))
    house.seen.append(unpack.flush())


async def _document(house: House) -> None:
    async for piece in _body(house, house.plain, "iter_bytes", {}):
        house.seen.append(piece)


async def _body(house: House, http: Sdk, how: str, more: dict[str, object]) -> AsyncIterator[bytes]:
    manager: Sdk = http.stream("POST", "/chat/completions", json={**house.ask, **more})
    if house.is_async:
        async with manager as response:
            async for piece in getattr(response, f"a{how}")():
                yield piece
    else:
        with manager as response:
            for piece in getattr(response, how)():
                yield piece


async def _raw(house: House) -> object:
    raw = await house.get(house.openai.chat.completions.with_raw_response.create(**house.ask))
    house.seen.append(raw.retries_taken if hasattr(raw, "retries_taken") else 0)
    return await house.get(raw.parse())


async def _parse(house: House) -> object:
    completions = house.openai.beta.chat.completions if GENERATION == 1 else house.openai.chat.completions
    ask = {**house.ask, "model": "gpt-4o-mini-2024-07-18", "max_tokens": 400}
    answer = await house.get(completions.parse(**ask, response_format=Greeting))
    return answer.choices[0].message.parsed.word, answer.usage.to_dict()


async def _response(house: House) -> object:
    return await house.get(house.openai.responses.create(model="gpt-4o-mini", input="hi", max_output_tokens=16))


async def _response_stream(house: House) -> None:
    ask = {"model": "gpt-4o-mini", "input": "hi", "max_output_tokens": 16}
    await house.read(await house.get(house.openai.responses.create(**ask, stream=True)))


async def _embedding(house: House) -> object:
    return await house.get(house.openai.embeddings.create(model="text-embedding-3-small", input="hi", dimensions=2))


async def _azure(house: House) -> None:
    await house.read(await _stream_of(house, "AzureOpenAI"))


async def _unknown(house: House) -> object:
    return await house.get(house.openai.post("/frobnicate", body=house.ask, cast_to=object))


async def _free(house: House) -> object:
    return await house.get(house.openai.models.list())


async def _plain(house: House) -> object:
    response = await house.get(house.plain.post("/chat/completions", json=house.ask))
    house.seen.append(response.content)
    return response.status_code


async def _traced(house: House) -> object:
    heard: list[str] = []

    async def listen(name: str, _event: object) -> None:
        heard.append(name)

    def listen_at_once(name: str, _event: object) -> None:
        heard.append(name)

    request = house.plain.build_request("POST", "/chat/completions", json=house.ask)
    request.extensions["trace"] = listen if house.is_async else listen_at_once
    response = await house.get(house.plain.send(request))
    house.seen.extend(name for name in heard if name.startswith("http11."))
    return response.status_code


async def _cancelled(house: House) -> str:
    before = len(house.api.requests_seen)
    task = asyncio.ensure_future(_chat(house))
    await house.arrived(before + 1)
    task.cancel()
    return await _end_of(task)


async def _cancelled_stream(house: House) -> str:
    task = asyncio.ensure_future(_stream(house))
    while len(house.seen) < 2 and not task.done():  # noqa: ASYNC110 - the application has no event to wait for
        await asyncio.sleep(0.001)
    task.cancel()
    return await _end_of(task)


async def _end_of(task: asyncio.Future[Sdk]) -> str:
    try:
        await task
    except asyncio.CancelledError:
        return "cancelled"
    return "returned"


_BOTH: tuple[tuple[str, Work, tuple[str, ...]], ...] = (
    ("chat", _chat, ()),
    ("stream", _stream, ()),
    ("stream asked", _asked, ()),
    ("stream closed", _closed, ()),
    ("stream dropped", _dropped, ()),
    ("stream unbounded", _unbounded, ()),
    ("stream read by a hook", _read_by_hook, ()),
    ("unobserved", _unobserved, ()),
    ("completion", _completion, ()),
    ("stream split", _stream, ("split:7+crlf",)),
    ("stream gzip", _stream, ("gzip+split:50",)),
    ("stream cut", _stream, ("cut:3",)),
    ("stream error", _stream, ("error-event:3",)),
    ("stream bad json", _stream, ("bad-json:2",)),
    ("lines", _lines, ()),
    ("lines split", _lines, ("split:7",)),
    ("lines cut", _lines, ("split:7+cut:3",)),
    ("raw bytes", _raw_bytes, ("split:9",)),
    ("raw gzip", _inflated, ("gzip",)),
    ("document", _document, ()),
    ("429", _chat, ("429", "ok")),
    ("500", _chat, ("500", "500", "500")),
    ("400", _chat, ("400",)),
    ("lost", _chat, ("drop", "ok")),
    ("lost body", _chat, ("drop-body", "ok")),
    ("timeout", _impatient, ("timeout",)),
    ("timeout retried", _quick_timeout, ("timeout", "ok")),
    ("redirect", _chat, ("redirect",)),
    ("no usage", _chat, ("no-usage",)),
    ("raw", _raw, ()),
    ("parse", _parse, ()),
    ("embedding", _embedding, ()),
    ("azure", _azure, ()),
    ("unknown", _unknown, ()),
    ("free", _free, ()),
    ("plain", _plain, ()),
    ("traced", _traced, ()),
)
_RESPONSES: tuple[tuple[str, Work, tuple[str, ...]], ...] = (
    ("response", _response, ()),
    ("response stream", _response_stream, ()),
)


_SLOW = {"timeout", "timeout retried"}


def _shapes() -> Iterator[Shape]:
    rows = _BOTH + (_RESPONSES if hasattr(openai.OpenAI, "responses") else ())
    for is_async in (False, True):
        for name, body, plan in rows:
            label = f"async {name}" if is_async else name
            yield Shape(name=label, body=body, plan=plan, is_async=is_async, slow=name in _SLOW)
    yield Shape(name="stream copied", body=_copied)
    yield Shape(name="async cancelled", body=_cancelled, plan=("timeout",), is_async=True)
    yield Shape(name="async stream cancelled", body=_cancelled_stream, plan=("hold:2",), is_async=True)


SHAPES = tuple(_shapes())
