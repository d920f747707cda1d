"""What asking for a stream's usage may change: the request's `stream_options`, and `usage: null` on chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from tests.safety.house import Outcome

from tallyspan.demo import Request

_ASKED = {"include_usage": True}
_OF_THE_ASKING = {"content-length"}


def forgiven(outcome: Outcome, *, faulty: bool = False) -> Outcome:
    """Take out of an outcome what may differ; the usage event itself only where a fault may have let it through."""
    chunks = tuple(piece for chunk in outcome.chunks for piece in _pieces(chunk, faulty=faulty))
    return replace(outcome, chunks=chunks, requests=tuple(map(_unasked, outcome.requests)))


def _unasked(request: Request) -> Request:
    headers = tuple((name, value) for name, value in request.headers if name.lower() not in _OF_THE_ASKING)
    body = _object(request.body)
    if body is None:
        return request
    if body.get("stream_options") == _ASKED:
        del body["stream_options"]
    return replace(request, headers=headers, body=json.dumps(body).encode())


def _pieces(chunk: str, *, faulty: bool) -> Iterator[str]:
    """Cut what was given into events; a line of a stream is part of one."""
    text = _decoded(chunk)
    if "data: " not in text:
        yield from _event(chunk, faulty=faulty)
        return
    for line in text.splitlines():
        if line.startswith("data: "):
            yield from _event(line.removeprefix("data: "), faulty=faulty)
        elif line:
            yield line


def _decoded(chunk: str) -> str:
    try:
        text: object = json.loads(chunk)
    except ValueError:
        return chunk
    return text if isinstance(text, str) else chunk


def _event(text: str, *, faulty: bool) -> Iterator[str]:
    event = _object(text)
    if event is None:
        if text != '""':  # the blank line behind an event
            yield text
        return
    usage = event.pop("usage", None)
    if usage is None:
        yield json.dumps(event)
    elif not (faulty and event.get("choices") == []):
        yield json.dumps({**event, "usage": usage})


def _object(text: str | bytes) -> dict[str, object] | None:
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
