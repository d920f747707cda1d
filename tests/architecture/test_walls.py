"""The walls between the rooms: they stand, and each falls when somebody breaks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tallyspan

PACKAGE = Path(tallyspan.__file__).parent
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

PLANTED = [
    ("rooms", "books/record.py", "import tallyspan.usage"),
    ("rooms", "reconcile/__init__.py", "import tallyspan.usage"),
    ("rooms", "usage/__init__.py", "import tallyspan.reconcile"),
    ("rooms", "telemetry/__init__.py", "import tallyspan.wire"),
    ("rooms", "ledger/__init__.py", "import tallyspan.statements"),
    ("rooms", "wire/__init__.py", "import tallyspan.instrumentor"),
    ("rooms", "utils.py", "import tallyspan.books"),
    ("pure", "books/record.py", "import openai"),
    ("pure", "usage/__init__.py", "import time"),
    ("pure", "reconcile/__init__.py", "import msgspec"),
    ("roots", "settings.py", "import tallyspan.wire"),
    ("checker", "cli/__init__.py", "import tallyspan.wire"),
    ("checker", "ledger/__init__.py", "import opentelemetry"),
    ("plugin", "instrumentor.py", "import tallyspan.ledger"),
    ("plugin", "spool/__init__.py", "import rich"),
    ("demo", "demo/__init__.py", "import tallyspan.books"),
    ("demo-seen", "instrumentor.py", "import tallyspan.demo"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package and of its contracts."""
    shutil.copytree(PACKAGE, tmp_path / "tallyspan", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PYPROJECT, tmp_path)
    return tmp_path


def lint(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", *options]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=60, check=False)


def test_walls_stand(tree: Path) -> None:
    ran = lint(tree)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 broken" in ran.stdout


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_a_broken_wall_is_seen(tree: Path, contract: str, file: str, line: str) -> None:
    with (tree / "tallyspan" / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")

    ran = lint(tree, "--contract", contract)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "0 kept, 1 broken" in ran.stdout, ran.stdout + ran.stderr
