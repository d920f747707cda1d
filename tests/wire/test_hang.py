"""Nothing is written from `close()`, a generator's exit or a finalizer: they may run under anybody's lock."""

import subprocess
import sys

import pytest

WAYS = ("collected", "forgotten", "closed", "left_waiting")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.wire.hang_program", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("way", WAYS)
def test_an_end_under_a_lock_waits_until_it_can_be_written(way: str) -> None:
    ran = run(way)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["closed_early", "1"]


@pytest.mark.parametrize("way", ["collected", "left_waiting"])
def test_the_same_program_hangs_where_ends_are_written_at_once(way: str) -> None:
    """Without this the test above would prove nothing."""
    ran = run(way, "inline")
    assert ran.returncode == 1
    assert "Timeout (0:00:02)!" in ran.stderr
    assert "in attempt_ended" in ran.stderr
