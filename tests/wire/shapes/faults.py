"""What goes wrong on the way: refusals, time-outs, broken connections, broken answers."""

from tests.wire.guest import Guest
from tests.wire.shape import Shape

IMPATIENT = 0.25
"""Seconds: long enough for an answer that comes, short for one that does not."""


async def chat(guest: Guest) -> None:
    await guest.create()


async def quick(guest: Guest) -> None:
    await guest.create(timeout=IMPATIENT)


async def stream(guest: Guest) -> None:
    await guest.drain(guest.create(stream=True))


async def quick_stream(guest: Guest) -> None:
    await guest.drain(guest.create(stream=True, timeout=IMPATIENT))


async def asked(guest: Guest) -> None:
    await guest.drain(guest.create(stream=True, stream_options={"include_usage": True}))


async def lines(guest: Guest) -> None:
    told = guest.client.chat.completions.with_streaming_response.create(**guest.ask, stream=True)
    async with guest.held(told) as answer:
        await guest.drain(answer.iter_lines())


async def raw(guest: Guest) -> None:
    await guest.get(guest.client.chat.completions.with_raw_response.create(**guest.ask))


DROPPED = "dropped maybe"
NO = "http_error no"
MAYBE = "http_error maybe"
LATE = "timed_out maybe"
BROKEN = "APIConnectionError"

SHAPES = (
    *(
        Shape(name=f"{status}, then ok", body=chat, plan=(status, "ok"), expect=(NO, "measured"))
        for status in ("408", "409", "429")
    ),
    *(
        Shape(name=f"{status}, then ok", body=chat, plan=(status, "ok"), expect=(MAYBE, "measured"))
        for status in ("500", "503")
    ),
    Shape(name="400", body=chat, plan=("400",), expect=(NO,), raises="BadRequestError"),
    Shape(name="401", body=chat, plan=("401",), expect=(NO,), raises="AuthenticationError"),
    Shape(name="404 of a stream", body=stream, plan=("404",), expect=(NO,), raises="NotFoundError"),
    Shape(name="429 of a stream, then ok", body=stream, plan=("429", "ok"), expect=(NO, "measured")),
    Shape(name="429 three times", body=chat, plan=("429",) * 3, expect=(NO,) * 3, raises="RateLimitError"),
    Shape(name="500 three times", body=chat, plan=("500",) * 3, expect=(MAYBE,) * 3, raises="InternalServerError"),
    Shape(name="500 of a stream, zipped, then ok", body=stream, plan=("500+gzip", "ok"), expect=(MAYBE, "measured")),
    Shape(name="time-out, then ok", body=quick, plan=("timeout", "ok"), expect=(LATE, "measured")),
    Shape(name="time-out three times", body=quick, plan=("timeout",) * 3, expect=(LATE,) * 3, raises="APITimeoutError"),
    Shape(name="time-out of a stream, then ok", body=quick_stream, plan=("timeout", "ok"), expect=(LATE, "measured")),
    Shape(name="slow", body=quick, plan=("slow:30",)),
    Shape(name="drop before the head, then ok", body=chat, plan=("drop", "ok"), expect=(DROPPED, "measured")),
    Shape(name="drop after the head, then ok", body=chat, plan=("drop-head", "ok"), expect=(DROPPED, "measured")),
    Shape(name="drop in mid-body, then ok", body=chat, plan=("drop-body", "ok"), expect=(DROPPED, "measured")),
    Shape(name="drop three times", body=chat, plan=("drop",) * 3, expect=(DROPPED,) * 3, raises=BROKEN),
    Shape(
        name="drop of a stream before its head, then ok", body=stream, plan=("drop", "ok"), expect=(DROPPED, "measured")
    ),
    Shape(name="drop of a stream after its head", body=stream, plan=("drop-head",), expect=(DROPPED,), raises="*"),
    Shape(name="drop in mid-stream", body=stream, plan=("cut",), expect=(DROPPED,), raises="*"),
    Shape(name="drop in mid-stream, zipped", body=stream, plan=("cut+gzip",), expect=(DROPPED,), raises="*"),
    Shape(name="drop in mid-stream, split", body=stream, plan=("cut:5+split:1",), expect=(DROPPED,), raises="*"),
    Shape(name="drop in mid-stream, read by lines", body=lines, plan=("cut",), expect=(DROPPED,), raises="*"),
    Shape(name="reset in mid-stream", body=stream, plan=("reset",), expect=(DROPPED,), raises="*"),
    Shape(name="stall in mid-stream", body=quick_stream, plan=("hold",), expect=(LATE,), raises="*"),
    Shape(name="empty body", body=raw, plan=("empty",), expect=("empty_body maybe",)),
    Shape(name="empty stream", body=stream, plan=("empty",), expect=("empty_body maybe",)),
    Shape(name="no usage", body=chat, plan=("no-usage",), expect=("no_usage_field yes",)),
    Shape(name="no usage in a stream", body=stream, plan=("no-usage",), expect=("no_usage_field yes",)),
    Shape(name="bad JSON", body=raw, plan=("bad-json",), expect=("unreadable yes",)),
    Shape(
        name="bad JSON in a stream",
        body=stream,
        plan=("bad-json",),
        expect=("closed_early maybe",),
        raises="JSONDecodeError",
    ),
    Shape(name="bad JSON in a stream, read by lines", body=lines, plan=("bad-json",)),
    Shape(name="error event", body=stream, plan=("error-event",), expect=(DROPPED,), raises="APIError"),
    Shape(name="end without [DONE]", body=stream, plan=("eof",)),
    Shape(name="end without [DONE], asked", body=asked, plan=("eof",)),
    Shape(name="end in mid-stream", body=stream, plan=("eof:3",), expect=(DROPPED,)),
    Shape(name="running usage", body=stream, plan=("running-usage",)),
    Shape(name="running usage, asked", body=asked, plan=("running-usage",)),
    Shape(name="running usage, dropped", body=stream, plan=("running-usage+cut",), expect=(DROPPED,), raises="*"),
    Shape(name="running usage, ended", body=stream, plan=("running-usage+eof:3",), expect=(DROPPED,)),
    Shape(name="JSON, gzip", body=chat, plan=("gzip",)),
    Shape(name="JSON, split anywhere", body=chat, plan=("split",)),
    Shape(name="JSON, gzip byte by byte", body=chat, plan=("gzip+split:1",)),
    Shape(name="redirect", body=chat, plan=("redirect",), expect=("hidden_resend no", "measured")),
    Shape(name="redirect of a stream", body=stream, plan=("redirect",), expect=("hidden_resend no", "measured")),
    Shape(
        name="redirect of a stream, then cut",
        body=stream,
        plan=("redirect", "cut"),
        expect=("hidden_resend no", DROPPED),
        raises="*",
    ),
)
