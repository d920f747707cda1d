"""docs/bill.md shows what the command prints today; `TALLYSPAN_WRITE_DOCS=1` writes it anew."""

import os
import re
from pathlib import Path

import pytest

from tallyspan import cli

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "bill.md"
REAL = Path(__file__).parents[1] / "statements" / "real" / "2025-04-23-incident"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)


@pytest.mark.skipif(not PAGE.exists(), reason="the docs are not in the wheel's test tree")
def test_the_page_shows_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        cli.main(["bill", "--help"])
    shown = [f"$ tallyspan bill --help\n{capsys.readouterr().out}"]
    files = sorted(str(file) for file in REAL.glob("*.csv"))
    assert cli.main(["bill", *files, "--charged", "132.42"]) == 0
    printed = capsys.readouterr().out.replace(f"{REAL}{os.sep}", "")
    shown.append(f"$ tallyspan bill activity-*.csv cost_*.csv --charged 132.42\n{printed}")
    if os.environ.get("TALLYSPAN_WRITE_DOCS"):
        blocks = iter(shown)
        PAGE.write_text(BLOCK.sub(lambda _: next(blocks), PAGE.read_text()))
    assert BLOCK.findall(PAGE.read_text()) == shown
