"""A stand-in of the OpenAI API with a ledger of its own. It imports nothing of tallyspan."""

from tallyspan.demo.billing import LedgerRow
from tallyspan.demo.callers import Request
from tallyspan.demo.clock import Clock
from tallyspan.demo.standin import StandIn
from tallyspan.demo.stranger import Heard, Stranger
from tallyspan.demo.tokens import Usage
from tallyspan.demo.worlds import Booking, Outcome, Share, World

__all__ = [
    "Booking",
    "Clock",
    "Heard",
    "LedgerRow",
    "Outcome",
    "Request",
    "Share",
    "StandIn",
    "Stranger",
    "Usage",
    "World",
]
