"""What do we believe about how the provider books and bills?

None of this is documented by OpenAI, so it is a parameter: a test that holds in one world only
proves the world, not tallyspan.
"""

from dataclasses import dataclass
from enum import StrEnum

from tallyspan.demo.clock import SECOND
from tallyspan.demo.tokens import Usage


class Outcome(StrEnum):
    """How an attempt ended, as the server sees it."""

    COMPLETE = "complete"  # everything was generated and handed to the network
    ABORTED = "aborted"  # a stream stopped part way, by either side
    UNANSWERED = "unanswered"  # the work was done, the whole answer never left
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    FREE = "free"  # an endpoint without a price, or an answer read again


class Booking(StrEnum):
    """The moment whose UTC bucket an attempt falls into."""

    START = "start"
    COMPLETION = "completion"


class Share(StrEnum):
    """How much of the work of an aborted stream is billed."""

    WHOLE = "whole"
    SENT = "sent"  # all input, all reasoning, and the output tokens that left
    NONE = "none"


@dataclass(frozen=True, slots=True)
class World:
    """One set of beliefs.

    `settle_seconds` and `cost_settle_seconds`: how long after booking an attempt first shows in
    the Usage API and its exports, and in the Costs API and its exports.
    """

    booking: Booking = Booking.COMPLETION
    aborted: Share = Share.WHOLE
    unanswered_billed: bool = True
    server_errors_billed: bool = False
    settle_seconds: int = 0
    cost_settle_seconds: int = 0

    def billed(self, outcome: Outcome, whole: Usage, sent: int) -> Usage | None:
        """Return what is billed, or None for nothing; `sent` counts the output tokens that left."""
        share = {
            Outcome.COMPLETE: Share.WHOLE,
            Outcome.ABORTED: self.aborted,
            Outcome.UNANSWERED: Share.WHOLE if self.unanswered_billed else Share.NONE,
            Outcome.SERVER_ERROR: Share.WHOLE if self.server_errors_billed else Share.NONE,
        }.get(outcome, Share.NONE)
        if share is Share.NONE:
            return None
        return whole if share is Share.WHOLE else whole.cut(sent)

    def booked_ns(self, started_ns: int, ended_ns: int) -> int:
        """Return the moment of booking."""
        return started_ns if self.booking is Booking.START else ended_ns

    def usage_seen_ns(self, booked_ns: int) -> int:
        """Return when usage booked at that moment first shows."""
        return booked_ns + self.settle_seconds * SECOND

    def cost_seen_ns(self, booked_ns: int) -> int:
        """Return when the cost booked at that moment first shows."""
        return booked_ns + self.cost_settle_seconds * SECOND
