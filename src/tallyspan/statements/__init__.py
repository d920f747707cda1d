"""What the provider says: files of OpenAI's exports in, statements out."""

from pathlib import Path

from tallyspan.reconcile.statement import Statement
from tallyspan.statements.api_pages import read_pages
from tallyspan.statements.assemble import Source
from tallyspan.statements.csv_export import read_csv
from tallyspan.statements.detect import is_json, layout_by_header, layout_by_name, layout_by_word, recognise
from tallyspan.statements.errors import StatementError, quoted
from tallyspan.statements.layouts import CSV_LAYOUTS
from tallyspan.statements.merge import merge

__all__ = ["KINDS", "StatementError", "merge", "read_statement", "recognise"]

KINDS = tuple(CSV_LAYOUTS)
"""The words that `--kind` takes for the dashboard's files."""


def read_statement(file: str | Path | tuple[str, bytes], kind: str | None = None) -> Statement:
    """
    Read one export whole.

    Args:
        file: A path, or a name and the bytes that stand under it.
        kind: What the user says it is; None to find out from its content, then its name.

    Raises:
        StatementError: It can not be read, or it is not clear what it is.
        OSError: The path can not be opened.
    """
    source = Source(*file) if isinstance(file, tuple) else Source(str(file), Path(file).read_bytes())
    text = _text(source)
    said = layout_by_word(source.name, kind) if kind is not None else None
    if is_json(text):
        return read_pages(source, text, said or layout_by_name(source.name))
    layout = said or layout_by_header(text) or layout_by_name(source.name)
    if layout is None:
        place = f"{source.name}:1"
        raise StatementError(
            place,
            found=quoted(text.partition("\n")[0]),
            expected="a completions usage, cost or activity export",
            do=f"say what it is: --kind FILE={'|'.join(KINDS)}",
        )
    return read_csv(source, text, layout)


def _text(source: Source) -> str:
    try:
        return source.content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = source.content.count(b"\n", 0, fault.start) + 1
        place = f"{source.name}:{line}"
        raise StatementError(
            place,
            found=f"a byte that is not UTF-8 (0x{source.content[fault.start]:02x})",
            expected="the UTF-8 text of an export",
            do="take the file as OpenAI wrote it, unpacked and not through a spreadsheet",
        ) from None
