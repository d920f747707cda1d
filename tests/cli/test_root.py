"""The root: exit codes, the nearest right word, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallyspan import cli
from tallyspan.cli.exits import EXIT_MEANINGS, Exit

REAL = Path(__file__).parents[1] / "statements" / "real" / "2025-04-23-incident"
COST = REAL / "cost_2025-03-24_2025-04-23.csv"


def failed(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert cli.main(argv) == Exit.COULD_NOT_RUN
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["bil"], "no command 'bil'; did you mean 'bill'?"),
        (["frobnicate"], "no command 'frobnicate' (see tallyspan --help)"),
        (["bill"], "the following arguments are required: FILE"),
        (["bill", "x.csv", "--chraged", "1"], "--chraged 1; did you mean '--charged'?"),
        (["bill", "x.csv", "--format", "xml"], "invalid choice: 'xml'"),
        (["bill", "x.csv", "--zzz"], "unrecognized arguments: --zzz (see"),
    ],
)
def test_a_wrong_word_is_one_line_that_helps(capsys: pytest.CaptureFixture[str], argv: list[str], said: str) -> None:
    assert said in failed(capsys, *argv)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_one_line_and_no_error_of_ours() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tallyspan.cli", "bill", str(COST)], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert done.stderr == b"tallyspan: stopped while reading or writing (No space left on device)\n"


def test_help_lists_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["bill", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    for code, meaning in EXIT_MEANINGS.items():
        assert f"{code.value} {meaning}" in out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out.startswith("tallyspan 0.")


def test_an_unexpected_fault_is_one_line_and_not_exit_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "bill", "tallyspan.cli.no_such_module")
    assert "internal error, please report it: ModuleNotFoundError" in failed(capsys, "bill", "x")


def test_a_reader_that_leaves_is_no_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-u", "-m", "tallyspan.cli", "bill", str(COST)]
    ran = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (Exit.COULD_NOT_RUN, "")


def test_bill_loads_neither_openai_nor_the_plugin() -> None:
    code = (
        "import sys; from tallyspan.cli import main; main(['bill', 'no-such-file'])\n"
        "print([name for name in ('openai', 'wrapt', 'opentelemetry', 'tallyspan.cli.check') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
