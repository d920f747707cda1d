"""Clients that are not the plain one: others of the SDK, the application's own, other http libraries."""

import contextlib
import contextvars
import os
from collections.abc import Generator
from typing import TYPE_CHECKING, cast

import openai
from tests.wire.guest import HTTP, KEY, OTHER_HTTP, Guest, Sdk
from tests.wire.shape import Shape

if TYPE_CHECKING:
    import httpx2 as httpx
else:
    httpx = HTTP

OWN_ANSWER = {
    "id": "chatcmpl-own",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}],
}


async def _chat(guest: Guest, client: Sdk) -> None:
    assert (await guest.get(client.chat.completions.create(**guest.ask))).usage


async def _stream(guest: Guest, client: Sdk) -> None:
    assert await guest.drain(client.chat.completions.create(**guest.ask, stream=True))


async def _both(guest: Guest, client: Sdk) -> None:
    await _chat(guest, client)
    await _stream(guest, client)


async def module_level(guest: Guest) -> None:
    openai.api_key = KEY
    openai.base_url = guest.api.base_url + "/"
    try:
        client: Sdk = openai.chat
        client.completions.create(**guest.ask)
        list(client.completions.create(**guest.ask, stream=True))
    finally:
        module: Sdk = openai
        module._reset_client()  # noqa: SLF001 - for tests, it says there
        openai.api_key = openai.base_url = None


async def subclass(guest: Guest) -> None:
    class Counting(openai.OpenAI):
        def request(self, *args: Sdk, **kwargs: Sdk) -> Sdk:
            return cast("Sdk", super().request(*args, **kwargs))

    class AsyncCounting(openai.AsyncOpenAI):
        async def request(self, *args: Sdk, **kwargs: Sdk) -> Sdk:
            return await super().request(*args, **kwargs)

    await _both(guest, guest.made(guest.choose(Counting, AsyncCounting)))


async def retrying_subclass(guest: Guest) -> None:
    """An application's own loop around `request`: two calls of the SDK, of which one fails."""

    class Again(openai.OpenAI):
        def request(self, *args: Sdk, **kwargs: Sdk) -> Sdk:
            answer: Sdk = None
            with contextlib.suppress(openai.RateLimitError):
                answer = cast("Sdk", super().request(*args, **kwargs))
            return answer or cast("Sdk", super().request(*args, **kwargs))

    class AsyncAgain(openai.AsyncOpenAI):
        async def request(self, *args: Sdk, **kwargs: Sdk) -> Sdk:
            with contextlib.suppress(openai.RateLimitError):
                return await super().request(*args, **kwargs)
            return await super().request(*args, **kwargs)

    await _chat(guest, guest.made(guest.choose(Again, AsyncAgain), max_retries=0))


async def own_http(guest: Guest) -> None:
    await _both(guest, guest.another(http_client=guest.choose(httpx.Client, httpx.AsyncClient)()))


async def overridden_send(guest: Guest) -> None:
    class Passing(httpx.Client):
        def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            return super().send(request, **kwargs)

    class AsyncPassing(httpx.AsyncClient):
        async def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            return await super().send(request, **kwargs)

    await _both(guest, guest.another(http_client=guest.choose(Passing, AsyncPassing)()))


async def twice_sent(guest: Guest) -> None:
    """Each `send` is seen, however many a client makes of one."""

    class Twice(httpx.Client):
        def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            super().send(request, **kwargs).close()
            return super().send(request, **kwargs)

    class AsyncTwice(httpx.AsyncClient):
        async def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            await (await super().send(request, **kwargs)).aclose()
            return await super().send(request, **kwargs)

    await _chat(guest, guest.another(http_client=guest.choose(Twice, AsyncTwice)()))


async def hooks(guest: Guest) -> None:
    heard: list[object] = []

    async def hear(what: object) -> None:
        heard.append(what)

    call = guest.choose(heard.append, hear)
    http = guest.choose(httpx.Client, httpx.AsyncClient)(event_hooks={"request": [call], "response": [call]})
    await _both(guest, guest.another(http_client=http))
    assert len(heard) == 4


async def refreshing_auth(guest: Guest) -> None:
    """An auth flow that sends the body again, hidden from the SDK."""

    class Again(httpx.Auth):
        def auth_flow(self, request: Sdk) -> Generator[Sdk, Sdk, None]:
            answer = yield request
            if answer.status_code == 401:
                yield request

    await _chat(guest, guest.another(http_client=guest.choose(httpx.Client, httpx.AsyncClient)(auth=Again())))


async def retrying_transport(guest: Guest) -> None:
    class Again(httpx.HTTPTransport):
        def handle_request(self, request: Sdk) -> Sdk:
            answer = super().handle_request(request)
            if answer.status_code < 500:
                return answer
            answer.close()
            return super().handle_request(request)

    class AsyncAgain(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: Sdk) -> Sdk:
            answer = await super().handle_async_request(request)
            if answer.status_code < 500:
                return answer
            await answer.aclose()
            return await super().handle_async_request(request)

    transport = guest.choose(Again, AsyncAgain)()
    http = guest.choose(httpx.Client, httpx.AsyncClient)(transport=transport)
    await _chat(guest, guest.another(http_client=http))


