"""The one table of causes: every finding of a check is a row of it.

Letters: M missing in the books, X too much in them, S elsewhere in them, C coverage and quality of the inputs,
U unexplained. A code keeps its meaning for ever; docs/causes.md is generated from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Certainty(StrEnum):
    """How far a cause is shown."""

    PROVEN = "proven"
    """Predicted from the records before looking, exact, without a rival, and with direct evidence."""
    LIKELY = "likely"
    """It fits, and nothing else does as well."""
    POSSIBLE = "possible"
    """It fits; so it explains nothing yet."""


class Severity(IntEnum):
    """How much a finding matters to a gate."""

    NOTE = 0
    WARNING = 1
    ERROR = 2


class Family(StrEnum):
    """What the causes of one letter have in common."""

    MISSING = "missing in the books"
    EXTRA = "too much in the books"
    SHIFTED = "elsewhere in the books"
    COVERAGE = "coverage of the inputs"
    UNEXPLAINED = "unexplained"


class Code(StrEnum):
    """Codes of the causes."""

    USAGE_NOT_IN_ANSWER = "M01"
    NOT_RECORDED = "M02"
    BATCH_NOT_RECORDED = "M04"
    RETRIED = "M06"
    UNANSWERED = "M07"
    SEVERAL_UNKNOWNS = "M08"
    CACHED_NOT_REPORTED = "M09"
    ANSWER_TWICE = "X01"
    NOT_BILLED_HERE = "X02"
    CONTRADICTION = "X03"
    OTHER_DAY = "S01"
    ALIAS = "S03"
    PROVISIONAL = "C01"
    OUTSIDE_EXPORT = "C02"
    LOST = "C03"
    BLANK_CELLS = "C04"
    CUT_OFF = "C05"
    DAY_WITHOUT_BOOKS = "C06"
    UNREADABLE = "C07"
    INCOMPLETE = "C08"
    NO_BEGINNING = "C09"
    REDELIVERED = "C10"
    UNGROUPED = "C11"
    CACHED_NOT_EXPORTED = "C12"
    UNEXPLAINED = "U01"


@dataclass(frozen=True, slots=True)
class Cause:
    """
    A row of the table.

    Attributes:
        highest: The certainty that it can reach.
        means: What it is, in a sentence.
        do: The next step.
    """

    family: Family
    title: str
    highest: Certainty
    severity: Severity
    means: str
    do: str


def _row(  # noqa: PLR0913, PLR0917 - a row has as many columns as the table
    family: Family, title: str, highest: Certainty, severity: Severity, means: str, do: str
) -> Cause:
    return Cause(family, title, highest, severity, means, do)


_M, _X, _S, _C = Family.MISSING, Family.EXTRA, Family.SHIFTED, Family.COVERAGE
_PROVEN, _LIKELY, _POSSIBLE = Certainty.PROVEN, Certainty.LIKELY, Certainty.POSSIBLE
_NOTE, _WARNING, _ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR

CAUSES: Mapping[Code, Cause] = MappingProxyType(
    {
        Code.USAGE_NOT_IN_ANSWER: _row(
            _M, "usage not in the answer", _LIKELY, _WARNING,
            "The provider answered, and its answer as far as it was read named no usage: a stream that did not ask for "
            "it or was closed early, an empty body.",
            "let streams ask for usage (TALLYSPAN_STREAM_USAGE=auto) and read them to their end",
        ),
        Code.NOT_RECORDED: _row(
            _M, "traffic that nobody recorded", _PROVEN, _ERROR,
            "The statement holds requests of a model, project or key of which the books hold none.",
            "run that application under opentelemetry-instrument, or give its books to this check",
        ),
        Code.BATCH_NOT_RECORDED: _row(
            _M, "batch that nobody recorded", _PROVEN, _ERROR,
            "The statement has batch rows; the books of the window have no batch.",
            "retrieve finished batches through a recorded client, which books their usage",
        ),
        Code.RETRIED: _row(
            _M, "failed attempt, sent again", _LIKELY, _WARNING,
            "An attempt failed and the client sent the same request again; the provider may have charged both.",
            "raise the client's timeout, or lower max_retries, where this happens often",
        ),
        Code.UNANSWERED: _row(
            _M, "attempt without an answer", _LIKELY, _WARNING,
            "An attempt timed out, was dropped or cancelled, or nobody saw its end; the provider may have charged it.",
            "look at the attempts named here; TALLYSPAN_CLIENT_REQUEST_ID=on lets support trace them",
        ),
        Code.SEVERAL_UNKNOWNS: _row(
            _M, "attempts without usage, of several kinds", _LIKELY, _WARNING,
            "Flagged attempts of several kinds in one bucket, which together can hold the variance.",
            "see M01, M06, M07 and M09; a narrower bucket may tell them apart",
        ),
        Code.CACHED_NOT_REPORTED: _row(
            _M, "cached tokens not in the answer", _LIKELY, _WARNING,
            "Answers gave input and output tokens, and not how many of the input tokens were cached.",
            "use a client or an endpoint that reports cached tokens",
        ),
        Code.ANSWER_TWICE: _row(
            _X, "one answer recorded more than once", _PROVEN, _WARNING,
            "Several attempts brought home the same response id; the provider charges it once, so one of them counts.",
            "look for a cache or a replay between client and provider",
        ),
        Code.NOT_BILLED_HERE: _row(
            _X, "not on this statement", _PROVEN, _NOTE,
            "Records of other providers, or of endpoints that another usage export lists; left out of the comparison.",
            "check them against their own statement",
        ),
        Code.CONTRADICTION: _row(
            _X, "books contradict themselves", _PROVEN, _ERROR,
            "The same record, or the same settlement, stands in the books with different content; it is not counted.",
            "find out which file was changed; give the originals",
        ),
        Code.OTHER_DAY: _row(
            _S, "booked on the other UTC day", _LIKELY, _WARNING,
            "Attempts that began before midnight UTC and ended after it; the statement has them on the later day.",
            "none needed: the sum of both days agrees",
        ),
        Code.ALIAS: _row(
            _S, "model under another name", _LIKELY, _NOTE,
            "Books and statement name one model with and without the date of its snapshot.",
            "none needed: the names were joined",
        ),
        Code.PROVISIONAL: _row(
            _C, "day not settled", _PROVEN, _NOTE,
            "The provider may still add to a day that ended a short while ago; it is shown and not judged.",
            "export again when the day is settled, or say --settle HOURS",
        ),
        Code.OUTSIDE_EXPORT: _row(
            _C, "window wider than the export", _PROVEN, _WARNING,
            "--since and --until ask for days that no statement covers; they are not compared.",
            "export the whole window",
        ),
        Code.LOST: _row(
            _C, "lost entries", _PROVEN, _WARNING,
            "A writer numbers its entries, and numbers are missing: entries were written and did not arrive.",
            "look for the missing files; check the collector's queue and the disk; TALLYSPAN_SPOOL keeps books durable",
        ),
        Code.BLANK_CELLS: _row(
            _C, "blank cells in the export", _PROVEN, _ERROR,
            "Rows of the statement lack requests, input or output; a blank cell is not zero, so it is not compared.",
            "take the export as OpenAI wrote it",
        ),
        Code.CUT_OFF: _row(
            _C, "writer cut off", _PROVEN, _WARNING,
            "A process stopped without closing its books; what it had not written by then is missing.",
            "look why it was killed; TALLYSPAN_SPOOL writes an attempt down before it is sent",
        ),
        Code.DAY_WITHOUT_BOOKS: _row(
            _C, "day without books", _PROVEN, _ERROR,
            "The statement has usage on a day of which the books hold no record that may have been charged.",
            "give the books of this day, or narrow the window with --since and --until",
        ),
        Code.UNREADABLE: _row(
            _C, "unreadable lines in the books", _PROVEN, _WARNING,
            "Lines of a file of books are torn or do not decode; what stood there does not count.",
            "see the lines named here; a writer killed in mid-write leaves one",
        ),
        Code.INCOMPLETE: _row(
            _C, "records with missing lines", _PROVEN, _WARNING,
            "A record says that it has more lines than are there; it is not counted.",
            "give all files of the time; a batch may have ended between its lines",
        ),
        Code.NO_BEGINNING: _row(
            _C, "books that begin late", _PROVEN, _WARNING,
            "The first entries of a writer are not there; mostly they are in files of an earlier time.",
            "give the files from before the window as well",
        ),
        Code.REDELIVERED: _row(
            _C, "entries delivered more than once", _PROVEN, _NOTE,
            "Delivery is at least once; copies count once.",
            "none needed",
        ),
        Code.UNGROUPED: _row(
            _C,
            "export not grouped by model",
            _PROVEN,
            _WARNING,
            "The statement names no model, so only days were compared: differences between models may cancel.",
            "export again, grouped by model",
        ),
        Code.CACHED_NOT_EXPORTED: _row(
            _C, "cached tokens not compared", _PROVEN, _WARNING,
            "Rows of the statement do not say how many of the input tokens were cached; only the others were compared.",
            "export again with input_cached_tokens, which the bill prices lower",
        ),
        Code.UNEXPLAINED: _row(
            Family.UNEXPLAINED, "unexplained", _PROVEN, _ERROR,
            "What no cause above was shown to hold.",
            "export by minute, grouped by API key and project, for the day and model named here, and check again",
        ),
    }
)  # fmt: skip
"""Every cause, in the order of the letters."""
