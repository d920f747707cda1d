"""The one interpreter of the endpoint table."""

import pytest
from hypothesis import given
from tests.usage.strategies import trees

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import UsageLine
from tallyspan.usage.endpoints import ENDPOINTS, Endpoint
from tallyspan.usage.extract import Extraction, extract

ROWS = {row.path: row for row in ENDPOINTS}
CHAT, RESPONSES, EMBEDDINGS = ROWS["/chat/completions"], ROWS["/responses"], ROWS["/embeddings"]


@pytest.mark.parametrize("row", ENDPOINTS, ids=ROWS)
@given(document=trees)
def test_no_document_raises(row: Endpoint, document: object) -> None:
    found = extract(document, row)
    assert found.lines is None or all(line.counts for line in found.lines)


@pytest.mark.parametrize("document", [None, [], "text", 7, True])
def test_what_is_no_object_tells_nothing(document: object) -> None:
    found = extract(document, CHAT)
    assert found == Extraction(problem=f"expected an object, found {type(document).__name__}")


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], {"prompt_tokens": 1}, {"completion_tokens": 1}, {"prompt_tokens": None, "completion_tokens": 1}],
)
def test_half_a_usage_is_none(usage: object) -> None:
    found = extract({"usage": usage}, CHAT)
    assert (found.lines, found.problem) == (None, None)


def test_zero_is_a_usage() -> None:
    found = extract({"model": "m", "usage": {"prompt_tokens": 0, "completion_tokens": 0}}, CHAT)
    assert found.lines == (UsageLine(model="m", counts={Quantity.INPUT: 0, Quantity.OUTPUT: 0}),)


def test_a_count_that_is_none_spoils_the_usage_and_says_why() -> None:
    found = extract({"id": "x", "usage": {"prompt_tokens": -1, "completion_tokens": 0}}, CHAT)
    assert found.lines is None
    assert found.response_id == "x"
    assert found.problem == "prompt_tokens: expected a whole number from 0 to 2^63-1, found -1"


def test_what_has_no_output_needs_none() -> None:
    found = extract({"usage": {"prompt_tokens": 3, "total_tokens": 3}}, EMBEDDINGS)
    assert found.lines == (UsageLine(counts={Quantity.INPUT: 3}),)


def test_a_tool_that_was_not_used_has_no_line() -> None:
    idle = {"web_search": {"num_requests": 0}, "image_gen": {"input_tokens": 0, "output_tokens": 0}}
    found = extract({"usage": {"input_tokens": 1, "output_tokens": 2}, "tool_usage": idle}, RESPONSES)
    assert found.lines is not None
    assert len(found.lines) == 1


def test_a_tool_alone_is_no_usage() -> None:
    assert extract({"tool_usage": {"web_search": {"num_requests": 1}}}, RESPONSES).lines is None


@pytest.mark.parametrize(
    ("status", "pending"), [("queued", True), ("in_progress", True), ("completed", False), (7, False)]
)
def test_work_that_goes_on_is_told_by_its_status(status: object, *, pending: bool) -> None:
    assert extract({"status": status}, RESPONSES).pending is pending


def test_finish_reasons_are_those_of_all_choices() -> None:
    choices = [{"finish_reason": "stop"}, {"finish_reason": None}, {}, "odd", {"finish_reason": "length"}]
    assert extract({"choices": choices}, CHAT).finish_reasons == ("stop", "length")
    assert extract({"choices": "odd"}, CHAT).finish_reasons == ()
    incomplete = {"incomplete_details": {"reason": "max_output_tokens"}}
    assert extract(incomplete, RESPONSES).finish_reasons == ("max_output_tokens",)


@pytest.mark.parametrize("value", ["", 7, None, {}, "\ud800"])
def test_an_id_is_text_that_can_be_written(value: object) -> None:
    found = extract({"id": value, "model": value, "service_tier": value, "system_fingerprint": value}, CHAT)
    assert found == Extraction()
