"""The numbering of the books."""

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from tallyspan.books.journal import ALIVE_EVERY_NS, Journal
from tallyspan.books.record import Billable, Entry, Mark, MarkKind, Phase, State, UsageRecord

RESULT = UsageRecord(
    record_id="r",
    state=State.MEASURED,
    billable=Billable.YES,
    requests=1,
    started_ns=1,
    ended_ns=2,
    call_id="c",
    attempt=0,
    operation="chat",
    provider="openai",
    endpoint="/chat/completions",
)
INTENT = replace(RESULT, phase=Phase.INTENT, ended_ns=None)
START, ALIVE, END = MarkKind.START, MarkKind.ALIVE, MarkKind.END


def journal(outlet: Callable[[Entry], None]) -> Journal:
    ids = count()
    return Journal(outlet, lambda: 1000, lambda: f"w{next(ids)}")


def test_a_process_that_records_nothing_leaves_no_mark() -> None:
    entries: list[Entry] = []
    books = journal(entries.append)
    books.tick(10 * ALIVE_EVERY_NS)
    books.close()
    assert entries == []


def test_results_and_marks_take_a_number_and_intents_take_none() -> None:
    entries: list[Entry] = []
    books = journal(entries.append)
    books.intent(INTENT)
    books.result(RESULT)
    books.tick(1000 + ALIVE_EVERY_NS - 1)
    books.tick(1000 + ALIVE_EVERY_NS)
    books.tick(1001 + ALIVE_EVERY_NS)
    books.result(RESULT)
    books.close()
    books.close()
    assert entries == [
        Entry("w0", 0, Mark(START, 1000)),
        Entry("w0", None, INTENT),
        Entry("w0", 1, RESULT),
        Entry("w0", 2, Mark(ALIVE, 1000 + ALIVE_EVERY_NS)),
        Entry("w0", 3, RESULT),
        Entry("w0", 4, Mark(END, 1000)),
    ]


def test_a_record_after_the_end_opens_the_writer_again() -> None:
    entries: list[Entry] = []
    books = journal(entries.append)
    books.result(RESULT)
    books.close()
    books.result(RESULT)
    books.close()
    assert [(entry.sequence, entry.item) for entry in entries] == [
        (0, Mark(START, 1000)),
        (1, RESULT),
        (2, Mark(END, 1000)),
        (3, RESULT),
        (4, Mark(END, 1000)),
    ]


def test_a_forked_child_is_another_writer() -> None:
    entries: list[Entry] = []
    books = journal(entries.append)
    books.result(RESULT)
    books.reset()
    books.tick(10 * ALIVE_EVERY_NS)
    books.result(RESULT)
    assert [(entry.writer_id, entry.sequence) for entry in entries] == [("w0", 0), ("w0", 1), ("w1", 0), ("w1", 1)]


def test_an_entry_that_could_not_be_written_leaves_a_gap() -> None:
    entries: list[Entry] = []

    def outlet(entry: Entry) -> None:
        if entry.sequence == 1:
            raise OSError(28, "full")
        entries.append(entry)

    books = journal(outlet)
    with pytest.raises(OSError, match="full"):
        books.result(RESULT)
    books.result(RESULT)
    assert [entry.sequence for entry in entries] == [0, 2]


def test_threads_never_share_a_number() -> None:
    entries: list[Entry] = []
    books = journal(entries.append)
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        for _ in range(250):
            books.result(RESULT)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.sequence for entry in entries if entry.sequence is not None) == list(range(1001))
    assert [entry.sequence for entry in entries if isinstance(entry.item, Mark)] == [0]
