"""One cell of an export: text in, a typed value out, or a `CellError` that says what should have stood there."""

import hashlib
import re
from decimal import Decimal, InvalidOperation

from tallyspan.statements.errors import quoted

AGAIN = "take the file as OpenAI wrote it, not through a spreadsheet"

_WHOLE = re.compile(r"\d{1,18}(\.0*)?")
_SHORT = 18
_SECONDS = re.compile(r"\d{9,10}(\.0*)?")  # Unix seconds from 1973 to 2286; milliseconds have 13 digits
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?[eE][+-]?\d+")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
_DIGITS, _DECIMALS = 15, 60
"""What one amount may have; the Costs API was seen with 39 decimals. Sums stay exact within `reconcile.money`."""
_BOOLEANS = {"true": True, "false": False}


class CellError(Exception):
    """A cell that can not be read."""

    def __init__(self, found: str, expected: str, do: str = AGAIN) -> None:
        self.found, self.expected, self.do = quoted(found), expected, do
        super().__init__(found)


def whole(text: str) -> int:
    """A count. `4.0` is 4 (dashboards write it where a column has blanks); `4.5`, `1.2E+07` and `12,400` are errors."""
    if text.isascii() and text.isdecimal() and len(text) <= _SHORT:
        return int(text)
    if _WHOLE.fullmatch(text) is None:
        lost = " (a spreadsheet has dropped its digits)" if _SCIENTIFIC.fullmatch(text) else ""
        raise CellError(text, f"a whole number{lost}")
    return int(text.partition(".")[0])


def number(text: str) -> Decimal:
    """Money or a quantity, exactly as written; scientific notation is what Python's floats look like and is exact."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise CellError(text, "a number with a decimal point") from None
    if not value:
        return Decimal(0)  # the Costs API writes an exact zero as 0E-6176
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value.adjusted() > _DIGITS or exponent < -_DECIMALS:
        raise CellError(text, f"a finite number with at most {_DIGITS} digits and {_DECIMALS} decimals")
    return value


def seconds(text: str) -> int:
    """A time in Unix seconds."""
    if _SECONDS.fullmatch(text) is None:
        why = ""
        if _SCIENTIFIC.fullmatch(text):
            why = " (a spreadsheet has dropped its digits)"
        elif _DATE.fullmatch(text):
            why = " (a local date has no time zone)"
        raise CellError(text, f"Unix seconds such as 1745366400{why}")
    return int(text.partition(".")[0])


def boolean(text: str) -> bool:
    """`True`, `false`, `FALSE`."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise CellError(text, "True or False") from None


def words(text: str) -> str:
    """Text as written; an e-mail address becomes a pseudonym."""
    return pseudonym(text) if "@" in text else text


def pseudonym(text: str) -> str:
    """The same stand-in for the same person in every file; it does not show who it is."""
    return f"person-{hashlib.sha256(text.strip().lower().encode()).hexdigest()[:8]}"
