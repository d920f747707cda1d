"""
The command line: the second composition root.

A command is a module of this package with `register(subparsers)`, which adds its parser, and `run(args) -> int`, which
does the work, writes its whole result to stdout at once and returns an exit code. Only the module of the command that
was called is imported. Raise `CouldNotRunError` for one line on stderr and exit 2.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Protocol, cast

from tallyspan.cli.exits import CouldNotRunError, Exit
from tallyspan.cli.parser import Commands, Parser, nearest

COMMANDS: dict[str, str] = {
    "bill": "tallyspan.cli.bill",
    "check": "tallyspan.cli.check",
    "demo": "tallyspan.cli.demo",
}
"""Name of each command and the module that is it."""


class Command(Protocol):
    """What a module of a command offers."""

    register: Callable[[Commands], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; never raises but for `--help` and `--version`, which exit 0 as argparse does."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name in an export must not stop the report
    try:
        return _dispatch(words)
    except CouldNotRunError as stop:
        return _could_not_run(str(stop))
    except BrokenPipeError:
        # The reader of stdout left (`| head`): silence the flush at exit, which would raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.COULD_NOT_RUN
    except OSError as fault:
        return _could_not_run(f"tallyspan: stopped while reading or writing ({fault.strerror or fault})")
    except KeyboardInterrupt:
        return _could_not_run("interrupted")
    except Exception as fault:  # noqa: BLE001 - the guard of this root: a traceback would exit 1, which means "disagree"
        return _could_not_run(f"internal error, please report it: {type(fault).__name__}: {fault}")


def _dispatch(words: list[str]) -> int:
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        msg = f"tallyspan: no command '{name}'{nearest(name, COMMANDS)} (see tallyspan --help)"
        raise CouldNotRunError(msg)
    parser = Parser(prog="tallyspan", description="Does your OpenAI bill add up?")
    parser.add_argument("--version", action="version", version=f"tallyspan {version('tallyspan')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for known in COMMANDS if name is None else (name,):
        _command(known).register(commands)
    args = parser.parse_args(words)
    return _command(args.command).run(args)


def _command(name: str) -> Command:
    return cast("Command", importlib.import_module(COMMANDS[name]))


def _could_not_run(line: str) -> int:
    sys.stderr.write(" ".join(line.split()) + "\n")
    return Exit.COULD_NOT_RUN
