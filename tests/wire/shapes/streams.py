"""Chat completions that are streamed, and what asks for their usage."""

import gzip

import openai
from openai.types.chat import ChatCompletionChunk
from tests.wire.guest import Guest, Sdk, has
from tests.wire.shape import Shape


def _told(chunks: list[Sdk]) -> list[Sdk]:
    return [chunk for chunk in chunks if getattr(chunk, "usage", None)]


async def injected(guest: Guest) -> None:
    chunks = await guest.drain(guest.create(stream=True))
    assert _told(chunks) == []
    assert all(chunk.choices for chunk in chunks), "the event that we asked for is ours alone"
    assert chunks[-1].choices[0].finish_reason == "stop"


async def many(guest: Guest) -> None:
    assert _told(await guest.drain(guest.create(stream=True, n=3))) == []


async def asked(guest: Guest) -> None:
    chunks = await guest.drain(guest.create(stream=True, stream_options={"include_usage": True}))
    assert len(_told(chunks)) == 1
    assert chunks[-1].choices == []


async def merged(guest: Guest) -> None:
    chunks = await guest.drain(guest.create(stream=True, stream_options={"include_obfuscation": True}))
    assert all(chunk.obfuscation for chunk in chunks)
    assert _told(chunks) == []


async def refused(guest: Guest) -> None:
    assert _told(await guest.drain(guest.create(stream=True, stream_options={"include_usage": False}))) == []


async def extra_asked(guest: Guest) -> None:
    options = {"stream_options": {"include_usage": True}}
    assert len(_told(await guest.drain(guest.create(stream=True, extra_body=options)))) == 1


async def extra_refused(guest: Guest) -> None:
    options = {"stream_options": {"include_usage": False}}
    assert _told(await guest.drain(guest.create(stream=True, extra_body=options))) == []


async def extra_merged(guest: Guest) -> None:
    options = {"stream_options": {"include_obfuscation": True}}
    chunks = await guest.drain(guest.create(stream=True, extra_body=options))
    assert all(chunk.obfuscation for chunk in chunks)
    assert _told(chunks) == []


async def post(guest: Guest) -> None:
    kind: Sdk = guest.choose(openai.Stream, openai.AsyncStream)
    item: Sdk = ChatCompletionChunk
    body = {**guest.ask, "stream": True}
    told = guest.client.post("/chat/completions", body=body, cast_to=item, stream=True, stream_cls=kind[item])
    assert _told(await guest.drain(told)) == []


async def raw(guest: Guest) -> None:
    answer = await guest.get(guest.client.chat.completions.with_raw_response.create(**guest.ask, stream=True))
    assert _told(await guest.drain(answer.parse())) == []


async def raw_unread(guest: Guest) -> None:
    await guest.get(guest.client.chat.completions.with_raw_response.create(**guest.ask, stream=True))


def _helper(guest: Guest) -> Sdk:
    stable = hasattr(guest.client.chat.completions, "stream")
    return (guest.client.chat if stable else guest.client.beta.chat).completions.stream


def _can_help() -> bool:
    return has("chat.completions.stream")() or has("beta.chat.completions.stream")()


async def helper(guest: Guest) -> None:
    async with guest.held(_helper(guest)(**guest.ask)) as stream:
        events = await guest.drain(stream)
        assert {"chunk", "content.delta", "content.done"} <= {event.type for event in events}
        final = await guest.get(stream.get_final_completion())
        assert final.choices[0].message.content


async def helper_asked(guest: Guest) -> None:
    async with guest.held(_helper(guest)(**guest.ask, stream_options={"include_usage": True})) as stream:
        assert (await guest.get(stream.get_final_completion())).usage.prompt_tokens


async def helper_left(guest: Guest) -> None:
    async with guest.held(_helper(guest)(**guest.ask)) as stream:
        async for _ in guest.each(stream):
            break


def _streaming(guest: Guest, **more: object) -> Sdk:
    return guest.held(guest.client.chat.completions.with_streaming_response.create(**guest.ask, **more))


async def read(guest: Guest) -> None:
    async with _streaming(guest) as answer:
        assert b"usage" in await guest.get(answer.read())
        assert await guest.get(answer.read())


async def as_json(guest: Guest) -> None:
    async with _streaming(guest) as answer:
        assert (await guest.get(answer.json()))["usage"]


async def parsed(guest: Guest) -> None:
    async with _streaming(guest) as answer:
        assert (await guest.get(answer.parse())).usage.total_tokens


async def lines(guest: Guest) -> None:
    async with _streaming(guest) as answer:
        assert "usage" in "".join(await guest.drain(answer.iter_lines()))


async def raw_bytes(guest: Guest) -> None:
    async with _streaming(guest) as answer:
        assert b"usage" in b"".join(await guest.drain(answer.iter_bytes(7)))


