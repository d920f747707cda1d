"""Files of books, as writers and collectors leave them."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reconcile.scenario import entries, measured
from tests.reconcile.write_cases import two_line_record

from tallyspan.books.otlp_json import Encoder
from tallyspan.books.record import Entry, Mark, MarkKind
from tallyspan.ledger import BooksError, looks_like_books, named, read_books

ENCODER = Encoder.of({"service.name": "shop"}, "0.1.0")
WRITTEN = [*entries([measured("a"), measured("b")]), Entry("w1", 2, Mark(MarkKind.END, 5))]
LINES = [ENCODER.encode(entry, 1) for entry in WRITTEN]
SPOOL = b"".join(b"\n" + line + b"\n" for line in LINES)


def collected(*lines: bytes) -> bytes:
    """What the collector's file exporter makes of them: batches, `body`, log records of others among them."""
    batch = [json.loads(line)["resourceLogs"][0] for line in lines]
    for resource in batch:
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                record["body"] = {}
    foreign = {"body": {"stringValue": "hello"}, "timeUnixNano": "1"}
    batch.append({"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [foreign]}]})
    return json.dumps({"resourceLogs": batch}).encode() + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        SPOOL,
        gzip.compress(SPOOL),
        gzip.compress(SPOOL[:400]) + gzip.compress(SPOOL[400:]),
        SPOOL.replace(b"\n", b"\r\n"),
    ],
    ids=["plain", "gzip", "gzip in two members", "carriage returns"],
)
def test_every_entry_is_read(content: bytes) -> None:
    books = read_books([("spool.jsonl", content)])
    assert list(books.entries) == WRITTEN
    assert books.problems == ()


def test_a_collector_changes_nothing_and_others_are_skipped_and_counted() -> None:
    books = read_books([("usage.json", collected(*LINES))])
    assert list(books.entries) == WRITTEN
    assert books.foreign == 1


def test_the_lines_of_a_record_come_together_from_two_documents() -> None:
    (entry,) = entries([two_line_record()])
    document = json.loads(ENCODER.encode(entry, 1))
    halves: list[bytes] = []
    for record in document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        document["resourceLogs"][0]["scopeLogs"][0]["logRecords"] = [record]
        halves.append(json.dumps(document).encode())
    assert read_books([("1", halves[1]), ("0", halves[0])]).entries == (entry,)
    missing = read_books([("0", halves[0])])
    assert missing.entries == ()
    assert named(missing.incomplete) == ("record two of writer w1: 1 of 2 lines",)


def test_a_torn_tail_is_a_value_with_file_and_line() -> None:
    books = read_books([("spool.jsonl", SPOOL + LINES[0][:50])])
    assert list(books.entries) == WRITTEN
    (problem,) = books.problems
    assert str(problem).startswith("spool.jsonl:7: found column 1: ")
    assert "expected one OTLP JSON document a line" in str(problem)


def test_a_torn_gzip_file_keeps_what_came_before() -> None:
    packed = gzip.compress(b"".join(b"\n" + line + b"\n" for line in LINES * 200), compresslevel=1)
    books = read_books([("spool.jsonl.gz", packed[: len(packed) // 2])])
    assert WRITTEN[0] in books.entries
    assert "torn gzip" in str(books.problems[-1])


def test_a_field_that_does_not_fit_spoils_its_record_alone() -> None:
    bad = LINES[0].replace(b'{"intValue":"100"}', b'{"stringValue":"12,4O0"}')
    books = read_books([("spool.jsonl", bad + b"\n" + LINES[1])])
    assert list(books.entries) == WRITTEN[1:2]
    (problem,) = books.problems
    assert str(problem).startswith("spool.jsonl:1 gen_ai.usage.input_tokens: found '12,4O0', expected a whole number")


@pytest.mark.parametrize("content", [b"nonsense\n", b'{"resourceLogs":3}\n', b"[]\n", LINES[0][:80]])
def test_a_file_without_any_readable_record_can_not_be_used(content: bytes) -> None:
    with pytest.raises(BooksError, match=r"^spool.jsonl:1.*found .*expected .*nothing in spool.jsonl could be read"):
        read_books([("spool.jsonl", content)])


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_a_writer_that_had_nothing_to_say(content: bytes) -> None:
    assert read_books([("spool.jsonl", content)]).entries == ()


def test_spans_and_metrics_are_no_books() -> None:
    books = read_books([("mixed.jsonl", b'{"resourceSpans":[]}\n{"resourceMetrics":[]}\n' + LINES[0])])
    assert len(books.entries) == 1
    assert books.foreign == 2


@pytest.mark.parametrize("content", [b"\x28\xb5\x2f\xfdrest", b"\x00\x00\x01\x00\x28\xb5\x2f\xfdrest"])
def test_zstd_is_named_with_what_to_do(content: bytes) -> None:
    with pytest.raises(BooksError, match="zstd -d"):
        read_books([("usage.json.zst", content)])


@pytest.mark.parametrize(
    ("name", "head", "books"),
    [
        ("x", LINES[0], True),
        ("x", b"\n" + LINES[0], True),
        ("x", gzip.compress(SPOOL)[:300], True),
        ("x", b'{ "resourceLogs" : []}', True),
        ("x", b'{"resourceSpans":[]}', False),
        ("x.jsonl", b'{"resourceSpans":[]}', False),
        ("x.jsonl", b"torn", True),
        ("x.jsonl", b'{"object":"page","data":[]}', False),
        ("x.jsonl", b'{"custom_id":"a","method":"POST"}', False),
        ("x.csv", b"start_time,end_time", False),
        ("x", gzip.compress(b"start_time,end_time"), False),
    ],
)
def test_books_are_known_by_content_then_by_name(name: str, head: bytes, books: bool) -> None:  # noqa: FBT001 - a table
    assert looks_like_books(name, head) is books


def test_a_byte_order_mark_costs_no_record() -> None:
    books = read_books([("x", b"\xef\xbb\xbf" + SPOOL.lstrip())])
    assert (len(books.entries), books.problems) == (3, ())


def test_files_are_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "spool.jsonl"
    path.write_bytes(SPOOL)
    (file,) = read_books([path]).files
    assert (file.name, file.lines, file.entries) == (str(path), 3, 3)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(junk: bytes) -> None:
    try:
        books = read_books([("junk", SPOOL + junk)])
    except BooksError:
        return
    assert list(books.entries)[:3] == WRITTEN
