"""The books in OTLP JSON: what is written is what is read."""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from tallyspan.books.assemble import Incomplete, assemble
from tallyspan.books.fields import Misfit, is_ours
from tallyspan.books.otlp_json import Encoder, Foreign, TraceContext, decode
from tallyspan.books.quantities import Quantity, Unit
from tallyspan.books.record import (
    Billable,
    Bounds,
    Entry,
    Kind,
    Mark,
    MarkKind,
    Phase,
    Reason,
    State,
    UsageLine,
    UsageRecord,
)
from tallyspan.books.rows import Part

ENCODER = Encoder.of({"service.name": "shop"}, "1.2.3")
INT64 = st.integers(min_value=0, max_value=2**63 - 1)
TEXT = st.text(max_size=20)
OPTIONAL_TEXT = st.none() | TEXT
OPTIONAL_INT64 = st.none() | INT64

LINES = st.builds(
    UsageLine,
    model=OPTIONAL_TEXT,
    item=OPTIONAL_TEXT,
    unit=st.sampled_from(Unit),
    counts=st.dictionaries(st.sampled_from(Quantity), INT64, max_size=6),
)
RECORDS = st.builds(
    UsageRecord,
    record_id=TEXT,
    kind=st.sampled_from(Kind),
    phase=st.sampled_from(Phase),
    state=st.sampled_from(State),
    reason=st.none() | st.sampled_from(Reason),
    billable=st.sampled_from(Billable),
    requests=INT64,
    bounds=st.builds(
        Bounds, input_min=OPTIONAL_INT64, input_max=OPTIONAL_INT64, output_min=OPTIONAL_INT64, output_max=OPTIONAL_INT64
    ),
    started_ns=INT64,
    ended_ns=OPTIONAL_INT64,
    time_uncertain=st.booleans(),
    call_id=TEXT,
    attempt=INT64,
    operation=TEXT,
    provider=TEXT,
    endpoint=TEXT,
    api_type=OPTIONAL_TEXT,
    server_address=OPTIONAL_TEXT,
    server_port=OPTIONAL_INT64,
    stream=st.booleans(),
    request_model=OPTIONAL_TEXT,
    response_id=OPTIONAL_TEXT,
    batch_id=OPTIONAL_TEXT,
    request_id=OPTIONAL_TEXT,
    client_request_id_sent=st.booleans(),
    organization=OPTIONAL_TEXT,
    project=OPTIONAL_TEXT,
    request_service_tier=OPTIONAL_TEXT,
    service_tier=OPTIONAL_TEXT,
    system_fingerprint=OPTIONAL_TEXT,
    finish_reasons=st.lists(TEXT, max_size=3).map(tuple),
    http_status=OPTIONAL_INT64,
    error_type=OPTIONAL_TEXT,
    api_key_hint=OPTIONAL_TEXT,
    attributes=st.dictionaries(TEXT.filter(lambda name: not is_ours(name)), TEXT, max_size=3),
    lines=st.lists(LINES, min_size=1, max_size=3).map(tuple),
)
MARKS = st.builds(Mark, kind=st.sampled_from(MarkKind), time_ns=INT64)
ENTRIES = st.builds(Entry, writer_id=TEXT, sequence=OPTIONAL_INT64, item=RECORDS | MARKS)

RECORD = UsageRecord(
    record_id="r1",
    state=State.MEASURED,
    billable=Billable.YES,
    requests=1,
    started_ns=1_700_000_000_000_000_000,
    ended_ns=1_700_000_001_000_000_000,
    call_id="c1",
    attempt=0,
    operation="chat",
    provider="openai",
    endpoint="/chat/completions",
    request_model="gpt-5",
    finish_reasons=("stop",),
    attributes={"tenant": "Łódź"},
    lines=(UsageLine("gpt-5-2025", counts={Quantity.INPUT: 9, Quantity.INPUT_CACHED: 0}),),
)
SEARCH = UsageLine(item="web_search", unit=Unit.CALLS, counts={Quantity.CALLS: 2})


