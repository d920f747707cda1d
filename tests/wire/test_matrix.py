"""Every shape of call, sync and async, on the generation of openai that is installed: our records against the truth."""

import asyncio

import pytest
from tests.wire import verdict
from tests.wire.bench import Bench
from tests.wire.conftest import Matrix
from tests.wire.guest import VERSION, Guest, at_once
from tests.wire.shape import Shape
from tests.wire.shapes import chat, clients, endings, faults, others, streams

from tallyspan.demo import StandIn
from tallyspan.demo.billing import LedgerRow
from tallyspan.wire.call import CALL

SHAPES: tuple[Shape, ...] = (
    *chat.SHAPES,
    *streams.SHAPES,
    *others.SHAPES,
    *faults.SHAPES,
    *endings.SHAPES,
    *clients.SHAPES,
)
MODES = ("sync", "async")

every_cell = pytest.mark.parametrize(
    ("shape", "mode"),
    [pytest.param(shape, mode, id=f"{shape.name}-{mode}") for shape in SHAPES for mode in MODES],
)


async def visit(api: StandIn, shape: Shape, mode: str) -> str | None:
    """Run a shape's body; return the name of the exception that the application got."""
    guest = Guest(api, shape.name, is_async=mode == "async")
    try:
        await shape.body(guest)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - what it is, is compared
        return type(error).__name__ if shape.raises is None or type(error).__name__ != "AssertionError" else repr(error)
    finally:
        await guest.leave()
    return None


def run(api: StandIn, bench: Bench, shape: Shape, mode: str) -> tuple[LedgerRow, ...]:
    """Run a cell; return the rows that it left in the ledger."""
    before = len(api.ledger)
    api.plan(*shape.plan)
    with bench:
        work = visit(api, shape, mode)
        raised = asyncio.run(work) if mode == "async" else at_once(work)
        assert CALL.get() is None
    assert raised == shape.raises or (shape.raises == "*" and raised is not None)
    assert api.plans_left == 0
    return api.ledger[before:]


def needed(shape: Shape, mode: str, matrix: Matrix) -> None:
    """Skip a cell that the installed SDK does not have."""
    if mode not in shape.modes or not all(probe() for probe in shape.needs):
        matrix.note(shape.name, mode, "n/a")
        pytest.skip(f"n/a: {shape.name}, {mode}")


@every_cell
def test_every_attempt_is_recorded_as_it_was(api: StandIn, matrix: Matrix, shape: Shape, mode: str) -> None:
    needed(shape, mode, matrix)
    matrix.note(shape.name, mode, "FAILED")
    bench = Bench(api)
    rows = run(api, bench, shape, mode)
    pairs, unsent = verdict.joined(rows, bench.written.records)
    assert tuple(verdict.label(record) for _, record in pairs) == shape.expect
    assert tuple(map(verdict.label, unsent)) == shape.unsent
    for row, record in pairs:
        if record is not None:
            verdict.judge_pair(row, record)
    verdict.judge_calls(bench, shape.calls)
    matrix.note(shape.name, mode, "ok")


@every_cell
def test_totals_agree_without_an_id_and_under_another_provider(
    contrary_api: StandIn, matrix: Matrix, shape: Shape, mode: str
) -> None:
    """Nothing to join by, and a provider that bills otherwise: what we flag must hold whatever it believes."""
    needed(shape, mode, matrix)
    bench = Bench(contrary_api, with_id=False)
    rows = run(contrary_api, bench, shape, mode)
    metered = [judged for judged in shape.expect if judged != verdict.UNMETERED]
    verdict.judge_totals(rows, bench.written.records, len(metered) + len(shape.unsent))
    verdict.judge_calls(bench, shape.calls)


def test_shapes_are_many_and_have_names_of_their_own() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 60


@pytest.mark.skipif(VERSION < (3, 0), reason="older generations lack some shapes")
def test_the_newest_generation_has_every_shape() -> None:
    assert [shape.name for shape in SHAPES if not all(probe() for probe in shape.needs)] == []
