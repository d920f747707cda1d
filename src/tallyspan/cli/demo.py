"""`tallyspan demo`: the whole circle on this machine, without a key."""

import argparse
from pathlib import Path

from tallyspan.cli.exits import CouldNotRunError
from tallyspan.cli.parser import Commands


def register(commands: Commands) -> None:
    """Add the command's parser."""
    about = "see it work: record an app, check its books, explain a bill"
    parser = commands.add_parser("demo", help=about, description=about)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("tallyspan-demo"),
        help="where books and exports go; emptied first if an earlier demo made it (default: tallyspan-demo)",
    )


def run(args: argparse.Namespace) -> int:
    """Play the tour; 0 only if the checker found the planted faults and nothing else."""
    from tallyspan.demo.stage import StageError  # noqa: PLC0415 - only this command needs the stand-in
    from tallyspan.demo.tour import main  # noqa: PLC0415

    folder: Path = args.out
    try:
        return main(folder)
    except StageError as stop:
        message = f"tallyspan demo: {stop}"
        raise CouldNotRunError(message) from stop
