"""However the provider bills what went wrong, the checker is right about it: the real plugin, client and ledger.

What OpenAI charges for an attempt that failed is not documented, so the stand-in of its API can believe anything; no
belief of ours may show in a verdict.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallyspan.demo import Booking, Share, StandIn, World
from tallyspan.demo.__main__ import write_books

APP = Path(__file__).parent / "apps" / "trouble.py"
INSTRUMENT = Path(sys.executable).parent / "opentelemetry-instrument"
WORLDS = [
    World(booking=Booking.START, aborted=aborted, unanswered_billed=unanswered, server_errors_billed=errors)
    for aborted, unanswered, errors in (
        (Share.WHOLE, True, True),
        (Share.SENT, True, False),
        (Share.SENT, False, True),
        (Share.NONE, False, False),
    )
]


def record(api: StandIn, books: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TALLYSPAN_"))}
    done = subprocess.run(
        [str(INSTRUMENT), sys.executable, str(APP)],
        env={
            **kept,
            **{f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")},
            "OPENAI_API_KEY": "sk-of-this-test-000000001234",
            "OPENAI_BASE_URL": api.base_url,
            "TALLYSPAN_HOSTS": api.host,
            "TALLYSPAN_SPOOL": str(books),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def check(books: Path, exports: Path) -> tuple[int, dict[str, object]]:
    words = ["check", str(books), *map(str, exports.glob("completions_usage_*.csv")), "--settle", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "tallyspan.cli", *words, "--format", "json"], capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world.aborted}, {world.unanswered_billed}")
def test_what_went_wrong_is_within_what_is_marked_unknown(world: World, tmp_path: Path) -> None:
    with StandIn(seed=3, world=world) as api:
        record(api, tmp_path / "books")
        honest, tampered = api.ledger, api.ledger[1:]
    write_books(honest, tmp_path / "exports")
    code, report = check(tmp_path / "books", tmp_path / "exports")
    assert (report["verdict"], code) == ("agrees_within_unknowns", 0), report["findings"]
    write_books(tampered, tmp_path / "tampered")
    code, report = check(tmp_path / "books", tmp_path / "tampered")
    assert (report["verdict"], code) == ("disagrees", 1)
