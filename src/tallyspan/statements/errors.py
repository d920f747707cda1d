"""The one error of this room: a statement that can not be read, and where, and what to do."""

import re

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_SHOWN = 60
"""Longest piece of a bad file that is repeated on the screen."""


class StatementError(Exception):
    """
    A file that is not what it should be.

    The text is one line: `usage.csv:17 column input_tokens: found '12,4O0', expected a whole number; export it again`.
    It never shows an e-mail address.

    Args:
        place: File as the user named it, with line or JSON path where there is one.
        found: What stood there, in words or as written.
        expected: What should have stood there.
        do: The next step.
        column: Name of the column, if it is about one.
    """

    def __init__(self, place: str, *, found: str, expected: str, do: str, column: str | None = None) -> None:
        where = f"{place} column {column}" if column else place
        super().__init__(f"{where}: found {found}, expected {expected}; {do}")


def quoted(text: str) -> str:
    """A piece of the file, safe to show: short, on one line, without addresses."""
    plain = " ".join(_ADDRESS.sub("(address)", text).split())
    return f"'{plain if len(plain) <= _SHOWN else plain[:_SHOWN] + '…'}'"
