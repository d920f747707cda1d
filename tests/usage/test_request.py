"""What a request asks for."""

import copy
from collections.abc import Mapping
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.usage.strategies import trees

from tallyspan.usage.endpoints import Endpoint, endpoint_of
from tallyspan.usage.request import Ask, may_ask, read_ask, with_usage_asked


def row(path: str) -> Endpoint:
    found = endpoint_of("POST", path)
    assert found is not None
    return found


CHAT, EMBEDDINGS = row("/chat/completions"), row("/embeddings")


@given(body=trees)
def test_no_body_raises(body: object) -> None:
    assert isinstance(read_ask(body, CHAT), Ask)


@pytest.mark.parametrize("body", [None, b"raw", "text", [1]])
def test_what_is_no_object_asks_for_nothing_that_we_see(body: object) -> None:
    assert read_ask(body, CHAT) == Ask()
    assert read_ask(body, EMBEDDINGS) == Ask(output_max=0)


@pytest.mark.parametrize(
    ("body", "path", "most"),
    [
        ({}, "/chat/completions", None),
        ({"max_tokens": 5}, "/chat/completions", 5),
        ({"max_tokens": 5, "max_completion_tokens": 7}, "/chat/completions", 7),
        ({"max_tokens": 5, "n": 3}, "/chat/completions", 15),
        ({"max_tokens": None, "n": 3}, "/chat/completions", None),
        ({"max_tokens": True}, "/chat/completions", None),
        ({"max_tokens": -1}, "/chat/completions", None),
        ({"max_tokens": 5, "n": 2, "best_of": 4}, "/completions", 20),
        ({"max_output_tokens": 9}, "/responses", 9),
        ({"max_tokens": 9}, "/embeddings", 0),
    ],
)
def test_the_requests_own_limit_bounds_the_output(body: object, path: str, most: int | None) -> None:
    assert read_ask(body, row(path)).output_max == most


def test_parameters_are_those_of_the_conventions_and_never_content() -> None:
    body = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "secret"}],
        "temperature": 0.5,
        "seed": 2**64,
        "n": 2,
        "stream": True,
        "service_tier": "flex",
        "top_p": None,
    }
    ask = read_ask(body, CHAT)
    assert ask == Ask(
        model="gpt-4o",
        stream=True,
        choices=2,
        service_tier="flex",
        parameters={
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.choice.count": 2,
            "openai.request.service_tier": "flex",
        },
    )


@pytest.mark.parametrize(
    ("options", "wants", "may"),
    [
        (None, None, True),
        ({}, None, True),
        ({"include_obfuscation": True}, None, True),
        ({"include_usage": None}, None, True),
        ({"include_usage": True}, True, False),
        ({"include_usage": False}, False, False),
        ({"include_usage": "yes"}, None, False),
        ("odd", None, False),
    ],
)
def test_we_ask_only_where_the_caller_said_nothing(options: object, wants: object, *, may: bool) -> None:
    body: Mapping[str, object] = {"stream_options": options}
    assert read_ask(body, CHAT).wants_usage is wants
    assert may_ask(body) is may


@given(body=st.dictionaries(st.text(max_size=3) | st.just("stream_options"), trees, max_size=4))
def test_asking_changes_a_copy_and_keeps_what_was_there(body: dict[str, object]) -> None:
    before = copy.deepcopy(body)
    asked = with_usage_asked(body)
    assert repr(body) == repr(before)
    options = cast("dict[str, object]", asked.pop("stream_options"))
    assert options.pop("include_usage") is True
    given_options = body.pop("stream_options", None)
    assert repr(asked) == repr(body)
    if isinstance(given_options, dict):
        assert options.items() <= given_options.items()


def test_asking_keeps_the_callers_other_options() -> None:
    asked = with_usage_asked({"stream_options": {"include_obfuscation": False, "include_usage": None}})
    assert asked == {"stream_options": {"include_obfuscation": False, "include_usage": True}}
