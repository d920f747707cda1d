"""The record: one HTTP attempt that may be billed, as it is written down.

An attempt is the atom of the bill: a call that times out and is sent again may be charged twice. Every attempt leaves
exactly one result record, *measured* (the provider said what it used) or *flagged* (why not, and within what bounds).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from tallyspan.books.quantities import Counts, Unit


class Kind(StrEnum):
    """Whether a record adds to the bill."""

    SPEND = "spend"
    SETTLEMENT = "settlement"
    """A later answer that gives the usage of an attempt already written as flagged."""
    REREAD = "reread"
    """Old usage seen again; never adds."""


class Phase(StrEnum):
    """Whether the attempt was about to be sent, or is over. A result replaces its intent."""

    INTENT = "intent"
    RESULT = "result"


class State(StrEnum):
    """Whether the provider told the usage."""

    MEASURED = "measured"
    FLAGGED = "flagged"


class Reason(StrEnum):
    """Why the usage of a flagged attempt is unknown."""

    STREAM_NOT_ASKED = "stream_not_asked"
    """A stream that ran to its end; the caller did not ask for usage, and the provider sent none."""
    CLOSED_EARLY = "closed_early"
    """The application stopped reading: close, break, an exception of its own, or the stream was collected."""
    DROPPED = "dropped"
    """The connection failed, or the body ended before its end."""
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    EMPTY_BODY = "empty_body"
    NO_USAGE_FIELD = "no_usage_field"
    """The body was read whole and names no usage (a background response, an endpoint without a row)."""
    HTTP_ERROR = "http_error"
    UNREADABLE = "unreadable"
    """There was a body, and it could not be decoded."""
    UNOBSERVED = "unobserved"
    """A call returned, and no attempt of it was seen; or an intent that no result followed."""
    HIDDEN_RESEND = "hidden_resend"
    """An exchange inside one attempt that was followed by another (redirect, auth, a transport's own retry)."""
    PENDING = "pending"
    """The answer says that the work goes on; its usage comes with a later answer (settlement)."""


class Billable(StrEnum):
    """Whether the provider may charge the attempt."""

    NO = "no"
    """Never sent, or refused (4xx): counts 0 requests."""
    MAYBE = "maybe"
    """May have been worked on (5xx, timeout, drop, cancellation): between 0 and `requests` requests."""
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    The least and the most tokens a flagged attempt can have used, were it charged.

    An absent maximum means unbounded. Meaningless on a measured record, where all four are absent.
    """

    input_min: int | None = None
    input_max: int | None = None
    output_min: int | None = None
    output_max: int | None = None


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True)
class UsageLine:
    """
    What one model, or one unit, contributed to an attempt.

    Attributes:
        model: The model that the provider says it served; None if it did not say.
        item: What the line bills beside the model call itself (`web_search`, `image_gen`); None for the call.
        counts: Empty when the usage is unknown.
    """

    model: str | None = None
    item: str | None = None
    unit: Unit = Unit.TOKENS
    counts: Counts = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """
    One attempt.

    Attributes:
        record_id: Unique to this attempt; the key of every copy of the record, together with a line's number.
        started_ns: Start of the attempt in Unix nanoseconds; its UTC day is the day of the record.
        ended_ns: End of the attempt in Unix nanoseconds; None in an intent.
        time_uncertain: The times are the provider's or approximate, not those of an attempt that was watched.
        call_id: Shared by all attempts of one call of the application.
        attempt: 0 for the first attempt of a call. A hidden resend has the number of the attempt it hides in.
        requests: How many requests the record stands for; 0 if it is not billable, and then nothing was charged.
        api_type: `chat_completions`, `responses`, … by the conventions; None for other endpoints.
        endpoint: The path after the API's root, as the SDK names it (`/chat/completions`).
        stream: Whether the answer was asked for as a stream.
        request_id: The provider's `x-request-id`.
        client_request_id_sent: Whether the attempt carried its record id as `X-Client-Request-Id`.
        attributes: Attribution that the user asked for (baggage, static), name to value.
        lines: Never empty; line 0 belongs to the model that was called.
    """

    record_id: str
    kind: Kind = Kind.SPEND
    phase: Phase = Phase.RESULT
    state: State
    reason: Reason | None = None
    billable: Billable
    requests: int
    bounds: Bounds = UNBOUNDED
    started_ns: int
    ended_ns: int | None
    time_uncertain: bool = False
    call_id: str
    attempt: int
    operation: str
    provider: str
    endpoint: str
    api_type: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    stream: bool = False
    request_model: str | None = None
    response_id: str | None = None
    batch_id: str | None = None
    request_id: str | None = None
    client_request_id_sent: bool = False
    organization: str | None = None
    project: str | None = None
    request_service_tier: str | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    finish_reasons: tuple[str, ...] = ()
    http_status: int | None = None
    error_type: str | None = None
    api_key_hint: str | None = None
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    lines: tuple[UsageLine, ...] = (UsageLine(),)


class MarkKind(StrEnum):
    """What a writer says of itself."""

    START = "start"
    ALIVE = "alive"
    END = "end"


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign of life of a writer; `time_ns` is Unix nanoseconds."""

    kind: MarkKind
    time_ns: int


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A record or a mark, as one writer put it into the books.

    Attributes:
        writer_id: Random, one for each process, new after a fork.
        sequence: 0, 1, 2 … over results and marks of one writer, so that a missing number is a lost entry; an intent
            takes none.
    """

    writer_id: str
    sequence: int | None
    item: UsageRecord | Mark