async def wire_bytes(guest: Guest) -> None:
    async with _streaming(guest) as answer:
        response = answer.http_response
        assert b"usage" in b"".join(await guest.drain(guest.choose(response.iter_raw, response.aiter_raw)()))


async def unread(guest: Guest) -> None:
    async with _streaming(guest):
        pass


async def stream_lines(guest: Guest) -> None:
    async with _streaming(guest, stream=True) as answer:
        text = "".join(await guest.drain(answer.iter_lines()))
        assert "usage" in text, "chunks say usage: null once it is asked for"
        assert "prompt_tokens" not in text
        assert text.endswith("[DONE]")


async def stream_text(guest: Guest) -> None:
    async with _streaming(guest, stream=True) as answer:
        assert "prompt_tokens" not in "".join(await guest.drain(answer.iter_text()))


async def stream_raw(guest: Guest) -> None:
    async with _streaming(guest, stream=True) as answer:
        response = answer.http_response
        data = b"".join(await guest.drain(guest.choose(response.iter_raw, response.aiter_raw)()))
        assert b"prompt_tokens" not in data
        assert data.endswith(b"[DONE]\n\n")


async def zipped_raw(guest: Guest) -> None:
    """Compressed bytes pass on as they are: they can be neither read nor changed."""
    async with _streaming(guest, stream=True) as answer:
        response = answer.http_response
        data = b"".join(await guest.drain(guest.choose(response.iter_raw, response.aiter_raw)()))
        assert gzip.decompress(data).endswith(b"[DONE]\n\n")


async def stream_parsed(guest: Guest) -> None:
    async with _streaming(guest, stream=True) as answer:
        assert _told(await guest.drain(guest.get(answer.parse()))) == []


async def stream_left(guest: Guest) -> None:
    async with _streaming(guest, stream=True) as answer:
        async for _ in guest.each(answer.iter_lines()):
            break


SHAPES = (
    Shape(name="stream", body=injected),
    Shape(name="stream, three choices", body=many),
    Shape(name="stream, asked", body=asked),
    Shape(name="stream, merged", body=merged),
    Shape(name="stream, refused", body=refused, expect=("stream_not_asked yes",)),
    Shape(name="stream, asked by extra_body", body=extra_asked),
    Shape(name="stream, refused by extra_body", body=extra_refused, expect=("stream_not_asked yes",)),
    Shape(name="stream, merged by extra_body", body=extra_merged),
    Shape(name="client.post, stream", body=post),
    Shape(name="raw response, stream", body=raw),
    Shape(name="raw response, stream never parsed", body=raw_unread, expect=("closed_early maybe",)),
    Shape(name="helper", body=helper, needs=(_can_help,)),
    Shape(name="helper, asked", body=helper_asked, needs=(_can_help,)),
    Shape(
        name="helper, left early", body=helper_left, plan=("hold",), needs=(_can_help,), expect=("closed_early maybe",)
    ),
    Shape(name="streaming response, read", body=read),
    Shape(name="streaming response, json", body=as_json),
    Shape(name="streaming response, parse", body=parsed),
    Shape(name="streaming response, iter_lines", body=lines),
    Shape(name="streaming response, iter_bytes", body=raw_bytes),
    Shape(name="streaming response, iter_raw", body=wire_bytes),
    Shape(name="streaming response, never read", body=unread, expect=("closed_early maybe",)),
    Shape(name="streaming response of a stream, iter_lines", body=stream_lines),
    Shape(name="streaming response of a stream, iter_text", body=stream_text),
    Shape(name="streaming response of a stream, iter_raw", body=stream_raw),
    Shape(name="streaming response of a stream, parse", body=stream_parsed),
    Shape(
        name="streaming response of a stream, left", body=stream_left, plan=("hold",), expect=("closed_early maybe",)
    ),
    Shape(name="stream, gzip", body=injected, plan=("gzip",)),
    Shape(name="stream, gzip and split", body=injected, plan=("gzip+split",)),
    Shape(name="stream, gzip read by iter_raw", body=zipped_raw, plan=("gzip",), expect=("unreadable yes",)),
    Shape(name="stream, CR LF", body=injected, plan=("crlf",)),
    Shape(name="stream, CR LF byte by byte", body=injected, plan=("crlf+split:1",)),
    Shape(name="stream, byte by byte", body=injected, plan=("split:1",)),
    Shape(name="stream, split anywhere", body=injected, plan=("split",)),
    Shape(name="stream, asked, split anywhere", body=asked, plan=("split",)),
    Shape(name="stream, comments between events", body=injected, plan=("ping",)),
    Shape(name="stream, slow", body=injected, plan=("slow:30+drip:1",)),
    Shape(name="stream, lines of CR LF byte by byte", body=stream_text, plan=("crlf+split:1",)),
)
