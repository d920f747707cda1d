"""The real SDK parses every answer, and the usage it reads is the ledger's."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from tallyspan.demo import LedgerRow, StandIn

openai = pytest.importorskip("openai", minversion="3")

from openai import AzureOpenAI, BadRequestError, LengthFinishReasonError, OpenAI  # noqa: E402
from openai.types import CompletionUsage  # noqa: E402
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam  # noqa: E402
from openai.types.responses import ResponseUsage  # noqa: E402

KEY = "sk-test-abcd1234"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hello to the harbour."}]
TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "paint",
        "parameters": {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}},
    },
}


class Colour(BaseModel):
    name: str
    depth: int


@pytest.fixture
def client(api: StandIn) -> Iterator[OpenAI]:
    with OpenAI(base_url=api.base_url, api_key=KEY) as made:
        yield made


def only(api: StandIn) -> LedgerRow:
    (row,) = api.ledger
    return row


def same_chat(usage: CompletionUsage | None, row: LedgerRow) -> bool:
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.completion_tokens_details is not None
    read = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    details = (usage.prompt_tokens_details.cached_tokens, usage.completion_tokens_details.reasoning_tokens)
    return (*read, *details) == (
        row.input_tokens,
        row.output_tokens,
        row.total_tokens,
        row.cached_tokens,
        row.reasoning_tokens,
    )


def same_response(usage: ResponseUsage | None, row: LedgerRow) -> bool:
    assert usage is not None
    read = (usage.input_tokens, usage.output_tokens, usage.total_tokens)
    details = (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens)
    writes = usage.input_tokens_details.cache_write_tokens
    return (*read, *details, writes) == (
        row.input_tokens,
        row.output_tokens,
        row.total_tokens,
        row.cached_tokens,
        row.reasoning_tokens,
        row.usage.cache_write,
    )


def test_a_chat_answer_names_the_dated_model_and_its_usage(api: StandIn, client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-5-mini", messages=HELLO)
    row = only(api)
    assert same_chat(answer.usage, row)
    assert (answer.model, answer.id) == ("gpt-5-mini-2025-08-07", row.response_id)
    assert answer._request_id == row.request_id  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the SDK documents it
    assert (row.api_key_hint, row.reasoning_tokens > 0) == ("sk-...1234", True)


def test_usage_comes_in_one_more_chunk_and_only_when_asked(api: StandIn, client: OpenAI) -> None:
    asked = list(
        client.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    unasked = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    assert len(asked) == len(unasked) + 1
    assert asked[-1].choices == []
    assert same_chat(asked[-1].usage, api.ledger[0])
    assert all(chunk.usage is None and "usage" in chunk.model_fields_set for chunk in asked[:-1])
    assert all("usage" not in chunk.model_fields_set for chunk in unasked)


def test_the_same_prompt_costs_the_same_streamed_or_not(api: StandIn, client: OpenAI) -> None:
    client.chat.completions.create(model="gpt-4o", messages=HELLO)
    list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    first, second = api.ledger
    assert first.usage == second.usage


def test_legacy_completions_stream_like_chat(api: StandIn, client: OpenAI) -> None:
    model = "gpt-3.5-turbo-instruct"
    plain = client.completions.create(model=model, prompt="one two")
    chunks = list(
        client.completions.create(model=model, prompt="one two", stream=True, stream_options={"include_usage": True})
    )
    assert same_chat(plain.usage, api.ledger[0])
    assert same_chat(chunks[-1].usage, api.ledger[1])
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == plain.choices[0].text


def test_n_choices_are_billed_each(api: StandIn, client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO, n=3)
    client.chat.completions.create(model="gpt-4o", messages=HELLO)
    three, one = api.ledger
    assert len(answer.choices) == 3
    assert three.output_tokens == 3 * one.output_tokens


def test_tools_are_called_in_both_ways(client: OpenAI) -> None:
    plain = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[TOOL])
    calls = plain.choices[0].message.tool_calls
    assert calls is not None
    with client.chat.completions.stream(model="gpt-4o", messages=HELLO, tools=[TOOL]) as stream:
        final = stream.get_final_completion()
    streamed = final.choices[0].message.tool_calls
    assert streamed is not None
    assert calls[0].type == "function"
    assert calls[0].function.arguments == streamed[0].function.arguments == '{"colour": "red"}'


def test_parse_succeeds_and_fails_as_asked(api: StandIn, client: OpenAI) -> None:
    parsed = client.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Colour)
    assert parsed.choices[0].message.parsed == Colour(name="blue", depth=7)
    for marker, error in (("[[length]]", LengthFinishReasonError), ("[[invalid]]", ValidationError)):
        messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": marker}]
        with pytest.raises(error):
            client.chat.completions.parse(model="gpt-4o", messages=messages, response_format=Colour)
    refused = client.chat.completions.parse(
        model="gpt-4o", messages=[{"role": "user", "content": "[[refusal]]"}], response_format=Colour
    )
    assert refused.choices[0].message.refusal == "I cannot help with that."
    assert [row.billed for row in api.ledger] == [True] * 4


def test_a_limit_cuts_the_answer_and_the_bill(api: StandIn, client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO, max_completion_tokens=3)
    assert (answer.choices[0].finish_reason, only(api).output_tokens) == ("length", 3)


def test_a_response_is_the_same_plain_streamed_and_read_again(api: StandIn, client: OpenAI) -> None:
    model = "gpt-5.6-terra"
    plain = client.responses.create(model=model, input="Say hello.")
    events = list(client.responses.create(model=model, input="Say hello.", stream=True))
    last = events[-1]
    assert last.type == "response.completed"
    again = client.responses.retrieve(last.response.id)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert plain.output_text == last.response.output_text == again.output_text
    assert same_response(plain.usage, api.ledger[0])
    assert same_response(last.response.usage, api.ledger[1])
    assert again.usage == last.response.usage
    assert [row.billed for row in api.ledger] == [True, True, False]


def test_responses_end_incomplete_or_failed_as_asked(client: OpenAI) -> None:
    cut = client.responses.create(model="gpt-4o", input="Say hello.", max_output_tokens=2)
    failed = list(client.responses.create(model="gpt-4o", input="[[failed]]", stream=True))[-1]
    with client.responses.stream(model="gpt-4o", input="x", text_format=Colour) as stream:
        parsed = stream.get_final_response().output_parsed
    assert (cut.status, failed.type) == ("incomplete", "response.failed")
    assert cut.incomplete_details is not None
    assert cut.incomplete_details.reason == "max_output_tokens"
    assert parsed == Colour(name="blue", depth=7)


def test_a_background_response_has_its_usage_later_and_is_billed_once(api: StandIn, client: OpenAI) -> None:
    early = client.responses.create(model="gpt-5", input="Take your time.", background=True)
    assert (early.status, early.usage) == ("queued", None)
    late = [client.responses.retrieve(early.id) for _ in range(2)]
    assert late[0].usage == late[1].usage
    assert same_response(late[0].usage, api.ledger[0])
    assert [row.requests for row in api.ledger] == [1, 0, 0]


def test_embeddings_come_as_floats_and_as_base64(api: StandIn, client: OpenAI) -> None:
    model, texts = "text-embedding-3-small", ["one two", "three"]
    floats = client.embeddings.create(model=model, input=texts, encoding_format="float")
    packed = client.embeddings.create(model=model, input=texts)
    assert floats.data == packed.data
    first, second = api.ledger
    assert floats.usage.total_tokens == packed.usage.prompt_tokens == first.input_tokens == second.input_tokens == 3
    assert first.response_id is None


def test_free_endpoints_book_nothing(api: StandIn, client: OpenAI) -> None:
    assert client.models.list().data
    assert client.moderations.create(input="calm").results[0].flagged is False
    assert client.responses.input_tokens.count(model="gpt-4o", input="one two").input_tokens == 2
    assert [(row.billed, row.requests, row.outcome) for row in api.ledger] == [(False, 0, "free")] * 3


def test_an_unknown_post_is_billed(api: StandIn, client: OpenAI) -> None:
    client.post("/next-big-thing", body={"input": "one two"}, cast_to=object)
    row = only(api)
    assert (row.endpoint, row.billed, row.input_tokens) == ("unknown", True, 2)


def test_azure_answers_on_its_own_paths(api: StandIn) -> None:
    with AzureOpenAI(azure_endpoint=api.azure_endpoint, api_key="azure-key-1", api_version="2024-10-21") as client:
        first = next(iter(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)))
    assert (first.choices, only(api).provider) == ([], "azure")
    assert only(api).path == "/openai/deployments/gpt-4o/chat/completions"


def test_azure_refuses_stream_options_before_it_knew_them(api: StandIn) -> None:
    made = AzureOpenAI(azure_endpoint=api.azure_endpoint, api_key="azure-key-1", api_version="2024-06-01")
    with made as client, pytest.raises(BadRequestError, match="stream_options"):
        client.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    assert only(api).billed is False
