"""Pages of the Usage and Costs API as JSON: one page, an array of pages, or one page a line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import cast

from tallyspan.reconcile.statement import Statement
from tallyspan.statements.assemble import Source, assemble
from tallyspan.statements.errors import StatementError, quoted
from tallyspan.statements.layouts import API_LAYOUTS, Layout
from tallyspan.statements.rows import Bucket, RowReader

Placed = tuple[str, object]
"""File, line and JSON path, and the value that stands there."""

_AGAIN = "fetch it again"


def read_pages(source: Source, text: str, empty: Layout | None) -> Statement:
    """
    Read pages of one endpoint.

    Args:
        source: The file.
        text: Its content.
        empty: What the file is about if no page has a result that says so.

    Raises:
        StatementError: Not JSON, not pages, more than one endpoint, or nothing that tells which.
    """
    pages = [(place, _members(place, page)) for place, page in _pages(source.name, text)]
    pairs = [pair for place, page in pages for bucket in _listed(place, page, "data") for pair in _results(bucket)]
    layout = _layout(source.name, [result for _, result in pairs], empty)
    buckets = list(_read(layout, pairs))
    unknown = sorted({name for _, result in pairs for name in result if name not in (*layout.columns, *_TIMES)})
    notes = [f"fields that are not known and not read: {', '.join(unknown)}"] if unknown else []
    if pages and pages[-1][1].get("has_more") is True:
        notes.append("its last page says has_more: later buckets are not in this file")
    surface = "costs" if layout.subject == "costs" else f"{layout.subject.replace('_', ' ')} usage"
    return assemble(source, layout, f"{surface}, API pages", buckets, notes)


def _read(layout: Layout, pairs: Iterable[tuple[str, Mapping[str, str]]]) -> Iterator[Bucket]:
    """Results have few sets of fields, if not one; each set is a table of its own."""
    readers: dict[tuple[str, ...], RowReader] = {}
    for place, result in pairs:
        columns = tuple(result)
        if columns not in readers:
            readers[columns] = RowReader(layout, columns)
        yield readers[columns].read(list(result.values()), place)


_TIMES = ("start_time", "end_time")


def _pages(name: str, text: str) -> Iterator[Placed]:
    try:
        document = _decode(name, text)
    except json.JSONDecodeError as whole:
        if not whole.msg.startswith("Extra data"):
            raise _broken(name, whole.lineno, whole) from None
    else:
        yield from _flat(name, document)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield from _flat(f"{name}:{number}", _decode(name, line))
        except json.JSONDecodeError as fault:
            raise _broken(name, number, fault) from None


def _decode(name: str, text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=Decimal)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError, ArithmeticError) as fault:
        # Brackets too deep, an integer of thousands of digits, an exponent beyond what Decimal holds.
        raise StatementError(name, found=f"absurd JSON ({fault})", expected="pages of the API", do=_AGAIN) from None


def _broken(name: str, line: int, fault: json.JSONDecodeError) -> StatementError:
    return StatementError(
        f"{name}:{line}:{fault.colno}", found=f"broken JSON ({fault.msg})", expected="pages of the API", do=_AGAIN
    )


def _flat(place: str, document: object) -> Iterator[Placed]:
    if isinstance(document, list):
        yield from ((f"{place} $[{n}]", page) for n, page in enumerate(cast("list[object]", document)))
    else:
        yield f"{place} $", document


def _members(place: str, value: object) -> Mapping[str, object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value)
    raise StatementError(place, found=quoted(repr(value)), expected="an object", do=_AGAIN)


def _listed(place: str, holder: Mapping[str, object], name: str) -> list[Placed]:
    value = holder.get(name)
    if isinstance(value, list):
        return [(f"{place}.{name}[{n}]", item) for n, item in enumerate(cast("list[object]", value))]
    raise StatementError(place, found=f"no list '{name}'", expected="a page of the Usage or Costs API", do=_AGAIN)


def _results(placed: Placed) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The results of a bucket as named cells; a bucket without results as its times alone."""
    place, bucket = placed[0], _members(*placed)
    times = {name: _cell(f"{place}.{name}", bucket.get(name)) for name in _TIMES}
    results = _listed(place, bucket, "results")
    if not results:
        yield place, times
    for where, result in results:
        cells = {name: _cell(f"{where}.{name}", value) for name, value in _spread(where, _members(where, result))}
        yield where, cells | times


def _spread(place: str, result: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in result.items():
        if name == "amount" and value is not None:
            yield from ((f"amount_{part}", inner) for part, inner in _members(f"{place}.amount", value).items())
        else:
            yield name, value


def _cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int | Decimal):
        return str(value)
    raise StatementError(place, found=quoted(repr(value)), expected="text or a number", do=_AGAIN)


def _layout(name: str, results: list[Mapping[str, str]], empty: Layout | None) -> Layout:
    objects = sorted({result["object"] for result in results if "object" in result})
    if len(objects) > 1:
        raise StatementError(
            name, found=" and ".join(objects), expected="one kind of result", do="save each endpoint in its own file"
        )
    if not objects:
        if empty is None:
            raise StatementError(
                name, found="buckets without results", expected="at least one", do="say what it is: --kind FILE=KIND"
            )
        return empty
    if objects[0] not in API_LAYOUTS:
        known = ", ".join(sorted({layout.subject for layout in API_LAYOUTS.values()}))
        raise StatementError(name, found=quoted(objects[0]), expected=f"one of {known}", do="leave it out")
    return API_LAYOUTS[objects[0]]
