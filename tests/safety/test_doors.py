"""A fault while the plugin is switched on or off leaves the application as it is without us."""

from typing import Any

import openai
import pytest
from tests.safety.guest import Road
from tests.safety.house import HTTP, inner
from tests.safety.proof import FAULTS, WORST, Proof, different, is_edge, is_first
from tests.safety.shapes import SHAPES

SHAPE = {shape.name: shape for shape in SHAPES}
WRAPPED: tuple[tuple[Any, str], ...] = (
    (inner(openai, "_base_client", "SyncAPIClient"), "request"),
    (inner(openai, "_base_client", "AsyncAPIClient"), "request"),
    (HTTP.Client, "send"),
    (HTTP.AsyncClient, "send"),
)


def wrapped() -> list[object]:
    return [vars(owner)[name] for owner, name in WRAPPED]


DOORS = {
    "instrumentor.py:TallyspanInstrumentor._instrument",
    "instrumentor.py:TallyspanInstrumentor._uninstrument",
    "instrumentor.py:TallyspanInstrumentor.flush",
    "instrumentor.py:TallyspanInstrumentor.instrumentation_dependencies",
    "instrumentor.py:TallyspanInstrumentor._forked",
    "wire/guard.py:Guard.run",
    "wire/guard.py:Guard.failed",
    "wire/patch.py:Patch._imported",  # the import system's callback
}
"""What holds the guard here, or gives a constant."""


def doors_met(proof: Proof) -> list[str]:
    return [step for step in proof.guest.probes.met if is_first(step) and step not in DOORS and not is_edge(step)]


@pytest.mark.parametrize("road", Road)
def test_a_fault_while_switching_on_is_not_seen(proof: Proof, road: Road) -> None:
    originals, chat, probes = wrapped(), SHAPE["chat"], proof.guest.probes
    probes.arm()
    with proof.guest.at_work(road):
        steps = doors_met(proof)
    assert len(steps) > 30
    said: list[str] = []
    for step in steps:
        probes.arm(step, fault=FAULTS[WORST])
        with proof.guest.at_work(road):
            assert probes.raised[step], step
            said += proof.guest.heard.ours
            assert list(different(proof.alone(chat), proof.house.run(chat))) == [], step
        assert wrapped() == originals, step
    assert said, "nothing was said in the log"


@pytest.mark.parametrize("road", Road)
def test_a_fault_while_switching_off_is_not_seen(proof: Proof, road: Road) -> None:
    originals, closed, probes = wrapped(), SHAPE["stream closed"], proof.guest.probes
    with proof.guest.at_work(road, rests=False):
        proof.house.run(closed)
        proof.guest.settle()
        probes.arm()
    steps = doors_met(proof)
    assert len(steps) > 10
    for step in steps:
        with proof.guest.at_work(road, rests=False):
            assert list(different(proof.alone(closed), proof.house.run(closed))) == [], step
            proof.guest.settle()
            probes.arm(step, fault=FAULTS[WORST])
        assert probes.raised[step], step
        probes.arm()
        with proof.guest.at_work(road):
            """Put right what was left: the next switching off takes all layers away."""
        assert wrapped() == originals, step
        assert list(different(proof.alone(closed), proof.house.run(closed))) == [], step
