"""Runs all subjects side by side and prints one table. `BENCH_ROUNDS` sets the number of rounds, 20 by default."""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.startup import startup
from benchmarks.subjects import SUBJECTS
from benchmarks.worker import WORK

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
_STARTS = 7
_LONGEST_SECONDS = 110 if ROUNDS <= 20 else None  # noqa: PLR2004 - the default
"""No round begins after this time, however busy the machine is."""

Rounds = dict[str, list[dict[str, tuple[int, int]]]]


class Worker:
    """One subject's process."""

    def __init__(self, subject: str, environment: Mapping[str, str], stack: ExitStack) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", subject]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)  # noqa: S603 - ourselves
        self._process = stack.enter_context(process)
        stack.callback(process.terminate)
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None  # noqa: S101 - a pipe, for the type checker
        line = self._process.stdout.readline()
        if not line:
            message = "a worker stopped; what it said is above"
            raise SystemExit(message)
        return line

    def round(self) -> dict[str, tuple[int, int]]:
        """Measure once."""
        assert self._process.stdin is not None  # noqa: S101 - as above
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        figures: dict[str, tuple[int, int]] = json.loads(self._answer())
        return figures


def measure(environment: Mapping[str, str]) -> Rounds:
    """Let every subject have its turn in every round, each time in another order."""
    shuffle = random.Random(0).shuffle  # noqa: S311 - an order, not a secret
    rounds: Rounds = {subject: [] for subject in SUBJECTS}
    begun = time.monotonic()
    with ExitStack() as stack:
        workers = {subject: Worker(subject, environment, stack) for subject in SUBJECTS}
        for _ in range(ROUNDS):
            if _LONGEST_SECONDS is not None and time.monotonic() - begun > _LONGEST_SECONDS:
                break
            order = list(SUBJECTS)
            shuffle(order)
            for subject in order:
                rounds[subject].append(workers[subject].round())
    return rounds


def _figures(pairs: Sequence[tuple[int, int]]) -> str:
    ratios = [subject / plain for plain, subject in pairs]
    low, middle, high = statistics.quantiles(ratios, n=4)
    added = statistics.median((subject - plain) / 2000 for plain, subject in pairs)
    return f"{added:8.2f} {middle:7.3f}  {low:.3f}..{high:.3f}"


def table(rounds: Rounds) -> str:
    """Give the table: CPU added to each chat call and to each streamed chunk, medians of rounds."""
    head = f"{'':20} {'chat: us':>8} {'ratio':>7}  {'quartiles':12}  {'chunk: us':>9} {'ratio':>6}  quartiles"
    lines = [
        f"{subject:20} " + "   ".join(_figures([each[work] for each in found]) for work in WORK)
        for subject, found in rounds.items()
    ]
    plain = {
        work: statistics.median(each[work][0] / 2000 for found in rounds.values() for each in found) for work in WORK
    }
    count = len(next(iter(rounds.values())))
    foot = f"plain: {plain['chat']:.0f} us a chat call, {plain['chunk']:.1f} us a chunk; {count} rounds"
    return "\n".join([head, *lines, foot])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as compiled:
        unset = {"PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED"}
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        environment["PYTHONPYCACHEPREFIX"] = compiled  # start-up is measured as an installed application has it
        environment["TMPDIR"] = compiled  # for the spool
        starts = startup(_STARTS, environment)
        rounds = measure(environment)
    print(table(rounds))  # noqa: T201 - the result
    print("start-up without openai, ms CPU: " + ", ".join(f"{name} {cost:.0f}" for name, cost in starts.items()))  # noqa: T201
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
