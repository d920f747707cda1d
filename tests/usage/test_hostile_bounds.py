"""A bound that can be exceeded is worse than none: it absorbs what it should not."""

import json
from collections.abc import Mapping

import pytest

from tallyspan.books.record import Bounds
from tallyspan.usage.ending import Ending
from tallyspan.usage.endpoints import endpoint_of
from tallyspan.usage.observe import CallHead, End, RequestHead, observe
from tallyspan.usage.request import read_ask
from tallyspan.usage.scan import NOTHING_SEEN


def bounds(path: str, body: Mapping[str, object]) -> Bounds:
    """Bound a request that timed out."""
    endpoint = endpoint_of("POST", path)
    assert endpoint is not None
    ask = read_ask(body, endpoint)
    call = CallHead(call_id="c", endpoint=endpoint, ask=ask, provider="openai", server_address=None, server_port=None)
    sent = json.dumps(body, separators=(",", ":")).encode()
    request = RequestHead(record_id="r", attempt=0, started_ns=0, stream=False, asks_usage=False, body=sent)
    return observe(call, request, None, NOTHING_SEEN, End(Ending.TIMED_OUT, 1)).bounds


@pytest.mark.parametrize(
    "more",
    [
        {"input": [{"id": "msg_0123"}]},
        {"input": [{"type": "reasoning", "id": "rs_0123", "status": "completed"}]},
        {"tools": [{"type": "shell"}]},
        {"model": "o3-deep-research"},
    ],
)
def test_what_the_provider_looks_up_is_not_in_the_body(more: dict[str, object]) -> None:
    found = bounds("/responses", {"model": "gpt-4o", "input": "x", "max_output_tokens": 9} | more)
    assert (found.input_max, found.output_max) == (None, 9)


def test_a_model_that_searches_reads_more_than_it_is_sent() -> None:
    assert bounds("/chat/completions", {"model": "gpt-4o-search-preview", "messages": []}).input_max is None


def test_the_id_of_a_tool_call_stands_for_nothing_else() -> None:
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    body = {"model": "gpt-4o", "messages": [{"role": "assistant", "tool_calls": calls}]}
    assert bounds("/chat/completions", body).input_max is not None


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/chat/completions", {"prediction": {"type": "content", "content": "a"}, "max_tokens": 9}),
        ("/responses", {"tools": [{"type": "image_generation"}], "max_output_tokens": 9}),
        ("/responses", {"tools": [{"type": "web_search"}]}),
    ],
)
def test_output_beyond_the_limit_is_unbounded(path: str, more: dict[str, object]) -> None:
    assert bounds(path, {"model": "gpt-4o", "input": "x"} | more).output_max is None


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [("a", 1), (["a", "b", "c"], 3), ([1, 2, 3], 1), ([[1, 2], [3]], 2), ([], 1), (None, 1)],
)
def test_every_prompt_is_answered_up_to_the_limit(prompt: object, prompts: int) -> None:
    body = {"model": "gpt-3.5-turbo-instruct", "prompt": prompt, "max_tokens": 9, "n": 2}
    assert bounds("/completions", body).output_max == 18 * prompts


def test_embeddings_write_nothing_whatever_they_are_of() -> None:
    assert bounds("/embeddings", {"model": "text-embedding-3-small", "input": ["prediction"]}).output_max == 0
