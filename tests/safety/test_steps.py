"""No fault in any step of ours is seen by the application, or by the provider."""

import pytest
from tests.safety.house import Shape
from tests.safety.proof import FAULTS, Proof, Try, Visit, different, is_first, other_tries, road_of
from tests.safety.shapes import SHAPES

each_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name.replace(" ", "-"))


@each_shape
def test_a_house_alone_sees_the_same_twice(proof: Proof, shape: Shape) -> None:
    assert list(different(proof.alone(shape), proof.house.run(shape))) == []


@each_shape
def test_a_guest_without_fault_is_not_seen(proof: Proof, shape: Shape) -> None:
    assert list(different(proof.alone(shape), proof.visited(Visit(shape, road_of(shape))))) == []
    assert proof.guest.heard.lines == []


@each_shape
def test_no_function_that_fails_is_seen(proof: Proof, shape: Shape) -> None:
    visit = Visit(shape, road_of(shape))
    steps = proof.functions_to_try(visit)
    assert len(steps) > (1 if shape.name.endswith("free") else 20)
    tried = [Try(step) for step in steps if not shape.slow or step.startswith("wire/")]
    assert proof.seen_of((visit, attempt) for attempt in tried) == {}


def test_no_fault_between_two_statements_is_seen(proof: Proof) -> None:
    tried = [(visit, Try(step)) for step, visits in proof.first_met.items() for visit in visits if not is_first(step)]
    assert len(tried) > 500
    assert proof.seen_of(tried) == {}


def test_no_fault_of_another_kind_is_seen(proof: Proof) -> None:
    tried = [
        (visit, attempt)
        for step, visits in proof.first_met.items()
        if is_first(step)
        for visit in visits
        for attempt in other_tries(step, proof.inner_steps(visit).get(step, 0), visit)
    ]
    assert {attempt.fault for _, attempt in tried} == set(FAULTS)
    assert proof.seen_of(tried) == {}


def test_what_was_tried_was_proved(proof: Proof) -> None:
    """Comes last: what only a collector decides must stay the exception."""
    assert set(proof.tried) == set(FAULTS)
    assert len(proof.missed) * 100 <= proof.tried.total(), proof.missed
