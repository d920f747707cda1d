"""The most tokens a request can have used."""

import json

import pytest

from tallyspan.usage.limits import OUTPUT_MAX, input_max, output_max


@pytest.mark.parametrize(("family", "most"), OUTPUT_MAX)
def test_a_name_belongs_to_the_family_that_it_goes_on_from(family: str, most: int) -> None:
    assert output_max(family, 1) == most
    assert output_max(f"{family}-2025-01-01", 2) == 2 * most
    assert output_max(f"{family}x", 1) is None


def test_what_is_not_listed_is_unbounded() -> None:
    assert output_max(None, 1) is None
    assert output_max("llama", 1) is None


def test_of_two_families_the_larger_bound_holds() -> None:
    assert output_max("o4-mini-2025-04-16", 1) == 100_000


@pytest.mark.parametrize(
    "body",
    [
        None,
        json.dumps({"messages": [{"content": [{"type": "image_url"}]}]}).encode(),
        json.dumps({"previous_response_id": "r"}).encode(),
        json.dumps({"tools": [{"type": "web_search_preview"}]}).encode(),
        json.dumps({"prompt": {"id": "p"}}).encode(),
        b'{"prompt" : {"id": "p"}}',
    ],
)
def test_input_that_is_not_in_the_body_is_unbounded(body: bytes | None) -> None:
    assert input_max(body) is None


@pytest.mark.parametrize(
    "body", [b"", b'{"messages":[]}', b'{"prompt":"image_url"}' + b" " * 9, b'{"a":"an \\"image_url\\""}']
)
def test_a_token_is_at_least_one_byte(body: bytes) -> None:
    assert input_max(body) in {len(body), None}
    assert input_max(b'{"messages":[{"content":"hello"}]}') == 34
