"""Chat completions that come whole."""

from pydantic import BaseModel
from tests.wire.guest import Guest, Sdk, has
from tests.wire.shape import Shape

TOOL = {
    "type": "function",
    "function": {"name": "paint", "parameters": {"type": "object", "properties": {"colour": {"type": "string"}}}},
}


class Colour(BaseModel):
    """What the model shall answer."""

    colour: str


async def chat(guest: Guest) -> None:
    answer = await guest.create()
    assert answer.choices[0].message.content
    assert answer.usage.prompt_tokens


async def many(guest: Guest) -> None:
    assert len((await guest.create(n=3)).choices) == 3


async def tools(guest: Guest) -> None:
    answer = await guest.create(tools=[TOOL])
    assert answer.choices[0].message.tool_calls[0].function.name == "paint"


async def limited(guest: Guest) -> None:
    assert (await guest.create(max_tokens=3)).choices[0].finish_reason == "length"


async def reasoning(guest: Guest) -> None:
    for prompt in ("a", "b", "c", "d"):
        await guest.create(model="gpt-5.6-terra", messages=[{"role": "user", "content": prompt * 3}])


async def audio(guest: Guest) -> None:
    part = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    await guest.create(model="gpt-4o-audio-preview", messages=[{"role": "user", "content": [part]}])


async def prediction(guest: Guest) -> None:
    await guest.create(extra_body={"prediction": {"type": "content", "content": "as before"}})


async def tier(guest: Guest) -> None:
    await guest.create(extra_body={"service_tier": "flex"})


def _parse(guest: Guest) -> Sdk:
    chat_api = guest.client.chat if hasattr(guest.client.chat.completions, "parse") else guest.client.beta.chat
    return chat_api.completions.parse


def _can_parse() -> bool:
    return has("chat.completions.parse")() or has("beta.chat.completions.parse")()


async def parse(guest: Guest) -> None:
    answer = await guest.get(_parse(guest)(**guest.ask, response_format=Colour))
    assert isinstance(answer.choices[0].message.parsed, Colour)


async def parse_marked(guest: Guest) -> None:
    marked = {**guest.ask, "messages": [{"role": "user", "content": guest.prompt}]}
    await guest.get(_parse(guest)(**marked, response_format=Colour))


async def post(guest: Guest) -> None:
    answer = await guest.get(guest.client.post("/chat/completions", body=dict(guest.ask), cast_to=object))
    assert answer["usage"]


async def whole_url(guest: Guest) -> None:
    url = f"{guest.api.base_url}/chat/completions"
    assert await guest.get(guest.client.post(url, body=dict(guest.ask), cast_to=object))


async def raw_parsed(guest: Guest) -> None:
    raw = await guest.get(guest.client.chat.completions.with_raw_response.create(**guest.ask))
    parsed = raw.parse()
    assert parsed.usage.prompt_tokens
    assert raw.headers["x-request-id"]


async def raw_unparsed(guest: Guest) -> None:
    await guest.get(guest.client.chat.completions.with_raw_response.create(**guest.ask))


async def with_options(guest: Guest) -> None:
    await guest.get(guest.client.with_options(max_retries=0).chat.completions.create(**guest.ask))


async def copied(guest: Guest) -> None:
    await guest.get(guest.client.copy(timeout=30).chat.completions.create(**guest.ask))


async def extra_headers(guest: Guest) -> None:
    await guest.create(extra_headers={"X-Mine": "1"}, extra_query={"q": "1"})


async def stream_behind_the_back(guest: Guest) -> None:
    """The SDK is not told that it streams: we must not ask for what it could not be rid of."""
    raw = await guest.get(
        guest.client.chat.completions.with_raw_response.create(**guest.ask, extra_body={"stream": True})
    )
    assert b"usage" not in raw.http_response.content


SHAPES = (
    Shape(name="chat", body=chat),
    Shape(name="chat, three choices", body=many),
    Shape(name="chat, tools", body=tools),
    Shape(name="chat, limited", body=limited),
    Shape(name="chat, cached and reasoning", body=reasoning, expect=("measured",) * 4, calls=4),
    Shape(name="chat, audio", body=audio),
    Shape(name="chat, predicted output", body=prediction),
    Shape(name="chat, flex tier", body=tier),
    Shape(name="parse", body=parse, needs=(_can_parse,)),
    Shape(name="parse [[length]]", body=parse_marked, raises="LengthFinishReasonError", needs=(_can_parse,)),
    Shape(name="parse [[invalid]]", body=parse_marked, raises="ValidationError", needs=(_can_parse,)),
    Shape(name="client.post", body=post),
    Shape(name="client.post of a whole URL", body=whole_url),
    Shape(name="raw response, parsed", body=raw_parsed),
    Shape(name="raw response, never parsed", body=raw_unparsed),
    Shape(name="with_options", body=with_options),
    Shape(name="copy", body=copied),
    Shape(name="extra headers and query", body=extra_headers),
    Shape(name="stream by extra_body", body=stream_behind_the_back, expect=("stream_not_asked yes",)),
)
