"""What the bytes of an answer say, however they are cut."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.usage.strategies import body_of, cut, event_streams, read_in_pieces, trees

from tallyspan.books.quantities import Quantity, Unit
from tallyspan.books.record import UsageLine
from tallyspan.usage import scan as module
from tallyspan.usage.endpoints import Endpoint, endpoint_of
from tallyspan.usage.scan import DocumentScan, EventScan, Seen, read_document, scan_of


def row(path: str = "/chat/completions") -> Endpoint:
    found = endpoint_of("POST", path)
    assert found is not None
    return found


def events(path: str = "/chat/completions", *, hide: bool = False) -> EventScan:
    endpoint = row(path)
    assert endpoint.stream is not None
    return EventScan(endpoint, endpoint.stream, json.loads, hide=hide)


def read(body: bytes, path: str = "/chat/completions", *, hide: bool = False) -> tuple[bytes, Seen]:
    scan = events(path, hide=hide)
    return read_in_pieces(scan, iter([body])), scan.seen()


TRANSCRIPTS = [
    ("chat_stream", "/chat/completions"),
    ("azure_stream", "/chat/completions"),
    ("vllm_stream", "/chat/completions"),
    ("responses_stream", "/responses"),
]


@given(body=event_streams(), borders=st.lists(st.integers(0, 2_000), max_size=6), hide=st.booleans())
def test_slicing_never_matters(body: bytes, borders: list[int], *, hide: bool) -> None:
    whole = read(body, hide=hide)
    for pieces in (cut(body, borders), cut(body, range(len(body)))):
        scan = events(hide=hide)
        assert (read_in_pieces(scan, pieces), scan.seen()) == whole
    if not hide:
        assert whole[0] == body


@pytest.mark.parametrize(("name", "path"), TRANSCRIPTS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("hide", [False, True])
def test_a_transcript_reads_the_same_byte_by_byte(name: str, path: str, end: bytes, *, hide: bool) -> None:
    body = body_of(name).replace(b"\n", end)
    scan = events(path, hide=hide)
    passed = read_in_pieces(scan, cut(body, range(len(body))))
    assert (passed, scan.seen()) == read(body, path, hide=hide)
    assert scan.seen().final
    assert scan.finished


@given(body=st.binary(max_size=200), borders=st.lists(st.integers(0, 200), max_size=4), hide=st.booleans())
def test_garbage_never_raises_and_all_of_it_passes_on(body: bytes, borders: list[int], *, hide: bool) -> None:
    scan = events(hide=hide)
    assert read_in_pieces(scan, cut(body, borders)) == body
    read_document(body, row(), json.loads)


@given(tree=trees, hide=st.booleans(), path=st.sampled_from(["/chat/completions", "/responses", "/embeddings"]))
def test_no_document_raises(tree: object, path: str, *, hide: bool) -> None:
    data = json.dumps(tree).encode()
    read_document(data, row(path), json.loads)
    if row(path).stream is not None:
        read(b"data: " + data + b"\n\n", path, hide=hide)


def test_depth_without_end_is_unreadable_and_no_error() -> None:
    assert read_document(b"[" * 100_000, row(), json.loads).unreadable
    assert read(b"data: " + b"[" * 100_000 + b"\n\n")[1].unreadable


def line(seen: Seen) -> Mapping[Quantity, int]:
    assert seen.lines is not None
    return dict(seen.lines[0].counts)


def test_a_chat_stream_tells_all_that_its_chunks_say() -> None:
    passed, seen = read(body_of("chat_stream"))
    assert passed == body_of("chat_stream")
    assert line(seen) == {
        Quantity.INPUT: 19,
        Quantity.INPUT_CACHED: 0,
        Quantity.INPUT_AUDIO: 0,
        Quantity.OUTPUT: 10,
        Quantity.OUTPUT_REASONING: 0,
        Quantity.OUTPUT_AUDIO: 0,
        Quantity.OUTPUT_ACCEPTED_PREDICTION: 0,
        Quantity.OUTPUT_REJECTED_PREDICTION: 0,
    }
    assert (seen.response_id, seen.model, seen.service_tier) == ("chatcmpl-1", "gpt-4o-mini-2024-07-18", "default")
    assert (seen.system_fingerprint, seen.finish_reasons) == ("fp_1", ("stop",))


def test_the_event_that_we_asked_for_is_all_that_is_hidden() -> None:
    body = body_of("chat_stream")
    passed, seen = read(body, hide=True)
    kept = [event for event in body.split(b"\n\n") if b'"prompt_tokens"' not in event]
    assert passed == b"\n\n".join(kept)
    assert line(seen)[Quantity.OUTPUT] == 10


def test_an_event_that_carries_more_than_our_usage_passes_on_without_it() -> None:
    body = body_of("azure_stream")
    passed, seen = read(body, hide=True)
    before, after = ([json.loads(event[6:]) for event in text.split(b"\n\n")[:-2]] for text in (body, passed))
    assert before[:-1] == after[:-1]
    assert after[-1] == {**before[-1], "usage": None}
    assert line(seen) == {Quantity.INPUT: 8, Quantity.OUTPUT: 1}


def test_of_running_totals_the_last_one_counts() -> None:
    seen = read(body_of("vllm_stream"))[1]
    assert line(seen) == {Quantity.INPUT: 5, Quantity.OUTPUT: 3}
    cut_short = body_of("vllm_stream").split(b"\n\n")[0] + b"\n\n"
    seen = read(cut_short)[1]
    assert (line(seen), seen.final, seen.finished) == ({Quantity.INPUT: 5, Quantity.OUTPUT: 1}, False, False)


def test_a_running_total_after_the_last_word_changes_nothing() -> None:
    first, second, final, done = body_of("vllm_stream").split(b"\n\n")[:4]
    seen = read(b"\n\n".join([first, final, second, done, b""]))[1]
    assert line(seen)[Quantity.OUTPUT] == 3


def test_a_response_bills_its_tools_on_lines_of_their_own() -> None:
    seen = read(body_of("responses_stream"), "/responses")[1]
    assert seen.lines is not None
    call, *tools = seen.lines
    assert call.model == "gpt-5-2025-08-07"
    assert (call.counts[Quantity.INPUT], call.counts[Quantity.INPUT_CACHE_WRITE_12H]) == (328, 8)
    assert tools == [
        UsageLine(item="web_search", unit=Unit.CALLS, counts={Quantity.CALLS: 2}),
        UsageLine(
            item="image_gen",
            counts={
                Quantity.INPUT: 7,
                Quantity.OUTPUT: 9,
                Quantity.INPUT_TEXT: 4,
                Quantity.INPUT_IMAGE: 3,
            },
        ),
    ]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"error": {"code": "server_error"}}, "server_error"),
        ({"error": {"type": "overloaded"}}, "overloaded"),
        ({"error": {}}, "error"),
        ({"error": {"code": 7}}, "error"),
    ],
)
def test_an_error_in_a_stream_is_told_by_its_code(event: object, code: str) -> None:
    assert read(b"data: " + json.dumps(event).encode() + b"\n\n")[1].error_type == code


def test_a_response_can_fail_by_event_or_by_its_own_error() -> None:
    told = {"type": "error", "code": "rate_limit_exceeded"}
    assert read(b"data: " + json.dumps(told).encode() + b"\n\n", "/responses")[1].error_type == "rate_limit_exceeded"
    failed = {"type": "response.failed", "response": {"id": "r", "status": "failed", "error": {"code": "server_error"}}}
    seen = read(b"data: " + json.dumps(failed).encode() + b"\n\n", "/responses")[1]
    assert (seen.error_type, seen.finished, seen.lines) == ("server_error", True, None)


def test_a_document_is_read_at_its_end() -> None:
    body = json.dumps({"id": "c", "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 0}}).encode()
    scan = DocumentScan(row(), json.loads)
    assert b"".join(scan.scan(piece)[0] for piece in cut(body, range(len(body)))) == body
    assert not scan.finished
    assert scan.seen() == read_document(body, row(), json.loads)
    assert line(scan.seen()) == {Quantity.INPUT: 1, Quantity.OUTPUT: 0}


def test_nothing_is_empty_and_something_is_not() -> None:
    assert DocumentScan(row(), json.loads).seen().empty
    assert read_document(b"", row(), json.loads).empty
    assert events().seen().empty
    assert read(b": ping\n\n")[1].empty
    assert not read(b"data: {}\n\n")[1].empty
    unknown = DocumentScan(row("/frobnicate"), json.loads)
    unknown.scan(b"{}")
    assert not unknown.seen().empty


def test_a_body_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DOCUMENT", 10)
    scan = DocumentScan(row(), json.loads)
    for _ in range(3):
        assert scan.scan(b'{"a": ') == (b'{"a": ', b"")
    assert scan.seen() == Seen(empty=False, unreadable=True)


@pytest.mark.parametrize(
    ("path", "content_type", "kind"),
    [
        ("/chat/completions", "text/event-stream; charset=utf-8", EventScan),
        ("/chat/completions", "application/json", DocumentScan),
        ("/chat/completions", None, DocumentScan),
        ("/embeddings", "text/event-stream", DocumentScan),
    ],
)
def test_a_body_is_read_as_what_it_says_it_is(path: str, content_type: str | None, kind: type) -> None:
    assert isinstance(scan_of(row(path), content_type, json.loads), kind)
