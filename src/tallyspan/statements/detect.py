"""What a file is: by its content, then by its name, then by what the user says."""

import re
from pathlib import PurePath

from tallyspan.reconcile.statement import StatementKind
from tallyspan.statements.csv_export import header_of
from tallyspan.statements.errors import StatementError, quoted
from tallyspan.statements.layouts import API_LAYOUTS, CSV_LAYOUTS, Layout

_PAGE = re.compile(r'"object"\s*:\s*"(page|bucket|organization\.(?:usage|costs)[a-z_.]*)"')
_COST_RESULT = re.compile(r'"organization\.costs\.result"')


def recognise(name: str, head: bytes) -> StatementKind | None:
    """
    Say what kind of statement a file is, or None if it is none.

    Args:
        name: Path or name of the file.
        head: Its first bytes; 4096 are enough.
    """
    text = head.decode("utf-8-sig", errors="replace")
    named = layout_by_name(name)
    if is_json(text):
        if _PAGE.search(text) is None:
            return None
        if _COST_RESULT.search(text):
            return StatementKind.COST
        return StatementKind.USAGE if named is None else named.kind
    layout = layout_by_header(text) or (named if name.lower().endswith(".csv") else None)
    return layout.kind if layout is not None else None


def is_json(text: str) -> bool:
    """Whether it is JSON and not CSV."""
    return text.lstrip()[:1] in ("{", "[")


def layout_by_header(text: str) -> Layout | None:
    """The layout whose required columns are all in the first line; None if none fits, or two fit equally well."""
    header = header_of(text)
    fitting = [layout for layout in CSV_LAYOUTS.values() if layout.required <= header]
    most = max((len(layout.required) for layout in fitting), default=0)
    best = [layout for layout in fitting if len(layout.required) == most]
    return best[0] if len(best) == 1 else None


def layout_by_name(name: str) -> Layout | None:
    """The layout whose word begins the file's name, as the dashboard names its files."""
    base = PurePath(name).name.lower()
    return next((layout for word, layout in CSV_LAYOUTS.items() if re.match(rf"{word}(?![a-z])", base)), None)


def layout_by_word(name: str, word: str) -> Layout:
    """The layout that the user named with `--kind FILE=KIND`."""
    by_subject = {layout.subject: layout for layout in API_LAYOUTS.values()}
    known = {**by_subject, **CSV_LAYOUTS}
    if word not in known:
        raise StatementError(
            name, found=f"kind {quoted(word)}", expected=f"one of {', '.join(known)}", do="correct --kind"
        )
    return known[word]
