"""The demo: an app is recorded, its books are checked against an export, and a bill is explained.

It shows a match, then a mismatch with planted faults, and knows by itself which findings there must be: the tour is
good only if the checker finds those and no others.
"""

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallyspan.demo.__main__ import write_books
from tallyspan.demo.json_tree import items, mapping, text
from tallyspan.demo.stage import Stage, prepare
from tallyspan.demo.standin import StandIn
from tallyspan.demo.worlds import Booking, World

INCIDENT: Final = Path(__file__).parent / "incident"

PLANTED: Final = (
    ("M01", "gpt-4o-mini-2024-07-18", "six streams whose caller declined to be told their usage"),
    ("M02", "o3", "a nightly job with a key of its own that nobody records"),
    ("M06", "gpt-4.1-2025-04-14", "a call that timed out, was billed, and was sent again"),
    ("M07", "gpt-4.1-mini-2025-04-14", "a call under way when its process was killed"),
    ("C05", "", "the killed process never said its end"),
    ("S03", "", "the killed call names an alias, and no answer said which model serves it (a note)"),
    ("X02", "", "an embeddings call, which is on another export (a note)"),
)
"""Code of the finding, model that it is about (none: not about a model), and what was planted."""


@dataclass
class Tour:
    """Tells the tour; `failures` is what was not as planted."""

    stage: Stage
    failures: list[str] = field(default_factory=list[str])

    def play(self) -> int:
        """Play all parts; 0 if everything was as planted."""
        self._match()
        self._mismatch()
        self._bill()
        self._say("")
        for failure in self.failures:
            self._say(f"NOT AS PLANTED: {failure}")
        if not self.failures:
            self._say(f"All as planted. Books and exports of this tour: {self.stage.folder}")
        return 1 if self.failures else 0

    def _match(self) -> None:
        self._title("1. Record an app, and check its books against the export")
        self._tell(
            "A stand-in of the OpenAI API runs on this machine and keeps its own ledger. The app is a plain user of "
            "the openai package; opentelemetry-instrument loads the plugin into it. One of its calls is refused with "
            "429 and sent again."
        )
        self._shell("TALLYSPAN_SPOOL=books opentelemetry-instrument python shop.py")
        self.stage.record("shop")
        self._check(expected=0)

    def _mismatch(self) -> None:
        self._title("2. Plant faults, and let the checker find them")
        for _, _, planted in PLANTED:
            self._say(f"   - {planted}")
        self._shell("TALLYSPAN_SPOOL=books opentelemetry-instrument python careless.py")
        self.stage.record("careless")
        self._shell("python nightly.py")
        self.stage.run_bare("nightly")
        self._shell("TALLYSPAN_SPOOL=books opentelemetry-instrument python worker.py & … kill -9 $!")
        self.stage.record_and_kill("worker")
        self._check(expected=1)
        self._compare_with_planted()

    def _bill(self) -> None:
        self._title("3. Explain a real bill from two exports alone")
        self._tell(
            "Exports that OpenAI wrote in April 2025, published by their owner, who was charged $132.42 and had no "
            "telemetry."
        )
        names = sorted(str(path) for path in INCIDENT.glob("*.csv"))
        shown = " ".join(Path(name).name for name in names)
        self._run(["bill", *names, "--charged", "132.42"], 0, f"tallyspan bill {shown} --charged 132.42")

    def _check(self, expected: int) -> None:
        write_books(self.stage.api.ledger, self.stage.exports)
        self._tell(
            "The export of the same period, as the dashboard would write it, is saved. --settle 0: today's figures are "
            "taken as final, not waited for."
        )
        words = self._check_words()
        self._run(words, expected, "tallyspan " + " ".join(words))

    def _check_words(self) -> list[str]:
        exports = sorted(self.stage.exports.glob("completions_usage_*.csv"))
        return ["check", "books", *(f"exports/{path.name}" for path in exports), "--settle", "0"]

    def _run(self, words: Sequence[str], expected: int, shown: str) -> None:
        self._shell(shown)
        done = self.stage.tallyspan(*words)
        self._say(done.stdout + done.stderr)
        if done.returncode != expected:
            self.failures.append(f"`{shown}` exited {done.returncode}, expected {expected}")

    def _compare_with_planted(self) -> None:
        done = self.stage.tallyspan(*self._check_words(), "--format", "json", "--verbose")
        report: object = json.loads(done.stdout)
        found = sorted(_findings(report))
        planted = sorted((code, model) for code, model, _ in PLANTED)
        self.failures.extend(f"{code} {model} was not found" for code, model in planted if (code, model) not in found)
        self.failures.extend(f"{code} {model} was found" for code, model in found if (code, model) not in planted)

    def _title(self, text: str) -> None:
        self._say(f"\n{text}\n{'=' * len(text)}")

    def _tell(self, text: str) -> None:
        self._say(textwrap.fill(text, 100))

    def _shell(self, command: str) -> None:
        self._say(f"\n$ {command}")

    def _say(self, text: str) -> None:
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()


def _findings(report: object) -> Iterator[tuple[str, str]]:
    """Yield code and model of each finding, once for each model that it is about."""
    for finding in items(mapping(report).get("findings")):
        code = text(mapping(finding).get("code")) or ""
        models = {text(mapping(bucket).get("model")) or "" for bucket in items(mapping(finding).get("buckets"))}
        yield from ((code, model) for model in models or {""})


def main(folder: Path) -> int:
    """
    Play the tour in `folder`; 0 if the checker found what was planted and nothing else.

    Raises:
        StageError: It can not be played here.
    """
    with StandIn(seed=42, world=World(booking=Booking.START)) as api:
        return Tour(Stage(api, prepare(folder).resolve())).play()
