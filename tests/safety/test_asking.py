"""Asking for a stream's usage changes no more than DESIGN allows, whatever of ours fails."""

from collections.abc import Iterator

import pytest
from tests.safety.forgiven import forgiven
from tests.safety.guest import Road
from tests.safety.house import Shape
from tests.safety.proof import Proof, Try, Visit, asks, different, is_first, road_of
from tests.safety.shapes import SHAPES

_ASKED = {
    "stream",
    "stream closed",
    "stream dropped",
    "stream split",
    "stream gzip",
    "stream cut",
    "stream error",
    "lines",
    "stream unbounded",
    "stream read by a hook",
    "lines split",
    "lines cut",
}
ASKED = [shape for shape in SHAPES if shape.name.removeprefix("async ") in {*_ASKED, "azure"}]
STREAMS = [*ASKED, *(shape for shape in SHAPES if "stream" in shape.name and shape not in ASKED)]
SHAPE = {shape.name: shape for shape in SHAPES}
HOLDING = ("usage/scan.py", "usage/sse.py")
HOLDING_STEPS = ["usage/scan.py:EventScan.scan", "usage/sse.py:split_events", "usage/scan.py:EventScan.finished"]

each_asked = pytest.mark.parametrize("shape", ASKED, ids=lambda shape: shape.name.replace(" ", "-"))
each_stream = pytest.mark.parametrize("shape", STREAMS, ids=lambda shape: shape.name.replace(" ", "-"))


@each_stream
def test_the_usage_that_we_ask_for_is_hidden(proof: Proof, shape: Shape) -> None:
    seen = proof.visited(Visit(shape, road_of(shape), "auto"))
    assert list(different(forgiven(proof.alone(shape)), forgiven(seen))) == []
    assert proof.guest.heard.lines == []


def test_usage_is_really_asked_for(proof: Proof) -> None:
    asking = [shape for shape in STREAMS if asks(proof.visited(Visit(shape, road_of(shape), "auto")))]
    assert {shape.name for shape in ASKED} <= {shape.name for shape in asking}


@each_asked
def test_no_byte_is_lost_when_a_step_fails(proof: Proof, shape: Shape) -> None:
    visit = Visit(shape, road_of(shape), "auto")
    assert proof.seen_of((visit, attempt) for attempt in tries(proof, visit)) == {}


def tries(proof: Proof, visit: Visit) -> Iterator[Try]:
    """Each function between the network and the application; where bytes are held, also in the middle of its work."""
    for step, times in proof.inner_steps(visit).items():
        if is_first(step) and step.startswith(("wire/", "usage/")):
            yield Try(step)
            if step.startswith(HOLDING) and times > 2:
                yield Try(step, only=times // 2 + 1)


@pytest.mark.parametrize("step", HOLDING_STEPS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_no_byte_is_lost_at_any_border(proof: Proof, step: str, *, is_async: bool) -> None:
    name = "async lines split" if is_async else "lines split"
    visit = Visit(SHAPE[name], Road.EVENTS, "auto")
    times = proof.inner_steps(visit)[step]
    assert times > 5
    assert proof.seen_of((visit, Try(step, only=time)) for time in range(1, times + 1, 3)) == {}


@pytest.mark.parametrize(
    "first", ["usage/scan.py:EventScan.scan", "wire/seam.py:_answered", "wire/attempt.py:Attempt.finish"]
)
@pytest.mark.parametrize("name", ["stream split", "async stream split", "stream cut", "async stream closed"])
def test_a_second_fault_is_not_seen_either(proof: Proof, name: str, first: str) -> None:
    visit = Visit(SHAPE[name], Road.EVENTS, "auto")
    steps = [step for step in proof.inner_steps(visit, Try(first)) if is_first(step) and step != first]
    assert proof.seen_of((visit, Try(step, after=first)) for step in steps) == {}
