"""What is answered and what it costs depends on the request and the seed, and on nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallyspan.demo.answer import answer_to
from tallyspan.demo.ask import Ask, ask_of
from tallyspan.demo.endpoints import ENDPOINTS, address_of
from tallyspan.demo.orders import Order
from tallyspan.demo.reply import compact
from tallyspan.demo.schema_sample import sample
from tallyspan.demo.tokens import Usage

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
KEYS = [
    "model",
    "messages",
    "input",
    "prompt",
    "n",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "response_format",
    "text",
    "service_tier",
    "max_tokens",
    "dimensions",
    "prediction",
    "background",
]


def asked(**body: object) -> Ask:
    read = ask_of(json.dumps({"model": "gpt-4o", **body}).encode())
    assert read is not None
    return read


def usage_of(**body: object) -> Usage:
    return answer_to(asked(**body), seed=1).usage


@given(body=st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6), endpoint=st.sampled_from(ENDPOINTS))
def test_no_json_object_can_break_an_endpoint(body: dict[str, object], endpoint: object) -> None:
    read = ask_of(json.dumps(body).encode())
    assert read is not None
    answer = answer_to(read, seed=1)
    assert answer.usage.input > 0
    assert answer.usage.output >= answer.usage.reasoning >= 0
    assert answer.usage.cached + answer.usage.cache_write <= answer.usage.input
    row = next(row for row in ENDPOINTS if row is endpoint)
    reply = row.build(Order(read, answer, seed=1, number=0, started_ns=0))
    assert reply.status in {200, 404}
    assert all(event.encoded() for event in reply.events)
    assert compact(reply.payload)


@given(tree=SCALARS | st.lists(SCALARS), tail=st.binary(max_size=3))
def test_what_is_no_json_object_is_read_as_none(tree: object, tail: bytes) -> None:
    assert ask_of(json.dumps(tree).encode() + tail) is None


@pytest.mark.parametrize("more", [{"stream": True}, {"stream_options": {"include_usage": True}}, {"user": "someone"}])
def test_only_prompt_model_and_seed_set_the_price(more: dict[str, object]) -> None:
    messages = [{"role": "user", "content": "What is the price of salt?"}]
    assert usage_of(messages=messages) == usage_of(messages=messages, **more)


def test_one_prompt_in_three_is_partly_cached() -> None:
    cached = [usage_of(prompt=f"number {i}").cached > 0 for i in range(300)]
    assert 70 < sum(cached) < 130


def test_sound_costs_audio_tokens_both_ways() -> None:
    parts = [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, {"type": "text", "text": "hear"}]
    usage = usage_of(model="gpt-4o-audio-preview", messages=[{"role": "user", "content": parts}])
    assert 0 < usage.audio_input < usage.input
    assert 0 < usage.audio_output < usage.output


def test_rejected_prediction_tokens_are_part_of_the_output() -> None:
    with_prediction = usage_of(prompt="x", prediction={"type": "content", "content": "y"})
    assert with_prediction.output == usage_of(prompt="x").output + with_prediction.rejected
    assert min(with_prediction.accepted, with_prediction.rejected) > 0


def test_token_ids_count_as_themselves() -> None:
    assert usage_of(input=[1, 2, 3]).input == 3
    read = asked(input=[[1, 2], [3, 4, 5]])
    assert (read.inputs, answer_to(read, 1).usage.input) == (2, 5)


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", "/v1/chat/completions", "chat"),
        ("POST", "/openai/deployments/mine/chat/completions?api-version=2024-10-21", "chat"),
        ("POST", "/openai/v1/responses", "response"),
        ("POST", "/v1/responses?beta=true", "response"),
        ("GET", "/v1/responses/resp_1?stream=true", "retrieve"),
        ("POST", "/v1/responses/input_tokens", "input_tokens"),
        ("POST", "/v1/chat/completions/chatcmpl-1", "stored_chat"),
        ("POST", "/v1/brand/new", "unknown"),
        ("DELETE", "/v1/files/f", "other"),
    ],
)
def test_a_path_finds_its_row(method: str, target: str, name: str) -> None:
    assert address_of(method, target).endpoint.name == name


def test_a_sample_fits_nested_references() -> None:
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"$ref": "#/$defs/Row"}}, "kind": {"const": "table"}},
        "$defs": {
            "Row": {"type": "object", "properties": {"size": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}
        },
    }
    assert sample(schema) == {"rows": [{"size": 7}], "kind": "table"}
