"""A line of a file of books: what can be saved of it is saved, and the rest is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallyspan.ledger.lines import Torn, documents

ONE = b'{"resourceLogs":[{"a":"1"}]}'
TWO = b'{"resourceLogs":[{"b":"2"}]}'


def read(line: bytes) -> tuple[list[object], int]:
    found = list(documents(line))
    return [one for one in found if not isinstance(one, Torn)], sum(isinstance(one, Torn) for one in found)


@pytest.mark.parametrize("line", [b"", b"\n", b"   \r\n", b"\t"])
def test_a_blank_line_is_nothing(line: bytes) -> None:
    assert read(line) == ([], 0)


@pytest.mark.parametrize("between", [b"", b" ", b"\t "])
def test_two_documents_on_a_line_are_two(between: bytes) -> None:
    assert read(ONE + between + TWO) == ([json.loads(ONE), json.loads(TWO)], 0)


@pytest.mark.parametrize("cut", range(1, len(ONE)))
def test_a_torn_document_takes_no_neighbour_with_it(cut: int) -> None:
    assert read(ONE[:cut] + TWO) == ([json.loads(TWO)], 1)
    assert read(TWO + ONE[:cut]) == ([json.loads(TWO)], 1)


@pytest.mark.parametrize("line", [b"\xff\xfe" + ONE, b"garbage" + ONE, ONE[1:] + ONE])
def test_what_is_none_is_named_and_skipped(line: bytes) -> None:
    assert read(line) == ([json.loads(ONE)], 1)


def test_deep_nesting_is_torn_and_no_crash() -> None:
    assert read(b"[" * 200_000) == ([], 1)


def test_a_torn_piece_says_where_and_how_much() -> None:
    (torn,) = documents(b"x" * 500)
    assert isinstance(torn, Torn)
    assert str(torn) == f"column 1: '{'x' * 40}…' (500 characters)"


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_around_a_document_crash_the_reader(before: bytes, after: bytes) -> None:
    read(before + ONE + after)
