"""The durable road, on a real file system, with real forks and kills."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from tallyspan.books.journal import Journal
from tallyspan.books.otlp_json import Encoder, TraceContext, decode
from tallyspan.books.record import Billable, Entry, Mark, MarkKind, Phase, State, UsageRecord
from tallyspan.spool.writer import SpoolWriter
from tallyspan.telemetry.sink import with_fallback

T0 = 1_700_000_000_000_000_000
RECORD = UsageRecord(
    record_id="r",
    state=State.MEASURED,
    billable=Billable.YES,
    requests=1,
    started_ns=T0,
    ended_ns=T0 + 1,
    call_id="c",
    attempt=0,
    operation="chat",
    provider="openai",
    endpoint="/chat/completions",
)
ENCODER = Encoder.of({"service.name": "shop"}, "1.2.3")


def writer(directory: Path) -> SpoolWriter:
    ids = count()
    return SpoolWriter(directory, ENCODER, lambda _: TraceContext(1, 2, 1), lambda: T0, lambda: f"id{next(ids)}")


def entries(file: Path) -> list[object]:
    return [item for line in file.read_bytes().splitlines() if line for item in decode(json.loads(line))]


def test_each_process_has_one_private_file_with_its_entries(tmp_path: Path) -> None:
    spool = writer(tmp_path / "books" / "here")
    books = Journal(spool.write, lambda: T0, lambda: "w")
    intent = replace(RECORD, phase=Phase.INTENT, ended_ns=None)
    assert not (tmp_path / "books").exists()
    books.intent(intent)
    books.result(RECORD)
    books.close()
    (file,) = (tmp_path / "books" / "here").iterdir()
    assert file.name == f"20231114T221320Z-{os.getpid()}-id0.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert entries(file) == [
        Entry("w", 0, Mark(MarkKind.START, T0)),
        Entry("w", None, intent),
        Entry("w", 1, RECORD),
        Entry("w", 2, Mark(MarkKind.END, T0)),
    ]


def test_every_write_begins_and_ends_with_a_newline(tmp_path: Path) -> None:
    spool = writer(tmp_path)
    spool.write(Entry("w", 1, RECORD))
    spool.write(Entry("w", 2, RECORD))
    (file,) = tmp_path.iterdir()
    lines = file.read_bytes().split(b"\n")
    assert [bool(line) for line in lines] == [False, True, False, True, False]
    assert b'"traceId":"00000000000000000000000000000001","spanId":"0000000000000002"' in lines[1]


def test_a_torn_line_does_not_swallow_its_neighbour(tmp_path: Path) -> None:
    spool = writer(tmp_path)
    spool.write(Entry("w", 1, RECORD))
    (file,) = tmp_path.iterdir()
    os.truncate(file, file.stat().st_size - 40)
    spool.write(Entry("w", 2, RECORD))
    *_, last = (line for line in file.read_bytes().splitlines() if line)
    assert decode(json.loads(last)) == (Entry("w", 2, RECORD),)


def test_a_short_write_is_written_again_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, lengths = os.write, iter((50, 10_000, 50, 50))

    def short(file: int, line: bytes) -> int:
        return real(file, line[: next(lengths)])

    monkeypatch.setattr(os, "write", short)
    spool = writer(tmp_path)
    spool.write(Entry("w", 1, RECORD))
    with pytest.raises(OSError, match="short write") as fault:
        spool.write(Entry("w", 2, RECORD))
    assert fault.value.errno == errno.ENOSPC
    (file,) = tmp_path.iterdir()
    torn, whole, *_ = (line for line in file.read_bytes().splitlines() if line)
    assert len(torn) == 49
    assert decode(json.loads(whole)) == (Entry("w", 1, RECORD),)


def test_what_the_spool_can_not_take_goes_the_other_road_with_the_same_number(tmp_path: Path) -> None:
    blocked = tmp_path / "not-a-directory"
    blocked.write_text("", encoding="utf-8")
    events: list[Entry] = []
    faults: list[tuple[str, Exception]] = []
    fallbacks: list[None] = []
    road = with_fallback(
        writer(blocked).write,
        events.append,
        lambda doing, fault: faults.append((doing, fault)),
        lambda: fallbacks.append(None),
    )
    books = Journal(road, lambda: T0, lambda: "w")
    books.intent(replace(RECORD, phase=Phase.INTENT, ended_ns=None))
    books.result(RECORD)
    assert events == [Entry("w", 0, Mark(MarkKind.START, T0)), Entry("w", 1, RECORD)]
    assert [type(fault) for _, fault in faults] == [FileExistsError] * 3
    assert len(fallbacks) == 3


CHILD = """
import os, sys, time
from pathlib import Path
from tallyspan.books.journal import Journal
from tallyspan.books.otlp_json import Encoder
from tallyspan.books.record import Billable, State, UsageRecord
from tallyspan.spool.writer import SpoolWriter

new_id = lambda: os.urandom(8).hex()
spool = SpoolWriter(Path(sys.argv[1]), Encoder.of({}, "1"), lambda call_id: None, time.time_ns, new_id)
books = Journal(spool.write, time.time_ns, new_id)
os.register_at_fork(after_in_child=lambda: (spool.reset(), books.reset()))

def record(name):
    books.result(UsageRecord(
        record_id=name, state=State.MEASURED, billable=Billable.YES, requests=1, started_ns=1, ended_ns=2,
        call_id="c", attempt=0, operation="chat", provider="openai", endpoint="/chat/completions"))
"""


def run_child(code: str, directory: Path) -> subprocess.CompletedProcess[str]:
    # No coverage or plugin of the parent's: only this code runs there.
    return subprocess.run(
        [sys.executable, "-c", CHILD + code, str(directory)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_forked_child_writes_a_file_of_its_own_as_a_writer_of_its_own(tmp_path: Path) -> None:
    done = run_child(
        """
record("before")
child = os.fork()
record("child" if child == 0 else "parent")
books.close()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
""",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, list[object]] = {}
    for file in tmp_path.iterdir():
        items = [item for item in entries(file) if isinstance(item, Entry)]
        assert len({item.writer_id for item in items}) == 1
        assert [item.sequence for item in items] == list(range(len(items)))
        names = [item.item.record_id for item in items if isinstance(item.item, UsageRecord)]
        told["/".join(names)] = [item.item.kind for item in items if isinstance(item.item, Mark)]
    assert told == {"before/parent": ["start", "end"], "child": ["start", "end"]}


def test_a_kill_loses_nothing_that_was_written(tmp_path: Path) -> None:
    done = run_child(
        """
import signal, threading
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
number = 0
while True:
    record(str(number))
    os.write(1, f"{number}\\n".encode())
    number += 1
""",
        tmp_path,
    )
    assert done.returncode == -signal.SIGKILL
    acknowledged = done.stdout.splitlines()
    assert len(acknowledged) > 10
    (file,) = tmp_path.iterdir()
    *lines, last = [line for line in file.read_bytes().split(b"\n") if line]
    if last.endswith(b"]}]}]}"):
        lines.append(last)
    whole = [item for line in lines for item in decode(json.loads(line))]
    names = [item.item.record_id for item in whole if isinstance(item, Entry) and isinstance(item.item, UsageRecord)]
    assert names[: len(acknowledged)] == acknowledged