def written(entry: Entry) -> dict[str, list[dict[str, list[dict[str, list[dict[str, object]]]]]]]:
    document: dict[str, list[dict[str, list[dict[str, list[dict[str, object]]]]]]] = json.loads(
        ENCODER.encode(entry, 7)
    )
    return document


def log_records(entry: Entry) -> list[dict[str, object]]:
    return written(entry)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]


EMPTY: dict[str, object] = {}


def document_of(*records: Mapping[str, object]) -> dict[str, object]:
    return {"resourceLogs": [{"resource": EMPTY, "scopeLogs": [{"scope": {"name": "x"}, "logRecords": list(records)}]}]}


@given(ENTRIES)
def test_what_is_written_is_what_is_read(entry: Entry) -> None:
    assert decode(json.loads(ENCODER.encode(entry, 7))) == (entry,)


@given(ENTRIES)
def test_a_document_is_one_line_of_ascii(entry: Entry) -> None:
    document = ENCODER.encode(entry, 7)
    assert document.isascii()
    assert b"\n" not in document


@given(st.lists(ENTRIES, max_size=4, unique_by=lambda entry: repr(entry.item)))
def test_lines_in_any_order_and_any_documents_make_the_same_records(entries: list[Entry]) -> None:
    entries = [replace(entry, sequence=number) for number, entry in enumerate(entries)]
    rows = [row for entry in entries for row in log_records(entry)]
    read = [item for row in reversed(rows) for item in decode(document_of(row))]
    whole = {item.sequence: item for item in read if isinstance(item, Entry)}
    for item in assemble(item for item in read if isinstance(item, Part)):
        assert isinstance(item, Entry)
        whole[item.sequence] = item
    assert whole == {entry.sequence: entry for entry in entries}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(("resourceLogs", "scopeLogs", "logRecords", "attributes", "eventName", "key", "value")),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_breaks_the_reader(document: object) -> None:
    assert not any(isinstance(item, Entry | Part) for item in decode(document))


def test_absent_is_not_zero() -> None:
    counted = replace(RECORD, lines=(UsageLine(counts={Quantity.INPUT: 0}),), bounds=Bounds(output_max=0))
    unknown = replace(RECORD, lines=(UsageLine(),))
    names = [[pair["key"] for pair in _pairs(log_records(Entry("w", 1, each))[0])] for each in (counted, unknown)]
    assert set(names[0]) - set(names[1]) == {"gen_ai.usage.input_tokens", "tallyspan.bounds.output.max"}


def _pairs(record: Mapping[str, object]) -> list[dict[str, object]]:
    attributes = record["attributes"]
    assert isinstance(attributes, list)
    return cast("list[dict[str, object]]", attributes)


