"""An argument parser whose errors are one line and name the nearest right word."""

import argparse
import difflib
import re
from collections.abc import Iterable
from typing import NoReturn, Protocol, cast

from tallyspan.cli.exits import EXIT_MEANINGS, CouldNotRunError


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean '--charged'?`, or nothing if no known word is like it."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else ""


class Commands(Protocol):
    """Where a command adds its parser; argparse keeps the class itself private."""

    def add_parser(self, name: str, /, *, help: str | None, description: str | None) -> "Parser":  # noqa: A002 - argparse's word
        ...


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that the root alone decides what is printed and returned."""

    def __init__(self, **options: object) -> None:
        """Take argparse's own options; abbreviations are off, the exit codes are the epilog."""
        epilog = "exit codes: " + " · ".join(f"{code.value} {meaning}" for code, meaning in EXIT_MEANINGS.items())
        super().__init__(**{"allow_abbrev": False, "epilog": epilog, **options})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into one line."""
        unknown = re.search(r"unrecognized arguments: (\S+)", message)
        known = [option for parser in (self, *self._commands()) for option in parser.options()]
        hint = nearest(unknown[1].split("=")[0], known) if unknown else ""
        msg = f"{self.prog}: {message}{hint} (see {self.prog} --help)"
        raise CouldNotRunError(msg)

    def options(self) -> list[str]:
        """Every option this parser itself knows, as written on the command line."""
        return [option for action in self._actions for option in action.option_strings]

    def _commands(self) -> list["Parser"]:
        choices: list[object] = [action.choices for action in self._actions]
        tables = [cast("dict[str, object]", table) for table in choices if isinstance(table, dict)]
        return [parser for table in tables for parser in table.values() if isinstance(parser, Parser)]
