"""Two who watch the same client, patched in both orders: neither may see less than alone, and the application no more.

Each combination runs in a process of its own (`tests/rivals/app.py`). What a rival does not support on the installed
openai is printed as n/a.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

import openai
import pytest

ROOT = Path(__file__).parents[2]
OURS = "tallyspan"
RIVALS = {"openinference": "openinference-instrumentation-openai", "logfire": "logfire"}
ALL = "all watch"

Run: TypeAlias = Mapping[str, Any]
"""One shape of call: `result`, `rows` of the ledger, `records` of ours, `spans` by watcher, `stray` exceptions."""
Play: TypeAlias = Callable[..., Mapping[str, Mapping[str, Run]]]
"""Gives what was seen with these watchers, in this order: runs by shape, by stage."""

every_order = pytest.mark.parametrize(
    "order",
    [pytest.param(order, id=" under ".join(order)) for rival in RIVALS for order in ((OURS, rival), (rival, OURS))],
)


def _rival_of(order: Sequence[str]) -> str:
    return next(name for name in order if name != OURS)


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Run a combination once, however many tests look at it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OTEL_", "OPENAI_"))
    }
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))

    @cache
    def played(*watchers: str) -> Mapping[str, Mapping[str, Run]]:
        command = [sys.executable, "-m", "tests.rivals.app", *watchers]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        read: Mapping[str, Mapping[str, Run]] = json.loads(done.stdout)
        return read

    return played


def _is_object(node: object) -> TypeGuard[dict[str, object]]:
    return isinstance(node, dict)


def _is_list(node: object) -> TypeGuard[list[object]]:
    return isinstance(node, list)


def without(node: object, names: frozenset[str]) -> object:
    """Leave out what differs from run to run, at any depth."""
    if _is_object(node):
        return {key: without(value, names) for key, value in node.items() if key not in names}
    return [without(value, names) for value in node] if _is_list(node) else node


_NEW_EACH_TIME = frozenset({"id", "item_id", "created", "created_at", "completed_at"})
_OF_ITS_RUN = frozenset(
    {
        "tallyspan.record.id",
        "tallyspan.call.id",
        "tallyspan.end_time_unix_nano",
        "tallyspan.writer.id",
        "tallyspan.writer.sequence",
        "tallyspan.request_id",
        "gen_ai.response.id",
        "server.port",
        "tallyspan.bounds.input.max",
    }
)
_BOOKED = ("path", "model_requested", "stream", "fault", "status", "outcome", "billed", "input_tokens", "output_tokens")


def result(run: Run) -> list[object]:
    """Give what the application got. `usage: null` on a chunk is what asking for the usage leaves there."""
    got = without(run["result"], _NEW_EACH_TIME)
    return [_unasked(chunk) for chunk in got] if _is_list(got) else [_unasked(got)]


def _unasked(chunk: object) -> object:
    null = _is_object(chunk) and chunk.get("usage") is None
    return without(chunk, frozenset({"usage"})) if null else chunk


def booked(run: Run) -> list[list[object]]:
    """Give what the provider saw, apart from ids and times."""
    return [[row[name] for name in _BOOKED] for row in run["rows"]]


def calls(run: Run) -> list[int]:
    """Number the calls that the records belong to, for their ids are new in each run."""
    ids = [record["tallyspan.call.id"] for record in run["records"]]
    return [ids.index(call_id) for call_id in ids]


def shared(one: Mapping[str, Run], other: Mapping[str, Run]) -> Iterator[tuple[str, Run, Run]]:
    """Give the shapes of the second beside the same of the first."""
    assert other.keys() <= one.keys()
    for shape, run in other.items():
        yield shape, one[shape], run


def judge_records(run: Run) -> None:
    """Every attempt of the ledger has one record, by its `X-Client-Request-Id`, with its own counts."""
    records = {record["tallyspan.record.id"]: record for record in run["records"]}
    assert len(records) == len(run["records"])
    assert records.keys() == {row["client_request_id"] for row in run["rows"]} != set()
    for row in run["rows"]:
        record = records[row["client_request_id"]]
        assert record.get("tallyspan.request_id") in {None, row["request_id"]}
        if record["tallyspan.record.state"] == "measured":
            assert row["billed"]
            assert record.get("gen_ai.response.id") == row["response_id"]
            assert record["gen_ai.usage.input_tokens"] == row["input_tokens"]
            assert record.get("gen_ai.usage.output_tokens", 0) == row["output_tokens"]


@every_order
def test_records_are_those_without_a_rival(play: Play, order: Sequence[str]) -> None:
    for shape, alone, both in shared(play(OURS)[ALL], play(*order)[ALL]):
        assert calls(both) == calls(alone), shape
        assert without(both["records"], _OF_ITS_RUN) == without(alone["records"], _OF_ITS_RUN), shape


@every_order
@pytest.mark.parametrize("stage", [ALL, "with tallyspan again", "without the rival", "with the rival again"])
def test_each_attempt_is_recorded_once(play: Play, order: Sequence[str], stage: str) -> None:
    for run in play(*order)[stage.replace("the rival", _rival_of(order))].values():
        judge_records(run)


@every_order
def test_the_application_gets_what_it_gets_unwatched(play: Play, order: Sequence[str]) -> None:
    for shape, plain, both in shared(play()[ALL], play(*order)[ALL]):
        assert result(both) == result(plain), shape
        assert booked(both) == booked(plain), shape
        assert both["stray"] == plain["stray"], shape


@every_order
def test_the_rival_tells_what_it_tells_alone(play: Play, order: Sequence[str]) -> None:
    rival = _rival_of(order)
    for shape, alone, both in shared(play(rival)[ALL], play(*order)[ALL]):
        assert both["spans"][rival] == alone["spans"][rival], shape


@every_order
def test_switched_off_we_pass_through_and_the_rival_goes_on(play: Play, order: Sequence[str]) -> None:
    rival = _rival_of(order)
    for shape, alone, off in shared(play(rival)[ALL], play(*order)["without tallyspan"]):
        assert off["records"] == off["spans"][OURS] == [], shape
        assert off["spans"][rival] == alone["spans"][rival] != [], shape
        assert result(off) == result(alone), shape
        assert booked(off) == booked(alone), shape
        assert {row["client_request_id"] for row in off["rows"]} == {None}, shape


@pytest.mark.parametrize("rival", RIVALS)
def test_what_a_rival_tells_nothing_of_is_printed(play: Play, rival: str, capsys: pytest.CaptureFixture[str]) -> None:
    shapes = play(rival)[ALL]
    silent = [shape for shape, run in shapes.items() if not run["spans"][rival]]
    assert len(silent) < len(shapes)
    names = f"{RIVALS[rival]} {version(RIVALS[rival])} on openai {openai.__version__}"
    with capsys.disabled():
        sys.stdout.write(f"\n{names}: n/a {'; '.join(silent) or 'none'}\n")