def test_a_record_with_two_lines_whole() -> None:
    entry = Entry("w1", 3, replace(RECORD, lines=(*RECORD.lines, SEARCH)))
    document = ENCODER.encode(entry, 1_700_000_001_000_000_007, TraceContext(0xAB, 0xC, 1))
    assert json.loads(document) == snapshot(
        {
            "resourceLogs": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                    "scopeLogs": [
                        {
                            "scope": {"name": "tallyspan", "version": "1.2.3"},
                            "logRecords": [
                                {
                                    "timeUnixNano": "1700000000000000000",
                                    "observedTimeUnixNano": "1700000001000000007",
                                    "severityNumber": 9,
                                    "eventName": "tallyspan.usage",
                                    "attributes": [
                                        {"key": "tenant", "value": {"stringValue": "Łódź"}},
                                        {
                                            "key": "tallyspan.attribution",
                                            "value": {"arrayValue": {"values": [{"stringValue": "tenant"}]}},
                                        },
                                        {"key": "tallyspan.writer.id", "value": {"stringValue": "w1"}},
                                        {"key": "tallyspan.writer.sequence", "value": {"intValue": "3"}},
                                        {"key": "tallyspan.record.line", "value": {"intValue": "0"}},
                                        {"key": "tallyspan.record.id", "value": {"stringValue": "r1"}},
                                        {"key": "tallyspan.record.kind", "value": {"stringValue": "spend"}},
                                        {"key": "tallyspan.record.phase", "value": {"stringValue": "result"}},
                                        {"key": "tallyspan.record.state", "value": {"stringValue": "measured"}},
                                        {"key": "tallyspan.record.billable", "value": {"stringValue": "yes"}},
                                        {"key": "tallyspan.record.requests", "value": {"intValue": "1"}},
                                        {
                                            "key": "tallyspan.end_time_unix_nano",
                                            "value": {"intValue": "1700000001000000000"},
                                        },
                                        {"key": "tallyspan.call.id", "value": {"stringValue": "c1"}},
                                        {"key": "tallyspan.attempt", "value": {"intValue": "0"}},
                                        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                                        {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
                                        {"key": "tallyspan.endpoint", "value": {"stringValue": "/chat/completions"}},
                                        {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5"}},
                                        {
                                            "key": "gen_ai.response.finish_reasons",
                                            "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}},
                                        },
                                        {"key": "tallyspan.line.unit", "value": {"stringValue": "tokens"}},
                                        {"key": "gen_ai.response.model", "value": {"stringValue": "gpt-5-2025"}},
                                        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "9"}},
                                        {"key": "gen_ai.usage.cache_read.input_tokens", "value": {"intValue": "0"}},
                                        {"key": "tallyspan.record.lines", "value": {"intValue": "2"}},
                                    ],
                                    "flags": 1,
                                    "traceId": "000000000000000000000000000000ab",
                                    "spanId": "000000000000000c",
                                },
                                {
                                    "timeUnixNano": "1700000000000000000",
                                    "observedTimeUnixNano": "1700000001000000007",
                                    "severityNumber": 9,
                                    "eventName": "tallyspan.usage",
                                    "attributes": [
                                        {"key": "tenant", "value": {"stringValue": "Łódź"}},
                                        {
                                            "key": "tallyspan.attribution",
                                            "value": {"arrayValue": {"values": [{"stringValue": "tenant"}]}},
                                        },
                                        {"key": "tallyspan.writer.id", "value": {"stringValue": "w1"}},
                                        {"key": "tallyspan.writer.sequence", "value": {"intValue": "3"}},
                                        {"key": "tallyspan.record.line", "value": {"intValue": "1"}},
                                        {"key": "tallyspan.record.id", "value": {"stringValue": "r1"}},
                                        {"key": "tallyspan.record.kind", "value": {"stringValue": "spend"}},
                                        {"key": "tallyspan.record.phase", "value": {"stringValue": "result"}},
                                        {"key": "tallyspan.record.state", "value": {"stringValue": "measured"}},
                                        {"key": "tallyspan.record.billable", "value": {"stringValue": "yes"}},
                                        {
                                            "key": "tallyspan.end_time_unix_nano",
                                            "value": {"intValue": "1700000001000000000"},
                                        },
                                        {"key": "tallyspan.call.id", "value": {"stringValue": "c1"}},
                                        {"key": "tallyspan.attempt", "value": {"intValue": "0"}},
                                        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                                        {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
                                        {"key": "tallyspan.endpoint", "value": {"stringValue": "/chat/completions"}},
                                        {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5"}},
                                        {
                                            "key": "gen_ai.response.finish_reasons",
                                            "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}},
                                        },
                                        {"key": "tallyspan.line.unit", "value": {"stringValue": "calls"}},
                                        {"key": "tallyspan.line.item", "value": {"stringValue": "web_search"}},
                                        {"key": "tallyspan.quantity.calls", "value": {"intValue": "2"}},
                                    ],
                                    "flags": 1,
                                    "traceId": "000000000000000000000000000000ab",
                                    "spanId": "000000000000000c",
                                },
                            ],
                        }
                    ],
                }
            ]
        }
    )