async def other_request(guest: Guest) -> None:
    """A request for a token, say, inside the call and by its own http client: none of its attempts."""
    headers = {"authorization": f"Bearer {KEY}"}
    url = f"{guest.api.base_url}/moderations"

    class Asking(httpx.Client):
        def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            token = self.build_request("POST", url, headers=headers, json={"input": "x"})
            super().send(token).read()
            return super().send(request, **kwargs)

    class AsyncAsking(httpx.AsyncClient):
        async def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            token = self.build_request("POST", url, headers=headers, json={"input": "x"})
            await (await super().send(token)).aread()
            return await super().send(request, **kwargs)

    await _both(guest, guest.another(http_client=guest.choose(Asking, AsyncAsking)()))


async def nested(guest: Guest) -> None:
    """A call inside a call: a client that has its prompt judged by another one first."""
    other = guest.another()

    class Judging(httpx.Client):
        def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            other.embeddings.create(model="text-embedding-3-small", input="judge")
            return super().send(request, **kwargs)

    class AsyncJudging(httpx.AsyncClient):
        async def send(self, request: Sdk, **kwargs: Sdk) -> Sdk:
            await other.embeddings.create(model="text-embedding-3-small", input="judge")
            return await super().send(request, **kwargs)

    await _chat(guest, guest.another(http_client=guest.choose(Judging, AsyncJudging)()))


async def copied_context(guest: Guest) -> None:
    """A context that was copied inside a call outlives it: what runs there later is no part of it."""
    copies: list[contextvars.Context] = []

    def note_at_once(_request: object) -> None:
        copies.append(contextvars.copy_context())

    before = guest.choose(httpx.Client, httpx.AsyncClient)

    async def note(_request: object) -> None:
        copies.append(contextvars.copy_context())

    hook = guest.choose(note_at_once, note)
    await _chat(guest, guest.another(http_client=before(event_hooks={"request": [hook]})))
    with httpx.Client(headers={"authorization": f"Bearer {KEY}"}) as http:
        copies[0].run(http.post, f"{guest.api.base_url}/chat/completions", json=dict(guest.ask)).raise_for_status()
        copies[0].run(http.get, f"{guest.api.base_url}/models").raise_for_status()


