"""The form of the source tree, of the package's metadata and of its locks."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts

import tallyspan

PACKAGE = Path(tallyspan.__file__).parent
ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

LONGEST_FILE = 250
"""Lines: what a reader can hold. A longer file answers two questions and wants to be two."""
NO_NAMES = {"common", "data", "helper", "helpers", "info", "manager", "misc", "util", "utils"}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_file_answers_one_question(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert file.stem not in NO_NAMES


def test_the_plugin_depends_on_three_libraries() -> None:
    requires = distribution("tallyspan").requires or []
    plugin = [requirement for requirement in requires if "extra ==" not in requirement]
    names = sorted(re.split(r"[<>=!~\[ ]", requirement)[0] for requirement in plugin)
    assert names == ["opentelemetry-api", "opentelemetry-instrumentation", "wrapt"]
    assert all("<" in requirement for requirement in plugin)


def test_the_wheel_says_which_openai_it_instruments() -> None:
    requires = distribution("tallyspan").requires or []
    assert "openai<4,>=1.40; extra == 'instruments'" in requires
    assert get_dist_dependency_conflicts(distribution("tallyspan")) is None


def test_entry_points_name_the_plugin_and_the_command() -> None:
    points = {(point.group, point.name, point.value) for point in distribution("tallyspan").entry_points}
    assert points == {
        ("opentelemetry_instrumentor", "tallyspan", "tallyspan.instrumentor:TallyspanInstrumentor"),
        ("console_scripts", "tallyspan", "tallyspan.cli:main"),
    }


def test_every_lock_pins_and_hashes_and_names_no_index() -> None:
    assert {"dev", "demo", "openai-1.40", "openai-1.109", "openai-2", "openai-3", "uv"} <= {lock.stem for lock in LOCKS}
    for lock in LOCKS:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "index-url" not in text
        entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert entries
        assert all("==" in entry and entry.endswith("\\") for entry in entries), lock
