"""The one table of names."""

from dataclasses import fields

import pytest
from inline_snapshot import external_file

from tallyspan.books.fields import (
    ALL_FIELDS,
    ATTRIBUTION_FIELD,
    COUNT,
    COUNT_FIELDS,
    ENTRY_FIELDS,
    FLAG,
    LINE_FIELDS,
    RECORD_FIELDS,
    TEXT,
    TEXTS,
    Field,
    Form,
    is_ours,
)
from tallyspan.books.record import Bounds, UsageLine, UsageRecord

HEAD = """# Attributes

Generated from `tallyspan.books.fields`; a test proves it current, and pytest's `--inline-snapshot=fix` writes it anew.

A record is an OpenTelemetry log event `tallyspan.usage`, one log record a line; its time is the attempt's start. A sign
of life of a writer is an event `tallyspan.writer`. A field that is absent is unknown, off, or an empty list; a zero is
counted. Attribution (`TALLYSPAN_ATTRIBUTES`, `TALLYSPAN_BAGGAGE_KEYS`) keeps the names that you gave it.
"""


def _section(title: str, rows: tuple[Field, ...]) -> str:
    lines = [f"\n## {title}\n\n| attribute | value | meaning | span too |\n| --- | --- | --- | --- |\n"]
    for row in rows:
        where = " Line 0 only." if row.once else ""
        lines.append(
            f"| `{row.attribute}` | {row.form.expected}{'' if row.required else ', or absent'} | {row.meaning}{where} |"
            f" {'yes' if row.on_span else ''} |\n"
        )
    return "".join(lines)


def test_the_page_of_attributes_is_current() -> None:
    page = (
        HEAD
        + _section("Entry", ENTRY_FIELDS)
        + _section("Record, on every line", RECORD_FIELDS)
        + _section("Line", (*LINE_FIELDS, *COUNT_FIELDS))
    )
    assert page == external_file("../../docs/attributes.md", format=".txt")


def test_every_field_of_a_record_has_its_row() -> None:
    rows = {row.path for row in RECORD_FIELDS}
    bounds = {f"bounds.{field.name}" for field in fields(Bounds)}
    elsewhere = {"bounds", "started_ns", "attributes", "lines"}
    assert rows == {field.name for field in fields(UsageRecord)} - elsewhere | bounds
    assert {row.path for row in LINE_FIELDS} == {field.name for field in fields(UsageLine)} - {"counts"}


def test_no_two_fields_share_a_name() -> None:
    names = [row.attribute for row in ALL_FIELDS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", ALL_FIELDS, ids=lambda row: row.attribute)
def test_a_name_is_the_conventions_or_carries_our_prefix(row: Field) -> None:
    assert row.attribute.split(".")[0] in {"tallyspan", "gen_ai", "openai", "http", "server", "error"}


def test_our_names_are_closed_to_attribution() -> None:
    assert is_ours("gen_ai.request.model")
    assert is_ours("tallyspan.of.a.later.version")
    assert is_ours(ATTRIBUTION_FIELD.attribute)
    assert not is_ours("tenant")


@pytest.mark.parametrize(
    ("form", "fits", "fits_not"),
    [
        (TEXT, ["", "a"], [1, None, ("a",)]),
        (COUNT, [0, 2**63 - 1], [True, -1, 2**63, 1.0, "1"]),
        (FLAG, [True, False], [0, "true"]),
        (TEXTS, [(), ("a",)], ["a", ["a"], (1,)]),
    ],
    ids=["text", "count", "flag", "texts"],
)
def test_a_form_takes_its_own_and_nothing_near_it(form: Form, fits: list[object], fits_not: list[object]) -> None:
    assert [form.read(raw) for raw in fits] == fits
    assert {form.read(raw) for raw in fits_not} == {None}
