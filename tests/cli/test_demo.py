"""The demo is a test of the whole: it fails unless the checker finds what it planted, and nothing else."""

import subprocess
import sys
from pathlib import Path


def play(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tallyspan.cli", "demo", "--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def test_the_tour_finds_what_was_planted_and_can_be_played_again(tmp_path: Path) -> None:
    for _ in range(2):
        done = play(tmp_path / "demo")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "AGREES" in done.stdout
        assert "DISAGREES" in done.stdout
        assert "8,828,270 characters" in done.stdout


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = play(tmp_path)
    assert done.returncode == 2
    assert "name another folder with --out" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"
