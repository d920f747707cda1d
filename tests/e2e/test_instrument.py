"""The plugin as users switch it on: under the real `opentelemetry-instrument`, with the real SDK behind it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallyspan.books.otlp_json import decode
from tallyspan.books.record import Entry, Mark, MarkKind, Phase, Reason, State, UsageRecord
from tallyspan.demo import StandIn

APP = Path(__file__).parent / "apps" / "calls.py"
INSTRUMENT = Path(sys.executable).parent / "opentelemetry-instrument"


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn(seed=7) as standing:
        yield standing


def run(api: StandIn, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TALLYSPAN_"))}
    signals = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    ours = {"TALLYSPAN_HOSTS": api.host, "TALLYSPAN_CLIENT_REQUEST_ID": "on"}
    openai = {"OPENAI_API_KEY": "sk-of-this-test-000000001234", "OPENAI_BASE_URL": api.base_url}
    return subprocess.run(
        [str(INSTRUMENT), sys.executable, str(APP), *words],
        env={**kept, **signals, **ours, **openai, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def spooled(folder: Path) -> list[Entry]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines() if line]
    entries = [entry for line in lines for entry in decode(json.loads(line))]
    assert all(isinstance(entry, Entry) for entry in entries)
    return [entry for entry in entries if isinstance(entry, Entry)]


def results(entries: list[Entry]) -> list[UsageRecord]:
    found = [entry.item for entry in entries if isinstance(entry.item, UsageRecord)]
    return [record for record in found if record.phase is Phase.RESULT]


def marks(entries: list[Entry]) -> list[MarkKind]:
    return [entry.item.kind for entry in entries if isinstance(entry.item, Mark)]


def test_each_attempt_of_the_ledger_is_in_the_spool(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "chat", "stream", TALLYSPAN_SPOOL=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    entries = spooled(tmp_path)
    assert [record.record_id for record in results(entries)] == [row.client_request_id for row in api.ledger]
    assert {record.state for record in results(entries)} == {State.MEASURED}
    assert marks(entries) == [MarkKind.START, MarkKind.END]
    assert sorted(entry.sequence for entry in entries if entry.sequence is not None) == [0, 1, 2, 3]


def test_a_stream_that_is_open_at_exit_is_written_before_the_end(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "leave", TALLYSPAN_SPOOL=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    entries = spooled(tmp_path)
    assert [record.reason for record in results(entries)] == [Reason.UNOBSERVED]
    assert entries[-1].item == Mark(MarkKind.END, entries[-1].item.time_ns if isinstance(entries[-1].item, Mark) else 0)


def test_a_killed_process_leaves_what_it_knew(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "chat", "kill", TALLYSPAN_SPOOL=str(tmp_path))
    assert done.returncode == -9
    entries = spooled(tmp_path)
    assert len(results(entries)) == 1
    assert marks(entries) == [MarkKind.START]


def test_a_forked_child_is_a_writer_of_its_own(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "chat", "fork", "chat", TALLYSPAN_SPOOL=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    entries = spooled(tmp_path)
    written = {entry.writer_id: 0 for entry in entries}
    for entry in entries:
        written[entry.writer_id] += isinstance(entry.item, UsageRecord) and entry.sequence is not None
    assert sorted(written.values()) == [1, 2]
    assert len({record.record_id for record in results(entries)}) == len(api.ledger) == 3
    assert sorted(marks(entries)) == [MarkKind.END, MarkKind.END, MarkKind.START, MarkKind.START]


def test_without_a_spool_the_books_are_log_events(api: StandIn) -> None:
    done = run(api, "chat", OTEL_LOGS_EXPORTER="console")
    names = [line.split('"')[3] for line in done.stdout.splitlines() if '"event_name"' in line]
    assert names == ["tallyspan.writer", "tallyspan.usage", "tallyspan.writer"]
    assert '"gen_ai.usage.input_tokens": ' in done.stdout


def test_a_span_tells_the_call(api: StandIn) -> None:
    done = run(api, "stream", OTEL_TRACES_EXPORTER="console")
    assert '"name": "chat gpt-4o-mini"' in done.stdout
    assert '"gen_ai.usage.output_tokens": ' in done.stdout
    assert '"kind": "SpanKind.CLIENT"' in done.stdout


def test_its_own_name_switches_it_off(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "chat", TALLYSPAN_SPOOL=str(tmp_path), OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="tallyspan")
    assert done.returncode == 0
    assert spooled(tmp_path) == []


def test_openais_name_leaves_it_on(api: StandIn, tmp_path: Path) -> None:
    run(api, "chat", TALLYSPAN_SPOOL=str(tmp_path), OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="openai")
    assert len(results(spooled(tmp_path))) == 1


def test_switching_on_twice_records_once(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "twice", TALLYSPAN_SPOOL=str(tmp_path))
    assert done.returncode == 0
    assert len(results(spooled(tmp_path))) == 1


def test_switched_off_it_records_nothing_and_can_be_switched_on_again(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "chat", "off", "on", "chat", TALLYSPAN_SPOOL=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "Attempting to uninstrument while already uninstrumented\n")
    assert len(api.ledger) == 3
    recorded = {record.record_id for record in results(spooled(tmp_path))}
    assert [row.client_request_id in recorded for row in api.ledger] == [True, False, True]


def test_a_wrong_setting_is_one_warning_and_the_default(api: StandIn, tmp_path: Path) -> None:
    done = run(api, "stream", TALLYSPAN_SPOOL=str(tmp_path), TALLYSPAN_STREAM_USAGE="perhaps")
    assert done.returncode == 0
    said = (
        "tallyspan: TALLYSPAN_STREAM_USAGE is 'perhaps'; expected `auto`, `on` or `off`; "
        "using `auto`: for OpenAI's own hosts, and Azure where it is supported"
    )
    assert [line for line in done.stderr.splitlines() if "TALLYSPAN_STREAM_USAGE" in line] == [said]
    assert [record.state for record in results(spooled(tmp_path))] == [State.MEASURED]


def test_no_key_and_no_prompt_is_in_the_books(api: StandIn, tmp_path: Path) -> None:
    run(api, "chat", "stream", TALLYSPAN_SPOOL=str(tmp_path))
    written = "".join(path.read_text() for path in tmp_path.glob("*.jsonl"))
    assert "sk-of" not in written
    assert "raining" not in written


def test_a_key_hint_is_the_masked_form(api: StandIn, tmp_path: Path) -> None:
    run(api, "chat", TALLYSPAN_SPOOL=str(tmp_path), TALLYSPAN_API_KEY_HINT="on")
    assert [record.api_key_hint for record in results(spooled(tmp_path))] == ["sk-...1234"]


def test_a_spool_that_can_not_be_written_falls_back_to_events(api: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.touch()
    done = run(api, "chat", TALLYSPAN_SPOOL=str(file), OTEL_LOGS_EXPORTER="console")
    assert done.returncode == 0
    assert done.stdout.count('"event_name": "tallyspan.usage"') == 1
    assert done.stderr.count("write to the spool failed") == 1
