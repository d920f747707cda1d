"""What the process tells its caller: the exit codes, and the one error that becomes a line."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended. Python's own traceback exits 1 too, so none may escape."""

    AGREE = 0
    DISAGREE = 1
    COULD_NOT_RUN = 2
    NOTHING_COMPARED = 3


EXIT_MEANINGS: dict[Exit, str] = {
    Exit.AGREE: "agree; for `bill`: everything could be read",
    Exit.DISAGREE: "disagree",
    Exit.COULD_NOT_RUN: "could not run (bad input, bad option)",
    Exit.NOTHING_COMPARED: "nothing was compared",
}


class CouldNotRunError(Exception):
    """The command can not go on; the text is one line that says what was found and what to do."""
