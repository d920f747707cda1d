"""Where the wire hands over what it saw: four methods, in the order of a call's life."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from tallyspan.books.record import UsageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStart:
    """
    A call of the application, before its first attempt.

    Attributes:
        started_ns: Unix nanoseconds.
        parameters: Request parameters worth a span attribute, by attribute name; never content.
    """

    call_id: str
    started_ns: int
    operation: str
    provider: str
    endpoint: str
    api_type: str | None
    request_model: str | None
    server_address: str | None
    server_port: int | None
    stream: bool
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """
    The same call, when `request()` is over and its last attempt has ended.

    Attributes:
        ended_ns: Unix nanoseconds.
        first_chunk_ns: When the first bytes of a streamed body came; None if nothing was streamed.
        error_type: Qualified name of the exception that left `request()` or broke the stream; None if all went well.
        records: Result records of the call's attempts in order of their end; hidden resends among them.
    """

    call_id: str
    ended_ns: int
    first_chunk_ns: int | None
    error_type: str | None
    records: tuple[UsageRecord, ...]


Detach = Callable[[], None]
"""Undoes what `call_started` made current. Called once, in the same context, when `request()` returns or raises."""


class Sink(Protocol):
    """
    Takes what was recorded. Any method may raise; the wire guards it.

    `attempt_ended` and `call_ended` may be called from another thread than `call_started`.
    """

    def call_started(self, start: CallStart) -> Detach:
        """Begin a call; a span becomes current until the returned function is called."""
        ...

    def attempt_started(self, intent: UsageRecord) -> None:
        """Note an attempt before its first byte is sent (`phase` is intent)."""
        ...

    def attempt_ended(self, record: UsageRecord) -> None:
        """Note an attempt's result, exactly once for each record."""
        ...

    def call_ended(self, end: CallEnd) -> None:
        """End a call."""
        ...
