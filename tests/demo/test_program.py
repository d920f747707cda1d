"""The stand-in runs as a program of its own, is steered from outside and leaves its books."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallyspan.demo import Stranger
from tallyspan.demo.__main__ import main
from tallyspan.demo.faults import FAULTS
from tallyspan.demo.json_tree import mapping

WAIT = 20


@dataclass(frozen=True)
class Program:
    process: subprocess.Popen[str]
    stranger: Stranger
    out: Path


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    command = [sys.executable, "-m", "tallyspan.demo", "--seed", "4", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        host = process.stdout.readline().strip().removeprefix("http://").removesuffix("/v1")
        yield Program(process, Stranger(host), tmp_path)
        process.terminate()
        assert process.wait(WAIT) == 0


def test_it_writes_ledger_and_exports_when_it_is_stopped(program: Program) -> None:
    assert program.stranger.chat("hello").status == 200
    program.process.terminate()
    assert program.process.wait(WAIT) == 0
    day = datetime.now(UTC).date()
    assert {path.name.replace(str(day), "DAY") for path in program.out.iterdir()} == {
        "ledger.jsonl",
        "completions_usage_DAY_DAY.csv",
        "embeddings_usage_DAY_DAY.csv",
        "cost_DAY_DAY.csv",
    }
    row = mapping(json.loads((program.out / "ledger.jsonl").read_text()))
    assert (row["billed"], row["model_served"]) == (True, "gpt-4o-2024-08-06")


def test_another_process_plans_faults_moves_the_clock_and_reads(program: Program) -> None:
    stranger = program.stranger
    stranger.post("/__standin__/clock", {"hold": 1_795_305_600})
    stranger.post("/__standin__/plan", {"scripts": ["429", "ok"], "path": "/chat/completions"})
    assert [stranger.chat("hello").status for _ in range(2)] == [429, 200]
    rows = [json.loads(line) for line in stranger.get("/__standin__/ledger").body.splitlines()]
    assert [(row["status"], row["started_ns"]) for row in rows] == [
        (429, 1_795_305_600 * 10**9),
        (200, 1_795_305_600 * 10**9),
    ]
    period = "first=2026-11-22&last=2026-11-22"
    usage = stranger.get(f"/__standin__/export?kind=completions_usage&{period}&columns=24").body
    assert usage.count(b"\n") == 2
    assert stranger.post("/__standin__/plan", {"scripts": ["mischief"]}).status == 400
    assert stranger.get("/__standin__/nothing").status == 404


def test_its_help_names_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert [name for name in FAULTS if f"\n  {name} " not in shown] == []
