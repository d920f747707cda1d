"""A check as one JSON document, for programs; version 0 of its schema."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.report import BucketReport, Finding, Report, Verdict
from tallyspan.reconcile.tally import utc
from tallyspan.reconcile.vector import Interval, Measure, Vector

SCHEMA_VERSION = 0


def check_document(report: Report) -> str:
    """Write the report; whole numbers stay whole, an unbounded limit is null, days are ISO dates in UTC."""
    coverage, totals = report.coverage, report.totals
    document = {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "reason": report.reason,
        "passed": report.passed,
        "window": {"start": _moment(report.start), "end": _moment(report.end)},
        "coverage": {
            "days": coverage.days,
            "days_with_books": coverage.days_with_books,
            "requests": coverage.requests,
            "requests_with_books": coverage.requests_with_books,
            "tokens": coverage.tokens,
            "tokens_with_books": coverage.tokens_with_books,
            "provisional_days": coverage.provisional_days,
            "records": coverage.records,
        },
        "totals": {
            "statement": _vector(totals.statement),
            "books": _vector(totals.books),
            "variance": _vector(totals.variance),
            "gross": _vector(totals.gross),
        },
        "unknown": {"count": report.unknowns, "tokens": report.unknown_tokens},
        "buckets": [_bucket(bucket) for bucket in report.buckets],
        "findings": [_finding(finding) for finding in report.findings],
        "unexplained": {"net": _vector(report.unexplained), "gross": _vector(report.unexplained_gross)},
        "inputs": list(report.inputs),
        "notes": list(report.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def nothing_document(reason: str, inputs: Sequence[str]) -> str:
    """Write that there was no statement to compare with: the same keys, and null where there is no number."""
    absent = dict.fromkeys(("window", "coverage", "totals", "unknown", "unexplained"))
    said = {"verdict": Verdict.NOTHING_TO_COMPARE, "exit_code": 3, "reason": reason, "passed": ""}
    lists = {"buckets": [], "findings": [], "inputs": list(inputs), "notes": []}
    return (
        json.dumps({"schema_version": SCHEMA_VERSION, **said, **absent, **lists}, indent=2, ensure_ascii=False) + "\n"
    )


def _vector(vector: Vector) -> Mapping[str, int]:
    return {measure.value: number for measure, number in vector.items()}


def _intervals(bounds: Mapping[Measure, Interval]) -> Mapping[str, list[int | None]]:
    return {measure.value: [interval.low, interval.high] for measure, interval in bounds.items()}


def _place(key: Key) -> Mapping[str, str]:
    return {"day": utc(key.day), "model": key.model}


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _bucket(bucket: BucketReport) -> Mapping[str, object]:
    return {
        **_place(bucket.key),
        "provisional": bucket.provisional,
        "statement": _vector(bucket.statement),
        "books": _vector(bucket.books),
        "variance": _vector(bucket.variance),
        "unknown": _intervals(bucket.unknown),
        "parts": [{"code": code, "amount": _vector(amount)} for code, amount in bucket.parts],
        "residual": _vector(bucket.residual),
        "blank": sorted(bucket.blank),
    }


def _finding(finding: Finding) -> Mapping[str, object]:
    return {
        "code": finding.code,
        "family": finding.cause.family,
        "title": finding.cause.title,
        "severity": finding.cause.severity.name.lower(),
        "certainty": finding.certainty,
        "amount": None if finding.amount is None else _vector(finding.amount),
        "bounds": None if finding.bounds is None else _intervals(finding.bounds),
        "buckets": [_place(key) for key in finding.places],
        "evidence": list(finding.evidence),
        "do": finding.cause.do,
    }
