"""What the walls cannot say: the standard library is all a pure room needs, and what a process really loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tallyspan

PACKAGE = Path(tallyspan.__file__).parent
PURE = {
    "books": {"books"},
    "usage": {"books", "usage"},
    "reconcile": {"books", "reconcile"},
}
PLUGIN = {"instrumentor", "settings", "telemetry", "wire"}
CHECKER = {"cli", "demo", "ledger", "prices", "reconcile", "render", "statements"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers_of(prefix: str) -> set[str]:
    return {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if any(name == prefix or name.startswith(f"{prefix}.") for name in imported(file))
    }


def loaded_by(statement: str) -> set[str]:
    """Names of the modules in a new process that has run the statement."""
    command = [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def rooms(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("tallyspan.")}


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_import_only_the_standard_library(room: str) -> None:
    names = {name for file in (PACKAGE / room).rglob("*.py") for name in imported(file)}
    assert names, f"no file in {room}"
    assert tops(names) - set(sys.stdlib_module_names) <= {"tallyspan"}
    assert rooms(names) <= PURE[room]


def test_the_package_itself_loads_no_room() -> None:
    assert rooms(loaded_by("import tallyspan")) == set()


def test_no_command_loads_the_plugin() -> None:
    commands = sorted(file.stem for file in (PACKAGE / "cli").glob("*.py") if not file.stem.startswith("__"))
    assert {"bill", "check"} <= set(commands)
    names = loaded_by("import tallyspan.cli, " + ", ".join(f"tallyspan.cli.{command}" for command in commands))
    assert "cli" in rooms(names)
    assert not rooms(names) & PLUGIN
    assert not tops(names) & {"openai", "opentelemetry", "wrapt"}


def test_the_plugin_loads_neither_checker_nor_client() -> None:
    names = loaded_by("import tallyspan.instrumentor")
    assert "instrumentor" in rooms(names)
    assert not rooms(names) & CHECKER
    assert not tops(names) & {"genai_prices", "httpx", "httpx2", "msgspec", "openai", "rich"}
    assert not {name for name in names if name.startswith("opentelemetry.sdk")}


def test_asking_for_the_plugin_by_name_loads_it_and_nothing_of_the_checker() -> None:
    names = loaded_by("from tallyspan import TallyspanInstrumentor")
    assert "instrumentor" in rooms(names)
    assert not rooms(names) & CHECKER


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Ledger'"):
        getattr(tallyspan, "Ledger")  # noqa: B009 - a plain access is refused by the type checkers, as it should be


def test_nothing_imports_the_sdk_of_opentelemetry() -> None:
    assert importers_of("opentelemetry.sdk") == set()


def test_one_module_touches_the_unstable_logs_api() -> None:
    root = "instrumentor.py"
    assert importers_of("opentelemetry._logs") - {root} == {"telemetry/events.py"}
    named = {name for name in imported(PACKAGE / root) if name.startswith("opentelemetry._logs")}
    assert named <= {"opentelemetry._logs.LoggerProvider"}, "the root may name the type that it hands on, no more"
