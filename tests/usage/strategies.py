"""What hypothesis plays with: streams of events, and ways to cut them."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from hypothesis import strategies as st

from tallyspan.usage.scan import EventScan

EXCHANGES = Path(__file__).parents[1] / "exchanges"


def body_of(name: str) -> bytes:
    """Read the body of a transcript: its first line names the source, then comes the head."""
    _source, _, rest = (EXCHANGES / f"{name}.http").read_bytes().partition(b"\n")
    return rest.partition(b"\n\n")[2]


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
names = st.sampled_from(
    [
        "choices", "usage", "id", "model", "prompt_tokens", "completion_tokens", "prompt_tokens_details", "response",
        "cached_tokens", "type", "error", "finish_reason", "status", "tool_usage", "web_search", "num_requests",
    ]
)  # fmt: skip
trees = st.recursive(
    leaves | st.sampled_from(["response.completed", "error", "stop"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)

counts = st.integers(0, 9_999)
usages = st.fixed_dictionaries({"prompt_tokens": counts, "completion_tokens": counts})
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


def _chunk(word: str, usage: object, finish: str | None) -> bytes:
    choice = {"index": 0, "delta": {"content": word}, "finish_reason": finish}
    chunk = {"id": "c", "model": "m", "choices": [choice], "usage": usage}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode()


chunks = st.builds(_chunk, words, st.none() | usages, st.none() | st.just("stop"))
odd = st.sampled_from(
    [
        b": ping",
        b"event: x\ndata: {}",
        b"data: {broken",
        b"data:[1]",
        b"id: 7",
        b'data: {"error":{"code":"x"}}',
        b"data:",
    ]
)
finals = usages.map(lambda usage: b"data: " + json.dumps({"id": "c", "choices": [], "usage": usage}).encode())


@st.composite
def event_streams(draw: st.DrawFn) -> bytes:
    """Draw a stream of chat chunks with one kind of line end, whole or cut short."""
    events = [*draw(st.lists(chunks | odd, max_size=5)), *draw(st.lists(finals, max_size=1))]
    events += draw(st.sampled_from([[], [b"data: [DONE]"]]))
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    whole = b"".join(event.replace(b"\n", end) + end + end for event in events)
    return whole[: len(whole) - draw(st.integers(0, 3))]


def cut(data: bytes, borders: Sequence[int]) -> Iterator[bytes]:
    """Cut bytes at the borders, wherever those fall."""
    at = sorted({border % (len(data) + 1) for border in borders} | {0, len(data)})
    yield from (data[start:end] for start, end in pairwise(at))


def read_in_pieces(scan: EventScan, pieces: Iterator[bytes]) -> bytes:
    """Feed a scan as the wire does; return what passes on."""
    passed, held, finished = b"", b"", False
    for piece in pieces:
        if finished:
            passed += piece
            continue
        whole, held = scan.scan(held + piece)
        finished = scan.finished
        passed += whole
        if finished:
            passed, held = passed + held, b""
    return passed + held
