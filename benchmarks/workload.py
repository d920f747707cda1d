"""The application that is measured: the openai SDK over a transport in memory, so that no network is in the figures."""

import time
from collections.abc import Callable, Iterator

import httpx2
import openai

CALLS = 40
STREAMS = 2
CHUNKS = 200
"""Of each stream: events that carry text."""

_WORDS = "the quick brown fox jumps over the lazy dog and back again "
_PROMPT = (_WORDS * 40)[:2000]
_ANSWER = (_WORDS * 40)[:2000]
_USAGE = (
    b'{"prompt_tokens":430,"completion_tokens":210,"total_tokens":640,"prompt_tokens_details":{"cached_tokens":0,'
    b'"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,'
    b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
)
_NAMES = b'"created":1795000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_1"'
_BODY = (
    b'{"id":"chatcmpl-1","object":"chat.completion",'
    + _NAMES
    + b',"choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"' + _ANSWER.encode() + b'","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":' + _USAGE
) + b"}"
_HEADERS = {"x-request-id": "req_1", "openai-organization": "org-1", "openai-project": "proj_1", "date": "x"}


def _chunk(choices: bytes, usage: bytes) -> bytes:
    head = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk",' + _NAMES
    return head + b',"choices":' + choices + usage + b"}\n\n"


def _delta(text: bytes, finish: bytes) -> bytes:
    return b'[{"index":0,"delta":{' + text + b'},"logprobs":null,"finish_reason":' + finish + b"}]"


def _events(null: bytes, last: list[bytes]) -> list[bytes]:
    text = [_chunk(_delta(b'"content":" fox"', b"null"), null) for _ in range(CHUNKS)]
    return [*text, _chunk(_delta(b"", b'"stop"'), null), *last, b"data: [DONE]\n\n"]


_PLAIN = _events(b"", [])
_ASKED = _events(b',"usage":null', [_chunk(b"[]", b',"usage":' + _USAGE)])


def _answer(request: httpx2.Request) -> httpx2.Response:
    sent = request.content
    if b'"stream":true' not in sent:
        return httpx2.Response(200, headers=_HEADERS | {"content-type": "application/json"}, content=_BODY)
    events = _ASKED if b'"include_usage":true' in sent else _PLAIN
    return httpx2.Response(200, headers=_HEADERS | {"content-type": "text/event-stream"}, content=iter(events))


class Application:
    """Asks the API, and says what that cost; `flush` is part of the cost: what was emitted must leave."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._client = openai.OpenAI(
            api_key="sk-bench-1234567890abcdef",
            base_url="https://api.openai.com/v1",
            http_client=httpx2.Client(transport=httpx2.MockTransport(_answer)),
        )

    def chat(self) -> None:
        """Make one call."""
        answer = self._client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": _PROMPT}], temperature=0.5
        )
        if answer.usage is None or answer.usage.total_tokens != 640:  # noqa: PLR2004 - _USAGE
            message = f"not the answer that was sent: {answer.usage}"
            raise RuntimeError(message)

    def stream(self) -> None:
        """Read one stream to its end."""
        seen = sum(
            1
            for chunk in self._client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": _PROMPT}], temperature=0.5, stream=True
            )
            if chunk.choices and chunk.choices[0].delta.content
        )
        if seen != CHUNKS:
            message = f"expected {CHUNKS} chunks, found {seen}"
            raise RuntimeError(message)

    def cost(self, work: str) -> int:
        """Run one block; nanoseconds of CPU, of all threads, user and system, for one chat call or one chunk."""
        step, times, each = {"chat": (self.chat, CALLS, CALLS), "chunk": (self.stream, STREAMS, STREAMS * CHUNKS)}[work]
        begun = time.process_time_ns()
        for _ in range(times):
            step()
        self._flush()
        return (time.process_time_ns() - begun) // each

    def warm(self) -> None:
        """Let the interpreter adapt to methods that were just exchanged."""
        for step in self._warming():
            step()
        self._flush()

    def _warming(self) -> Iterator[Callable[[], None]]:
        yield from (self.chat,) * 10
        yield from (self.stream,) * 1
