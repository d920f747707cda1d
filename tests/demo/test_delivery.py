"""However the bytes are cut, compressed or delayed, what arrives is what was meant."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from tallyspan.demo import delivery
from tallyspan.demo.answer import answer_to
from tallyspan.demo.ask import ask_of
from tallyspan.demo.chat import chat_reply
from tallyspan.demo.faults import script_of
from tallyspan.demo.orders import Order
from tallyspan.demo.reply import Reply, compact
from tallyspan.demo.worlds import Outcome

STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"content":"[[words:12]]"}]}'
PLAIN = STREAM.replace(b"true", b"false")


def reply_to(body: bytes) -> Reply:
    ask = ask_of(body)
    assert ask is not None
    return chat_reply(Order(ask, answer_to(ask, 1), seed=1, number=0, started_ns=0))


def delivered(body: bytes, script: str, seed: int = 0) -> list[delivery.Step]:
    return list(delivery.steps(reply_to(body), script_of(script), (), seed))


def sent(steps: list[delivery.Step]) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, delivery.Send))


def unchunked(wire: bytes) -> tuple[bytes, bool]:
    """Undo head and chunked transfer encoding; tell whether the end mark came."""
    rest = wire.partition(b"\r\n\r\n")[2]
    parts: list[bytes] = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return b"".join(parts), rest == b"\r\n"
        assert rest[length : length + 2] == b"\r\n"
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(parts), False


@given(seed=st.integers(0, 2**32), size=st.integers(0, 40), packed=st.booleans())
def test_chunk_borders_anywhere_change_no_byte(seed: int, size: int, *, packed: bool) -> None:
    script = f"split:{size}" + ("+gzip" if packed else "")
    body, ended = unchunked(sent(delivered(STREAM, script, seed)))
    whole = b"".join(event.encoded() for event in reply_to(STREAM).events)
    assert (zlib.decompress(body, 31) if packed else body, ended) == (whole, True)


def test_split_1_sends_byte_by_byte() -> None:
    sizes = {len(step.data) for step in delivered(STREAM, "split:1")[1:-2] if isinstance(step, delivery.Send)}
    assert sizes == {len(b"1\r\nx\r\n")}


def test_a_plain_answer_is_booked_before_its_bytes_leave() -> None:
    book, send = delivered(PLAIN, "ok")
    assert book == delivery.Book(Outcome.COMPLETE)
    assert isinstance(send, delivery.Send)
    assert send.data.endswith(b"\r\n\r\n" + compact(reply_to(PLAIN).payload))


def test_gzip_names_itself_and_unpacks() -> None:
    head, _, body = sent(delivered(PLAIN, "gzip")).partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert gzip.decompress(body) == compact(reply_to(PLAIN).payload)


def test_the_tokens_of_all_steps_are_the_tokens_of_the_answer() -> None:
    for script in ("ok", "split", "split:1", "gzip", "gzip+split", "drip:1", "crlf+ping"):
        steps = delivered(STREAM, script)
        assert sum(step.tokens for step in steps if isinstance(step, delivery.Send)) == 12, script


def test_a_cut_stream_has_no_end_mark_and_an_eof_one_has() -> None:
    for script, ends in (("cut:3", False), ("reset:3", False), ("eof:3", True), ("error-event:3", True)):
        steps = delivered(STREAM, script)
        body, ended = unchunked(sent(steps))
        assert (body.count(b"data: "), ended) == (3 + ("error" in script), ends), script
        assert delivery.Book(Outcome.ABORTED) in steps


def test_only_the_done_mark_is_missing_after_eof() -> None:
    body, ended = unchunked(sent(delivered(STREAM, "eof")))
    whole = b"".join(event.encoded() for event in reply_to(STREAM).events)
    assert (body + b"data: [DONE]\n\n", ended) == (whole, True)
    assert delivery.Book(Outcome.COMPLETE) in delivered(STREAM, "eof")
