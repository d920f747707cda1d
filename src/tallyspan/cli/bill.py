"""`tallyspan bill`: what was charged and for what, from exports alone."""

import argparse

from tallyspan.cli.exits import CouldNotRunError
from tallyspan.cli.parser import Commands


def register(commands: Commands) -> None:
    """Add the parser of this command."""
    about = "what was charged and for what: exports alone"
    commands.add_parser("bill", help=about, description=about).add_argument("files", nargs="+")


def run(args: argparse.Namespace) -> int:
    """Read, judge, print."""
    msg = f"bill is being built; {len(args.files)} files"
    raise CouldNotRunError(msg)
