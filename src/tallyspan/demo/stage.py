"""Where the demo plays: its folder, its programs and the environment they run in."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallyspan.demo.standin import StandIn

_MARKER = ".tallyspan-demo"
_SECONDS = 60
"""The longest that one program may take; a program takes about two seconds."""


class StageError(Exception):
    """The demo can not play here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """
    One showing.

    Attributes:
        folder: Where books and exports go; emptied at the start, if an earlier demo made it.
    """

    api: StandIn
    folder: Path

    @property
    def books(self) -> Path:
        """Where the plugin writes."""
        return self.folder / "books"

    @property
    def exports(self) -> Path:
        """Where the dashboard's files would be saved."""
        return self.folder / "exports"

    def record(self, app: str) -> None:
        """Run an app to its end under `opentelemetry-instrument`."""
        self._finish([_program("opentelemetry-instrument"), *_app(app)])

    def run_bare(self, app: str) -> None:
        """Run an app to its end, unrecorded."""
        self._finish(_app(app))

    def record_and_kill(self, app: str) -> None:
        """Run an app under `opentelemetry-instrument`, and kill it as soon as its request has arrived."""
        arrived = len(self.api.requests_seen)
        with subprocess.Popen(  # noqa: S603 - a program of the demo's own
            [_program("opentelemetry-instrument"), *_app(app)], env=self._environment(), stderr=subprocess.PIPE
        ) as process:
            _wait_for(lambda: len(self.api.requests_seen) > arrived or process.poll() is not None)
            process.kill()

    def tallyspan(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command line, in the demo's folder."""
        command = [sys.executable, "-m", "tallyspan.cli", *words]
        return subprocess.run(  # noqa: S603 - ours
            command, cwd=self.folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )

    def _finish(self, command: Sequence[str]) -> None:
        done = subprocess.run(  # noqa: S603 - a program of the demo's own
            command, env=self._environment(), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            message = f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"
            raise StageError(message)

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TALLYSPAN_"))}
        return {
            **kept,
            "OPENAI_API_KEY": "sk-shop-assistant-key-0000000007",
            "OPENAI_BASE_URL": self.api.base_url,
            "TALLYSPAN_HOSTS": self.api.host,
            "TALLYSPAN_SPOOL": str(self.books),
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }


def prepare(folder: Path) -> Path:
    """
    Make an empty folder for a showing; what an earlier demo left in it goes.

    Raises:
        StageError: The folder holds something that no demo put there.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARKER).exists():
            message = f"{folder} is not empty and not a demo's; name another folder with --out"
            raise StageError(message)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()
    return folder


def _program(name: str) -> str:
    """Find a program of this environment."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        message = f"{name} is not installed; pip install 'tallyspan[otel,check]' openai"
        raise StageError(message)
    return found


def _app(name: str) -> list[str]:
    return [sys.executable, str(Path(__file__).parent / "apps" / f"{name}.py")]


def _wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not holds():
        if time.monotonic() > end:
            message = f"nothing arrived within {_SECONDS} seconds"
            raise StageError(message)
        time.sleep(0.02)
