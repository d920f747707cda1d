"""A bill as JSON, for machines: amounts and averages are strings of decimal digits, counts are integers."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tallyspan.reconcile.bill import Bill, BillDay, Note, Share
from tallyspan.reconcile.bill_lines import BillLine, Offer
from tallyspan.reconcile.charge import Charge, Choice, sum_of
from tallyspan.reconcile.price import Unpriced
from tallyspan.reconcile.statement import Statement
from tallyspan.reconcile.tally import Tally, utc

SCHEMA_VERSION = 0
"""Raised when a key changes its meaning or goes; new keys may come at any time."""


def bill_json(bill: Bill, notes: Sequence[Note]) -> str:
    """The whole bill; keys in one order, one newline at the end."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "window": {
            "start": _moment(bill.start),
            "end": _moment(bill.end),
            "statements": [_statement(statement) for statement in bill.statements],
        },
        "totals": {
            "subjects": {subject: _tally(sums) for subject, sums in bill.totals.items()},
            "keys": [_share(share) for share in bill.keys],
            "models": [_share(share) for share in bill.models],
        },
        "lines": [_line(line) for line in bill.lines],
        "days": [_day(day) for day in bill.days if day.tallies or day.missing],
        "charged": None if bill.charge is None else _charge(bill.charge),
        "notes": [{"topic": note.topic, "text": note.text} for note in notes],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _statement(statement: Statement) -> Mapping[str, object]:
    return {
        "name": statement.name,
        "kind": statement.kind,
        "subject": statement.subject,
        "variant": statement.variant,
        "sha256": statement.sha256,
        "start": _moment(statement.start),
        "end": _moment(statement.end),
        "groupings": sorted(statement.groupings),
        "rows": len(statement.rows),
    }


def _tally(sums: Tally) -> Mapping[str, object]:
    return {
        "counts": dict(sums.counts),
        "amounts": {currency: f"{amount:f}" for currency, amount in sums.amounts.items()},
        "quantities": {unit: f"{quantity:f}" for unit, quantity in sums.quantities.items()},
        "per_request": {name: f"{average:f}" for name, average in sums.per_request().items()},
    }


def _share(share: Share) -> Mapping[str, object]:
    return {"subject": share.subject, "name": share.name, **_tally(share.tally)}


def _line(line: BillLine) -> Mapping[str, object]:
    return {
        "kind": line.kind,
        "subject": line.subject,
        "label": line.label,
        "model": line.model,
        "line_item": line.line_item,
        "first_day": utc(line.first),
        "last_day": utc(line.last),
        **_tally(line.tally),
        "list_prices": [_offer(offer) for offer in line.offers] if isinstance(line.offers, tuple) else [],
        "unpriced": line.offers.reason if isinstance(line.offers, Unpriced) else None,
    }


def _offer(offer: Offer) -> Mapping[str, object]:
    return {
        "amount": f"{offer.amount:f}",
        "currency": "usd",
        "parts": [
            {"measure": part.measure, "count": part.count, "per_unit": f"{part.per_unit:f}"} for part in offer.parts
        ],
        "source": offer.source,
        "conditions": list(offer.conditions),
    }


def _day(day: BillDay) -> Mapping[str, object]:
    return {
        "day": utc(day.start),
        "subjects": {subject: _tally(sums) for subject, sums in day.tallies.items()},
        "missing": list(day.missing),
    }


def _charge(charge: Charge) -> Mapping[str, object]:
    return {
        "amount": f"{charge.charged:f}",
        "currency": "usd",
        "combinations": charge.search.combinations,
        "by_chance": f"{charge.search.by_chance:.2g}",
        "tells": charge.search.tells,
        "search_complete": charge.search.complete,
        "matches": [
            {"amount": f"{sum_of(match):f}", "lines": [_choice(choice) for choice in match]}
            for match in charge.search.matches
        ],
        "left_on_same_days": _rest(charge.same_days),
        "left_on_other_days": _rest(charge.other_days),
        "untried": [line.label for line in charge.unpriced],
    }


def _rest(choices: Sequence[Choice]) -> Mapping[str, object]:
    return {"amount": f"{sum_of(choices):f}", "lines": [_choice(choice) for choice in choices]}


def _choice(choice: Choice) -> Mapping[str, object]:
    return {
        "subject": choice.line.subject,
        "label": choice.line.label,
        "first_day": utc(choice.line.first),
        "last_day": utc(choice.line.last),
        "amount": f"{choice.amount:f}",
        "list_price": None if choice.offer is None else _offer(choice.offer),
    }