async def no_sdk(guest: Guest) -> None:
    """Another library's request to the same host: a call of its own."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with guest.held(guest.choose(httpx.Client, httpx.AsyncClient)(headers=headers)) as http:
        url = f"{guest.api.base_url}/chat/completions"
        (await guest.get(http.post(url, json=dict(guest.ask)))).raise_for_status()
        asking = {**guest.ask, "stream": True, "stream_options": {"include_usage": True}}
        async with guest.held(http.stream("POST", url, json=asking)) as answer:
            await guest.drain(guest.choose(answer.iter_lines, answer.aiter_lines)())
        async with guest.held(http.stream("POST", url, json={**guest.ask, "stream": True})) as answer:
            text = "".join(await guest.drain(guest.choose(answer.iter_text, answer.aiter_text)()))
            assert "usage" not in text, "nobody's request is changed but the SDK's"
        (await guest.get(http.get(f"{guest.api.base_url}/models"))).raise_for_status()
        (await guest.get(http.post(f"{guest.api.base_url}/moderations", json={"input": "x"}))).raise_for_status()


async def canned(guest: Guest) -> None:
    """A client that answers by itself: a call without an attempt."""
    answer = {**OWN_ANSWER, "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}

    class Canned(httpx.Client):
        def send(self, request: Sdk, **_kwargs: Sdk) -> Sdk:
            return httpx.Response(200, json=answer, request=request)

    class AsyncCanned(httpx.AsyncClient):
        async def send(self, request: Sdk, **_kwargs: Sdk) -> Sdk:
            return httpx.Response(200, json=answer, request=request)

    await _chat(guest, guest.another(http_client=guest.choose(Canned, AsyncCanned)()))


async def refusing_to_prepare(guest: Guest) -> None:
    class Refusing(openai.OpenAI):
        def _prepare_options(self, options: Sdk) -> Sdk:  # noqa: ARG002 - the name that the SDK calls
            raise LookupError

    class AsyncRefusing(openai.AsyncOpenAI):
        async def _prepare_options(self, options: Sdk) -> Sdk:  # noqa: ARG002 - the name that the SDK calls
            raise LookupError

    await _chat(guest, guest.made(guest.choose(Refusing, AsyncRefusing)))


async def nobody_there(guest: Guest) -> None:
    await _chat(guest, guest.another(base_url="http://127.0.0.1:9/v1"))


async def aiohttp(guest: Guest) -> None:
    await _both(guest, guest.another(http_client=openai.DefaultAioHttpClient()))


async def aiohttp_again(guest: Guest) -> None:
    await _chat(guest, guest.another(http_client=openai.DefaultAioHttpClient()))


async def aiohttp_left(guest: Guest) -> None:
    client = guest.another(http_client=openai.DefaultAioHttpClient())
    stream = await client.chat.completions.create(**guest.ask, stream=True)
    await anext(stream)
    await stream.close()


def _aiohttp() -> bool:
    return hasattr(openai, "DefaultAioHttpClient")


def _takes_other_http() -> bool:
    if OTHER_HTTP is None:
        return False
    with contextlib.suppress(TypeError):
        openai.OpenAI(api_key=KEY, http_client=OTHER_HTTP.Client()).close()
        return True
    return False


async def other_http(guest: Guest) -> None:
    await _both(guest, guest.another(http_client=guest.choose(OTHER_HTTP.Client, OTHER_HTTP.AsyncClient)()))


def _azure(guest: Guest, api_version: str) -> Sdk:
    return guest.another("AzureOpenAI", azure_endpoint=guest.api.azure_endpoint, api_version=api_version)


async def azure(guest: Guest) -> None:
    await _both(guest, _azure(guest, "2024-10-21"))


async def azure_old(guest: Guest) -> None:
    await _both(guest, _azure(guest, "2024-06-01"))


async def azure_v1(guest: Guest) -> None:
    await _both(guest, guest.another(base_url=f"{guest.api.azure_endpoint}/openai/v1/"))


async def azure_deployment(guest: Guest) -> None:
    options = {"azure_endpoint": guest.api.azure_endpoint, "api_version": "2025-01-01-preview"}
    await _both(guest, guest.another("AzureOpenAI", azure_deployment="gpt-4o", **options))


async def from_environment(guest: Guest) -> None:
    os.environ["OPENAI_BASE_URL"] = guest.api.base_url
    try:
        await _chat(guest, guest.another(base_url=None))
    finally:
        del os.environ["OPENAI_BASE_URL"]


TWO = ("measured", "measured")

SHAPES = (
    Shape(name="module-level client", body=module_level, expect=TWO, calls=2, modes=("sync",)),
    Shape(name="subclass with a request of its own", body=subclass, expect=TWO, calls=2),
    Shape(
        name="subclass that asks again",
        body=retrying_subclass,
        plan=("429", "ok"),
        expect=("http_error no", "measured"),
        calls=2,
    ),
    Shape(name="http client of one's own", body=own_http, expect=TWO, calls=2),
    Shape(name="http client with a send of its own", body=overridden_send, expect=TWO, calls=2),
    Shape(name="http client that sends twice", body=twice_sent, expect=TWO),
    Shape(name="http client with hooks", body=hooks, expect=TWO, calls=2),
    Shape(
        name="auth that sends again", body=refreshing_auth, plan=("401", "ok"), expect=("hidden_resend no", "measured")
    ),
    Shape(
        name="transport that sends again",
        body=retrying_transport,
        plan=("500", "ok"),
        expect=("hidden_resend maybe", "measured"),
    ),
    Shape(
        name="other request inside a call",
        body=other_request,
        expect=("unmetered", "measured") * 2,
        calls=2,
    ),
    Shape(name="call inside a call", body=nested, expect=TWO, calls=2),
    Shape(
        name="context copied out of a call",
        body=copied_context,
        expect=("measured", "measured", "unmetered"),
        calls=2,
        modes=("sync",),
    ),
    Shape(
        name="no SDK",
        body=no_sdk,
        expect=("measured", "measured", "stream_not_asked yes", "unmetered", "unmetered"),
        calls=3,
    ),
    Shape(name="client that answers by itself", body=canned, expect=(), unsent=("unobserved maybe",)),
    Shape(name="exception before anything is sent", body=refusing_to_prepare, expect=(), raises="LookupError"),
    Shape(name="nobody there", body=nobody_there, expect=(), unsent=("dropped no",) * 3, raises="APIConnectionError"),
    Shape(name="aiohttp", body=aiohttp, expect=TWO, calls=2, needs=(_aiohttp,), modes=("async",)),
    Shape(
        name="aiohttp, left early",
        body=aiohttp_left,
        plan=("hold",),
        expect=("closed_early maybe",),
        needs=(_aiohttp,),
        modes=("async",),
    ),
    Shape(
        name="aiohttp, 500, then ok",
        body=aiohttp_again,
        plan=("500", "drop-body", "ok"),
        expect=("http_error maybe", "dropped maybe", "measured"),
        needs=(_aiohttp,),
        modes=("async",),
    ),
    Shape(name="client of the other http library", body=other_http, expect=TWO, calls=2, needs=(_takes_other_http,)),
    Shape(name="Azure", body=azure, expect=TWO, calls=2),
    Shape(name="Azure, old api-version", body=azure_old, expect=("measured", "stream_not_asked yes"), calls=2),
    Shape(name="Azure, v1", body=azure_v1, expect=TWO, calls=2),
    Shape(name="Azure, deployment of the client", body=azure_deployment, expect=TWO, calls=2),
    Shape(name="host from the environment", body=from_environment),
)
