"""A stand-in of the OpenAI API with a ledger of its own. It imports nothing of tallyspan.

    with StandIn(seed=1, world=World(aborted=Share.SENT)) as api:
        client = OpenAI(base_url=api.base_url, api_key="sk-test-abcd1234")
        api.plan("429", "gzip+cut:3", path="/chat/completions")
        ...
        billed = [row for row in api.ledger if row.billed]

`python -m tallyspan.demo --help` lists the faults, `controls` what another process can ask for.
"""

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
