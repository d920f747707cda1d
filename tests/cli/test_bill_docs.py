"""docs/bill.md shows what the command prints today."""

import os
import re
from pathlib import Path

import pytest
from inline_snapshot import external_file

from tallyspan import cli

PAGE = Path(__file__).parents[2] / "docs" / "bill.md"
REAL = Path(__file__).parents[1] / "statements" / "real" / "2025-04-23-incident"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)


def test_the_page_shows_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        cli.main(["bill", "--help"])
    screens = [f"$ tallyspan bill --help\n{capsys.readouterr().out}"]
    files = sorted(str(file) for file in REAL.glob("*.csv"))
    assert cli.main(["bill", *files, "--charged", "132.42"]) == 0
    printed = capsys.readouterr().out.replace(f"{REAL}{os.sep}", "")
    screens.append(f"$ tallyspan bill activity-*.csv cost_*.csv --charged 132.42\n{printed}")
    blocks = iter(screens)
    page = BLOCK.sub(lambda _: next(blocks), PAGE.read_text())
    assert page == external_file("../../docs/bill.md", format=".txt")
    assert list(blocks) == []
