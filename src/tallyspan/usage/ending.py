"""How an attempt ended, and what that says of the bill."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tallyspan.books.record import Billable, Reason


class Ending(StrEnum):
    """The last thing that was seen of an attempt."""

    COMPLETE = "complete"
    """The whole body came, or a stream's last event."""
    CLOSED_EARLY = "closed_early"
    DROPPED = "dropped"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    NEVER_SENT = "never_sent"
    UNOBSERVED = "unobserved"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an ending without usage means."""

    reason: Reason
    billable: Billable


VERDICTS: Mapping[Ending, Verdict] = MappingProxyType(
    {
        Ending.CLOSED_EARLY: Verdict(Reason.CLOSED_EARLY, Billable.MAYBE),
        Ending.DROPPED: Verdict(Reason.DROPPED, Billable.MAYBE),
        Ending.TIMED_OUT: Verdict(Reason.TIMED_OUT, Billable.MAYBE),
        Ending.CANCELLED: Verdict(Reason.CANCELLED, Billable.MAYBE),
        Ending.NEVER_SENT: Verdict(Reason.DROPPED, Billable.NO),
        Ending.UNOBSERVED: Verdict(Reason.UNOBSERVED, Billable.MAYBE),
        Ending.HIDDEN: Verdict(Reason.HIDDEN_RESEND, Billable.MAYBE),
    }
)

_SUCCESS, _SERVER_ERROR = 2, 5
"""First digits of a status."""

_BY_EXCEPTION: Mapping[str, Ending] = MappingProxyType(
    {
        "ConnectError": Ending.NEVER_SENT,
        "ConnectTimeout": Ending.NEVER_SENT,
        "PoolTimeout": Ending.NEVER_SENT,
        "UnsupportedProtocol": Ending.NEVER_SENT,
        "LocalProtocolError": Ending.NEVER_SENT,
        "ProxyError": Ending.NEVER_SENT,
        "InvalidURL": Ending.NEVER_SENT,
        "TimeoutException": Ending.TIMED_OUT,
        "TimeoutError": Ending.TIMED_OUT,
        "CancelledError": Ending.CANCELLED,
        "KeyboardInterrupt": Ending.CANCELLED,
        "SystemExit": Ending.CANCELLED,
        "GeneratorExit": Ending.CLOSED_EARLY,
    }
)
"""By the name of an exception or of one of its bases: the names are the same in httpx and httpx2."""


def name_of(error: BaseException) -> str:
    """Name an exception as `error.type` does: its class, with its module."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def ending_of(error: BaseException) -> Ending:
    """Tell from an exception how the attempt ended; an unknown one may have been billed."""
    return next(
        (_BY_EXCEPTION[base.__name__] for base in type(error).__mro__ if base.__name__ in _BY_EXCEPTION),
        Ending.DROPPED,
    )


def verdict_of_status(status: int) -> Verdict | None:
    """
    Judge an answer by its status; None if it is a success.

    Refusals (4xx) and redirections are not charged; after a 5xx the work may have been done.
    """
    family = status // 100
    if family == _SUCCESS:
        return None
    return Verdict(Reason.HTTP_ERROR, Billable.MAYBE if family == _SERVER_ERROR else Billable.NO)