def test_a_mark_whole() -> None:
    assert written(Entry("w1", 0, Mark(MarkKind.START, 5))) == snapshot(
        {
            "resourceLogs": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                    "scopeLogs": [
                        {
                            "scope": {"name": "tallyspan", "version": "1.2.3"},
                            "logRecords": [
                                {
                                    "timeUnixNano": "5",
                                    "observedTimeUnixNano": "7",
                                    "severityNumber": 9,
                                    "eventName": "tallyspan.writer",
                                    "attributes": [
                                        {"key": "tallyspan.writer.id", "value": {"stringValue": "w1"}},
                                        {"key": "tallyspan.writer.sequence", "value": {"intValue": "0"}},
                                        {"key": "tallyspan.writer.mark", "value": {"stringValue": "start"}},
                                    ],
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    )


def test_the_form_that_collectors_write_is_read() -> None:
    document = document_of(
        {
            "timeUnixNano": 5,
            "observedTimeUnixNano": "6",
            "body": EMPTY,
            "eventName": "tallyspan.writer",
            "attributes": [
                {"key": "tallyspan.writer.id", "value": {"stringValue": "w"}},
                {"key": "tallyspan.writer.sequence", "value": {"intValue": 4}},
                {"key": "tallyspan.writer.mark", "value": {"stringValue": "end"}},
                {"key": "a.later.version", "value": {"doubleValue": 0.5}},
                {"key": "a.collector", "value": {"kvlistValue": EMPTY}},
                {"key": "an.empty.one", "value": EMPTY},
                {"key": "no.value"},
                {"key": "no.list", "value": {"arrayValue": 1}},
            ],
            "traceId": "",
            "spanId": "",
        }
    )
    assert decode(document) == (Entry("w", 4, Mark(MarkKind.END, 5)),)


def test_attributes_of_others_are_not_attribution() -> None:
    record = log_records(Entry("w", 1, RECORD))[0]
    _pairs(record).append({"key": "k8s.pod.name", "value": {"stringValue": "pod"}})
    assert decode(document_of(record)) == (Entry("w", 1, RECORD),)


def test_attribution_never_replaces_what_was_recorded() -> None:
    sly = replace(RECORD, attributes={"gen_ai.usage.input_tokens": "1", "tenant": "t"})
    assert decode(written(Entry("w", 1, sly))) == (Entry("w", 1, replace(RECORD, attributes={"tenant": "t"})),)


def test_log_records_of_others_are_foreign_and_no_errors() -> None:
    mine = log_records(Entry("w", 1, RECORD))[0]
    document = document_of({"body": {"stringValue": "hello"}}, mine, {"eventName": "app.started"})
    assert decode(document) == (Foreign(None), Entry("w", 1, RECORD), Foreign("app.started"))


def test_an_empty_document_holds_nothing() -> None:
    assert decode({"resourceLogs": []}) == ()
    assert decode({"resourceLogs": [EMPTY]}) == ()


@pytest.mark.parametrize(
    ("document", "misfit"),
    [
        ([], Misfit("document", "list []", "an object")),
        ({}, Misfit("document.resourceLogs", "nothing", "a list")),
        ({"resourceLogs": [1]}, Misfit("document.resourceLogs[0]", "int 1", "an object")),
        (
            document_of({"eventName": "tallyspan.usage"}),
            Misfit("document.resourceLogs[0].scopeLogs[0].logRecords[0].timeUnixNano", "nothing", "Unix nanoseconds"),
        ),
        (
            document_of({"eventName": "tallyspan.usage", "timeUnixNano": "1", "attributes": [3]}),
            Misfit(
                "document.resourceLogs[0].scopeLogs[0].logRecords[0].attributes[0]", "int 3", "an object with a key"
            ),
        ),
        (
            document_of({"eventName": "tallyspan.usage", "timeUnixNano": "1", "attributes": "none"}),
            Misfit("document.resourceLogs[0].scopeLogs[0].logRecords[0].attributes", "str 'none'", "a list"),
        ),
        (
            document_of({"eventName": "tallyspan.usage", "timeUnixNano": "9" * 5000}),
            Misfit(
                "document.resourceLogs[0].scopeLogs[0].logRecords[0].timeUnixNano",
                "str '" + "9" * 59,
                "Unix nanoseconds",
            ),
        ),
        (
            {"resourceLogs": [{"scopeLogs": [{"logRecords": [7]}]}]},
            Misfit("document.resourceLogs[0].scopeLogs[0].logRecords[0]", "int 7", "an object"),
        ),
        (
            document_of({"eventName": "tallyspan.writer", "timeUnixNano": "1"}),
            Misfit("tallyspan.writer.id", "nothing", "a string"),
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(document: object, misfit: Misfit) -> None:
    assert decode(document) == (misfit,)


@pytest.mark.parametrize(
    ("key", "value", "misfit"),
    [
        (
            "gen_ai.usage.input_tokens",
            {"intValue": "-1"},
            Misfit("gen_ai.usage.input_tokens", "-1", "a whole number, 0 or more"),
        ),
        (
            "gen_ai.usage.input_tokens",
            {"doubleValue": 9.0},
            Misfit("gen_ai.usage.input_tokens", "9.0", "a whole number, 0 or more"),
        ),
        (
            "tallyspan.record.kind",
            {"stringValue": "gift"},
            Misfit("tallyspan.record.kind", "'gift'", "one of spend, settlement, reread"),
        ),
        ("tallyspan.record.id", {}, Misfit("tallyspan.record.id", "nothing", "a string")),
        ("tallyspan.record.lines", {"intValue": "0"}, Misfit("tallyspan.record.lines", "0", "1 or more")),
        (
            "gen_ai.response.finish_reasons",
            {"arrayValue": {"values": [{"intValue": "1"}]}},
            Misfit("gen_ai.response.finish_reasons", "(1,)", "a list of strings"),
        ),
        ("gen_ai.request.stream", {"stringValue": "yes"}, Misfit("gen_ai.request.stream", "'yes'", "a boolean")),
        (
            "tallyspan.line.unit",
            {"intValue": "7"},
            Misfit("tallyspan.line.unit", "7", "one of tokens, seconds, characters, images, calls, sessions, bytes"),
        ),
    ],
)
def test_a_wrong_value_is_a_misfit_of_its_attribute(key: str, value: object, misfit: Misfit) -> None:
    record = log_records(Entry("w", 1, RECORD))[0]
    record["attributes"] = [*(pair for pair in _pairs(record) if pair["key"] != key), {"key": key, "value": value}]
    assert decode(document_of(record)) == (misfit,)


def test_a_record_that_lost_a_line_is_incomplete() -> None:
    entry = Entry("w", 1, replace(RECORD, lines=(*RECORD.lines, SEARCH)))
    first, second = log_records(entry)
    for kept, found, lines in ((first, (0,), 2), (second, (1,), None)):
        parts = decode(document_of(kept))
        (whole,) = assemble(part for part in parts if isinstance(part, Part))
        assert isinstance(whole, Incomplete)
        assert (whole.key.record_id, whole.found, whole.lines, whole.contradictory) == ("r1", found, lines, False)


def test_a_line_that_came_twice_is_one_line() -> None:
    entry = Entry("w", 1, replace(RECORD, lines=(*RECORD.lines, SEARCH)))
    first, second = log_records(entry)
    assert decode(document_of(second, first, second, first)) == (entry,)


def test_lines_that_contradict_each_other_are_never_picked_from() -> None:
    entry = Entry("w", 1, replace(RECORD, lines=(*RECORD.lines, SEARCH)))
    other = Entry("w", 1, replace(RECORD, lines=(*RECORD.lines, replace(SEARCH, counts={Quantity.CALLS: 3}))))
    parts = decode(document_of(*log_records(entry), *log_records(other)))
    assert len(parts) == 4
    (whole,) = assemble(part for part in parts if isinstance(part, Part))
    assert isinstance(whole, Incomplete)
    assert whole.contradictory


def test_a_read_record_can_not_be_changed() -> None:
    (entry,) = decode(written(Entry("w", 1, RECORD)))
    assert isinstance(entry, Entry)
    assert isinstance(entry.item, UsageRecord)
    assert isinstance(entry.item.attributes, MappingProxyType)
    assert isinstance(entry.item.lines[0].counts, MappingProxyType)
