"""Responses, embeddings, legacy completions, and what is not in the table."""

from tests.wire.guest import Guest, has
from tests.wire.shape import Shape
from tests.wire.shapes.chat import Colour

RESPONSES = has("responses.create")


async def create(guest: Guest) -> None:
    answer = await guest.get(guest.client.responses.create(model="gpt-5-mini", input=guest.prompt))
    assert answer.usage.input_tokens


async def stream(guest: Guest) -> None:
    told = guest.client.responses.create(model="gpt-5-mini", input=guest.prompt, stream=True)
    events = await guest.drain(told)
    assert events[-1].response.usage.output_tokens


async def stream_left(guest: Guest) -> None:
    told = await guest.get(guest.client.responses.create(model="gpt-4o", input=guest.prompt, stream=True))
    async for event in guest.each(told):
        if event.type == "response.output_text.delta":
            break
    await guest.get(told.close())


async def parse(guest: Guest) -> None:
    answer = await guest.get(guest.client.responses.parse(model="gpt-4o", input=guest.prompt, text_format=Colour))
    assert answer.output_parsed.colour


async def parse_invalid(guest: Guest) -> None:
    await guest.get(guest.client.responses.parse(model="gpt-4o", input=guest.prompt, text_format=Colour))


async def helper(guest: Guest) -> None:
    async with guest.held(guest.client.responses.stream(model="gpt-4o", input=guest.prompt)) as told:
        assert (await guest.get(told.get_final_response())).usage.total_tokens


async def background(guest: Guest) -> None:
    answer = await guest.get(guest.client.responses.create(model="gpt-4o", input=guest.prompt, background=True))
    assert answer.status == "queued"
    again = await guest.get(guest.client.responses.retrieve(answer.id))
    assert again.usage.total_tokens


async def search(guest: Guest) -> None:
    await guest.get(
        guest.client.responses.create(model="gpt-4o", input=guest.prompt, tools=[{"type": "web_search_preview"}])
    )


async def count(guest: Guest) -> None:
    await guest.get(guest.client.post("/responses/input_tokens", body={"input": "a b"}, cast_to=object))


async def embed(guest: Guest) -> None:
    answer = await guest.get(guest.client.embeddings.create(model="text-embedding-3-small", input=guest.prompt))
    assert answer.data[0].embedding


async def embed_floats(guest: Guest) -> None:
    await guest.get(
        guest.client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], encoding_format="float")
    )


async def embed_big(guest: Guest) -> None:
    """About 600 kB of answer."""
    inputs = [f"{guest.prompt} {number}" for number in range(100)]
    answer = await guest.get(
        guest.client.embeddings.create(
            model="text-embedding-3-large", input=inputs, dimensions=1536, encoding_format="base64"
        )
    )
    assert len(answer.data) == 100


async def embed_ids(guest: Guest) -> None:
    await guest.get(guest.client.embeddings.create(model="text-embedding-3-small", input=[[1, 2, 3], [4]]))


async def completion(guest: Guest) -> None:
    answer = await guest.get(guest.client.completions.create(model="gpt-3.5-turbo-instruct", prompt=guest.prompt, n=2))
    assert answer.usage.completion_tokens


async def completion_stream(guest: Guest) -> None:
    told = guest.client.completions.create(model="gpt-3.5-turbo-instruct", prompt=guest.prompt, stream=True)
    chunks = await guest.drain(told)
    assert all(chunk.choices for chunk in chunks)


async def unknown(guest: Guest) -> None:
    await guest.get(guest.client.post("/frobnicate", body={"model": "gpt-4o", "input": "x"}, cast_to=object))


async def moderation(guest: Guest) -> None:
    await guest.get(guest.client.moderations.create(input=guest.prompt))


async def models(guest: Guest) -> None:
    assert await guest.drain(guest.client.models.list())


async def stored(guest: Guest) -> None:
    """It costs nothing: it changes the metadata of an answer that was paid for."""
    answer = await guest.create()
    url = f"/chat/completions/{answer.id}"
    await guest.get(guest.client.post(url, body={"metadata": {}}, cast_to=object))


SHAPES = (
    Shape(name="responses", body=create, needs=(RESPONSES,)),
    Shape(name="responses [[length]]", body=create, needs=(RESPONSES,)),
    Shape(name="responses [[failed]]", body=create, needs=(RESPONSES,)),
    Shape(name="responses, stream", body=stream, needs=(RESPONSES,)),
    Shape(name="responses, stream split anywhere", body=stream, plan=("split",), needs=(RESPONSES,)),
    Shape(name="responses, stream [[length]]", body=stream, needs=(RESPONSES,)),
    Shape(name="responses, stream [[failed]]", body=stream, needs=(RESPONSES,)),
    Shape(
        name="responses, stream left",
        body=stream_left,
        plan=("hold:8",),
        needs=(RESPONSES,),
        expect=("closed_early maybe",),
    ),
    Shape(
        name="responses, stream cut",
        body=stream,
        plan=("cut:5",),
        needs=(RESPONSES,),
        expect=("dropped maybe",),
        raises="*",
    ),
    Shape(
        name="responses, error event",
        body=stream,
        plan=("error-event",),
        needs=(RESPONSES,),
        expect=("dropped maybe",),
        raises="*",
    ),
    Shape(name="responses, parse", body=parse, needs=(has("responses.parse"),)),
    Shape(
        name="responses, parse [[invalid]]",
        body=parse_invalid,
        raises="ValidationError",
        needs=(has("responses.parse"),),
    ),
    Shape(name="responses, helper", body=helper, needs=(has("responses.stream"),)),
    Shape(
        name="responses, background",
        body=background,
        needs=(has("responses.create", takes="background"),),
        expect=("pending yes", "unmetered"),
    ),
    Shape(name="responses, web search", body=search, needs=(RESPONSES,)),
    Shape(name="counting of input tokens", body=count, expect=("unmetered",), calls=0),
    Shape(name="embeddings", body=embed),
    Shape(name="embeddings, floats", body=embed_floats),
    Shape(name="embeddings, big", body=embed_big),
    Shape(name="embeddings, big, gzip", body=embed_big, plan=("gzip",)),
    Shape(name="embeddings of token ids", body=embed_ids),
    Shape(name="legacy completion", body=completion),
    Shape(name="legacy completion, stream", body=completion_stream),
    Shape(name="an unknown POST", body=unknown, expect=("no_usage_field maybe",)),
    Shape(name="a POST to a stored answer", body=stored, expect=("measured", "unmetered")),
    Shape(name="moderation", body=moderation, expect=("unmetered",), calls=0),
    Shape(name="list of models", body=models, expect=("unmetered",), calls=0),
)
