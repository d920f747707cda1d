"""A check on a screen of 100 columns, in the order in which people ask.

How much was looked at, do they agree, why not, where, what is to be done; the full table only with `-v`.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from textwrap import wrap

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.causes import Severity
from tallyspan.reconcile.report import BucketReport, Finding, Report, Verdict
from tallyspan.reconcile.tally import utc
from tallyspan.reconcile.vector import Interval, Measure, Vector

COLUMNS: dict[Measure, str] = {
    Measure.REQUESTS: "requests",
    Measure.INPUT: "input",
    Measure.INPUT_CACHED: "cached",
    Measure.OUTPUT: "output",
}
"""Head of each column."""

WORDS: dict[Measure, str] = {
    Measure.REQUESTS: "requests",
    Measure.INPUT: "input tokens",
    Measure.INPUT_CACHED: "cached tokens",
    Measure.OUTPUT: "output tokens",
}
"""The measures in a sentence."""

WIDTH = 100
"""Columns of a screen; a name without a space may still be longer."""

_MOST_BUCKETS = 40
_BUCKET_HEAD = (
    f" UTC   {'model':24}{'requests':>9}{'Δ':>8}{'input':>12}{'Δ':>11}{'Δ cached':>9}{'output':>10}{'Δ':>9}  why"
)
_MEANINGS = {0: "agree", 1: "disagree", 2: "could not run", 3: "nothing was compared"}


def check_screen(report: Report, *, verbose: bool = False, quiet: bool = False) -> str:
    """Write the report; `quiet` leaves verdict and coverage, `verbose` shows buckets that agree, and notes."""
    lines = [_coverage(report)]
    lines += () if quiet else (piece for line in report.inputs for piece in _wrapped(line, "", "           "))
    lines += ["", *_verdict(report)]
    if not quiet and report.verdict is not Verdict.NOTHING_TO_COMPARE:
        lines += [*_totals(report), *_findings(report, verbose=verbose), *_buckets(report, verbose=verbose)]
        lines += (piece for note in report.notes for piece in _wrapped(f"note: {note}", ""))
    passed = f": {report.passed}" if report.passed else ""
    meaning = "passed" if report.passed and report.exit_code == 0 else _MEANINGS[report.exit_code]
    lines.append(f"exit {report.exit_code} ({meaning}{passed})")
    return "\n".join(lines) + "\n"


def _coverage(report: Report) -> str:
    one = report.coverage
    first, last = utc(report.start), utc(max(report.start, report.end - 1))
    days = first if first == last else f"{first} … {last}"
    unsettled = one.provisional_days
    provisional = f" · {unsettled} day{'s' if unsettled != 1 else ''} not yet judged" if unsettled else ""
    return (
        f"{days} UTC · books cover {one.days_with_books} of {one.days} days · "
        f"{one.requests_with_books:,} of {one.requests:,} requests · "
        f"{_percent(one.tokens_with_books, one.tokens)} of tokens{provisional}"
    )


def _verdict(report: Report) -> Iterator[str]:
    unknowns = f"{report.unknowns:,} MARKED UNKNOWN{'S' if report.unknowns != 1 else ''}"
    width = "without an upper bound" if report.unknown_tokens is None else f"{report.unknown_tokens:,} tokens wide"
    heads = {
        Verdict.AGREES: "✓ AGREES",
        Verdict.AGREES_WITHIN_UNKNOWNS: f"✓ AGREES WITHIN {unknowns} ({width})",
        Verdict.DISAGREES: "✗ DISAGREES",
        Verdict.NOTHING_TO_COMPARE: "✗ NOTHING TO COMPARE",
    }
    within = report.verdict is Verdict.AGREES_WITHIN_UNKNOWNS
    yield heads[report.verdict] if within else f"{heads[report.verdict]}  {report.reason}"
    if within:
        yield f"  {report.reason}"
    if report.verdict is Verdict.DISAGREES and _differing(report):
        yield _in_words(report.totals.variance)
        if report.totals.gross != abs(report.totals.variance):
            yield "  differences of opposite sign cancel in the totals: look at the gross column"


def _differing(report: Report) -> bool:
    return not all(bucket.agrees for bucket in report.buckets)


def _in_words(variance: Vector) -> str:
    more = [_counted(measure, number) for measure, number in variance.items() if number > 0]
    fewer = [_counted(measure, -number) for measure, number in variance.items() if number < 0]
    said = [f"{', '.join(names)} {word}" for names, word in ((more, "more"), (fewer, "fewer")) if names]
    return f"  OpenAI counted {' and '.join(said)} than you recorded" if said else "  the totals are equal"


def _counted(measure: Measure, number: int) -> str:
    words = WORDS[measure]
    return f"{number:,} {words.removesuffix('s') if number == 1 else words}"


def _totals(report: Report) -> Iterator[str]:
    totals = report.totals
    yield ""
    yield f"  {'':14}{'statement':>16}{'books':>16}{'variance':>16}{'net':>10}{'gross':>10}"
    for measure in Measure:
        stated, net = totals.statement[measure], totals.variance[measure]
        yield (
            f"  {WORDS[measure]:14}{stated:>16,}{totals.books[measure]:>16,}{_signed(net):>16}"
            f"{_percent(net, stated, signed=True):>10}{_percent(totals.gross[measure], stated):>10}"
        )


def _findings(report: Report, *, verbose: bool) -> Iterator[str]:
    shown = [one for one in report.findings if verbose or one.cause.severity > Severity.NOTE]
    hidden = len(report.findings) - len(shown)
    if shown:
        yield ""
        yield f"{len(shown)} finding{'s' if len(shown) != 1 else ''}, worst first" + (
            f" ({hidden} note{'s' if hidden != 1 else ''} more with -v)" if hidden else ""
        )
    for finding in shown:
        yield from _finding(finding)
    if report.verdict is Verdict.DISAGREES and _differing(report) and not report.unexplained_gross:
        yield "no difference is left without a cause; how sure each cause is stands beside it"


def _finding(finding: Finding) -> Iterator[str]:
    amount = "" if finding.amount is None else f"  {_amount(finding.amount)}"
    certainty = "" if finding.certainty is None else f"  {finding.certainty}"
    places = f"  {_places(finding.places)}" if finding.places else ""
    yield from _wrapped(f"{finding.code} {finding.cause.title}{places}{amount}{certainty}", " ", "     ")
    if finding.bounds is not None:
        yield from _wrapped(f"may hold {_interval(finding.bounds)}", "     ")
    for sentence in finding.evidence:
        yield from _wrapped(sentence, "     ")
    yield from _wrapped(f"do   {finding.cause.do}", "     ", "          ")


def _wrapped(text: str, indent: str, hanging: str = "       ") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False)


def _places(places: Sequence[Key]) -> str:
    models = sorted({key.model or "(no model)" for key in places})
    days = sorted({utc(key.day)[5:] for key in places})
    many = f"{days[0]} … {days[-1]}" if len(days) > 1 else "".join(days)
    return f"{', '.join(models)} {many}"


def _amount(amount: Vector) -> str:
    said = [f"{_signed(number)} {_column(measure, abs(number))}" for measure, number in amount.items() if number]
    return ", ".join(said) or "0"


def _column(measure: Measure, number: int) -> str:
    return COLUMNS[measure].removesuffix("s") if number == 1 else COLUMNS[measure]


def _interval(bounds: Mapping[Measure, Interval]) -> str:
    said: list[str] = []
    for measure, interval in bounds.items():
        if interval.high is None:
            said.append(f"{interval.low:,} or more {COLUMNS[measure]}")
        elif interval.high:
            span = f"{interval.low:,} to {interval.high:,}" if interval.low != interval.high else f"{interval.low:,}"
            said.append(f"{span} {_column(measure, interval.high)}")
    return ", ".join(said) or "nothing"


def _buckets(report: Report, *, verbose: bool) -> Iterator[str]:
    shown = [bucket for bucket in report.buckets if verbose or not bucket.agrees]
    if shown:
        yield ""
        yield _BUCKET_HEAD
        yield from (_bucket(bucket) for bucket in islice(shown, _MOST_BUCKETS))
    if len(shown) > _MOST_BUCKETS:
        yield f" … and {len(shown) - _MOST_BUCKETS} buckets more: --format json has them all"
    agreeing = len(report.buckets) - len(shown)
    if agreeing:
        yield f"{agreeing} bucket{'s' if agreeing != 1 else ''} identical" + ("" if verbose else " (shown with -v)")


def _bucket(bucket: BucketReport) -> str:
    books, variance = bucket.books, bucket.variance
    codes = sorted({code.value for code, _ in bucket.parts} | ({"U01"} if bucket.residual else set()))
    marks = (("not settled", bucket.provisional), ("blank cells", bucket.blank - {Measure.INPUT_CACHED}))
    why = " ".join([*codes, *(word for word, holds in marks if holds)])
    return (
        f" {utc(bucket.key.day)[5:]} {(bucket.key.model or '(no model)')[:23]:24}"
        f"{books.requests:>9,}{_signed(variance.requests):>8}{books.input:>12,}{_signed(variance.input):>11}"
        f"{_signed(variance.input_cached):>9}{books.output:>10,}{_signed(variance.output):>9}  {why}"
    ).rstrip()


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "="


def _percent(part: int, whole: int, *, signed: bool = False) -> str:
    if whole == 0:
        return "-"
    share = Decimal(100 * part) / Decimal(whole)
    return f"{share:+.1f} %" if signed and part else f"{share:.1f} %"
