"""The files of a command line, sorted: books here, exports there."""

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallyspan.cli.exits import CouldNotRunError
from tallyspan.ledger import looks_like_books
from tallyspan.statements import recognise

BOOKS = "books"
"""What `--kind FILE=` says of a file of books."""

_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Inputs:
    """
    Names of files.

    Attributes:
        skipped: Files of a folder that are neither.
    """

    books: tuple[str, ...]
    statements: tuple[str, ...]
    skipped: tuple[str, ...]


def sort_inputs(files: Sequence[str], kinds: Mapping[str, str]) -> Inputs:
    """
    Look into every file, and into every file of a folder.

    Raises:
        CouldNotRunError: A file is not there, is a pipe, or is named and is neither books nor an export.
    """
    books: list[str] = []
    statements: list[str] = []
    skipped: list[str] = []
    seen: set[str] = set()
    for named in dict.fromkeys(files):
        for name in _expanded(named):
            seen.add(name)
            head = _head(name)
            if kinds.get(name) == BOOKS or (name not in kinds and looks_like_books(name, head)):
                books.append(name)
            elif name in kinds or recognise(name, head) is not None:
                statements.append(name)
            elif name == named:
                raise CouldNotRunError(_unclear(name))
            elif head:
                skipped.append(name)
    for name in kinds.keys() - seen:
        msg = f"--kind {name}: not one of the files given"
        raise CouldNotRunError(msg)
    return Inputs(tuple(books), tuple(statements), tuple(skipped))


def _expanded(name: str) -> Iterator[str]:
    path = Path(name)
    if path.is_dir():
        yield from sorted(str(found) for found in path.rglob("*") if found.is_file())
    else:
        yield name


def _head(name: str) -> bytes:
    try:
        if not stat.S_ISREG(Path(name).stat().st_mode):  # opening a pipe may wait for ever, and its head is gone then
            msg = f"{name}: found a pipe or a device, expected a file, which is read twice; save it first"
            raise CouldNotRunError(msg)
        with Path(name).open("rb") as file:
            return file.read(_HEAD)
    except OSError as fault:
        msg = f"{name}: can not be opened ({fault.strerror}); check the path"
        raise CouldNotRunError(msg) from fault


def _unclear(name: str) -> str:
    return f"{name}: found neither books nor an export, expected one of them; say what it is: --kind {name}=KIND"
