"""The one place that makes a record: what was asked, what was seen, how it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tallyspan.books.record import Billable, Bounds, Phase, Reason, State, UsageLine, UsageRecord
from tallyspan.usage import limits
from tallyspan.usage.ending import VERDICTS, Ending, Verdict, verdict_of_status
from tallyspan.usage.endpoints import Endpoint
from tallyspan.usage.request import Ask
from tallyspan.usage.scan import NOTHING_SEEN, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHead:
    """What all attempts of a call share."""

    call_id: str
    endpoint: Endpoint
    ask: Ask
    provider: str
    server_address: str | None
    server_port: int | None
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """
    One attempt, as it is sent.

    Attributes:
        asks_usage: The request on the wire asks for usage, by the caller's wish or by ours.
        body: The bytes that are sent; None if they are not at hand.
    """

    record_id: str
    attempt: int
    started_ns: int
    stream: bool
    asks_usage: bool
    client_request_id_sent: bool = False
    api_key_hint: str | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The head of an answer."""

    status: int
    request_id: str | None = None
    organization: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How and when an attempt ended; `error_type` is the name of the exception that ended it."""

    ending: Ending
    ended_ns: int
    error_type: str | None = None


def intend(call: CallHead, request: RequestHead) -> UsageRecord:
    """Make the record of an attempt that is about to be sent."""
    end = End(Ending.UNOBSERVED, request.started_ns)
    return _record(call, request, None, NOTHING_SEEN, end, Phase.INTENT)


def observe(call: CallHead, request: RequestHead, head: ResponseHead | None, seen: Seen, end: End) -> UsageRecord:
    """Make the record of an attempt that is over."""
    return _record(call, request, head, seen, end, Phase.RESULT)


def _record(  # noqa: PLR0913, PLR0917 - all that is known of an attempt
    call: CallHead, request: RequestHead, head: ResponseHead | None, seen: Seen, end: End, phase: Phase
) -> UsageRecord:
    verdict = _judge(call, request, head, seen, end)
    error_type = end.error_type or seen.error_type
    if error_type is None and head is not None and verdict is not None and verdict.reason is Reason.HTTP_ERROR:
        error_type = str(head.status)
    billable = Billable.YES if verdict is None else verdict.billable
    return UsageRecord(
        record_id=request.record_id,
        phase=phase,
        state=State.MEASURED if verdict is None else State.FLAGGED,
        reason=None if verdict is None else verdict.reason,
        billable=billable,
        requests=0 if billable is Billable.NO else 1,
        bounds=Bounds() if verdict is None else _bounds(call, request, seen, billable),
        started_ns=request.started_ns,
        ended_ns=None if phase is Phase.INTENT else end.ended_ns,
        call_id=call.call_id,
        attempt=request.attempt,
        operation=call.endpoint.operation,
        provider=call.provider,
        endpoint=call.endpoint.path,
        api_type=call.endpoint.api_type,
        server_address=call.server_address,
        server_port=call.server_port,
        stream=request.stream,
        request_model=call.ask.model,
        response_id=seen.response_id,
        request_id=None if head is None else head.request_id,
        client_request_id_sent=request.client_request_id_sent,
        organization=None if head is None else head.organization,
        project=None if head is None else head.project,
        request_service_tier=call.ask.service_tier,
        service_tier=seen.service_tier,
        system_fingerprint=seen.system_fingerprint,
        finish_reasons=seen.finish_reasons,
        http_status=None if head is None else head.status,
        error_type=error_type,
        api_key_hint=request.api_key_hint,
        attributes=call.attributes,
        lines=(UsageLine(model=seen.model),) if verdict is not None or seen.lines is None else seen.lines,
    )


def _judge(call: CallHead, request: RequestHead, head: ResponseHead | None, seen: Seen, end: End) -> Verdict | None:
    """Say why the usage is unknown; None if it is known."""
    refused = None if head is None else verdict_of_status(head.status)
    if end.ending is Ending.HIDDEN:
        return VERDICTS[Ending.HIDDEN] if refused is None else replace(refused, reason=Reason.HIDDEN_RESEND)
    if refused is not None:
        return refused
    if seen.lines is not None and (seen.final or seen.finished):
        return None
    if seen.error_type is not None:
        return Verdict(Reason.DROPPED, Billable.MAYBE)
    if end.ending is not Ending.COMPLETE:
        return VERDICTS[end.ending]
    return _judge_complete(call.endpoint, request, seen)


def _judge_complete(endpoint: Endpoint, request: RequestHead, seen: Seen) -> Verdict:
    """Say why a body that came to its end tells no usage: the first row that holds."""
    return next(verdict for holds, verdict in _NO_USAGE if holds(endpoint, request, seen))


def _was_not_asked(endpoint: Endpoint, request: RequestHead, _seen: Seen) -> bool:
    must_ask = endpoint.stream is not None and endpoint.stream.must_ask
    return request.stream and must_ask and not request.asks_usage


_NO_USAGE: tuple[tuple[Callable[[Endpoint, RequestHead, Seen], bool], Verdict], ...] = (
    (lambda _endpoint, _request, seen: seen.empty, Verdict(Reason.EMPTY_BODY, Billable.MAYBE)),
    (lambda _endpoint, _request, seen: seen.unreadable, Verdict(Reason.UNREADABLE, Billable.YES)),
    (lambda endpoint, _request, _seen: not endpoint.sources, Verdict(Reason.NO_USAGE_FIELD, Billable.MAYBE)),
    (lambda _endpoint, request, seen: request.stream and not seen.finished, Verdict(Reason.DROPPED, Billable.MAYBE)),
    (lambda _endpoint, _request, seen: seen.pending, Verdict(Reason.PENDING, Billable.YES)),
    (_was_not_asked, Verdict(Reason.STREAM_NOT_ASKED, Billable.YES)),
    (lambda _endpoint, _request, _seen: True, Verdict(Reason.NO_USAGE_FIELD, Billable.YES)),
)


def _bounds(call: CallHead, request: RequestHead, seen: Seen, billable: Billable) -> Bounds:
    """Bound what a flagged attempt can have used; an endpoint without a row has units that we do not know."""
    if billable is Billable.NO or not call.endpoint.sources:
        return Bounds()
    input_max = limits.input_max(request.body)
    return Bounds(input_min=0, input_max=input_max, output_min=0, output_max=_output_max(call, request, seen))


def _output_max(call: CallHead, request: RequestHead, seen: Seen) -> int | None:
    ask = call.ask
    if call.endpoint.has_output and limits.has_output_beyond(request.body):
        return None
    if ask.output_max is not None:
        return ask.output_max
    return None if limits.takes_turns(request.body) else limits.output_max(seen.model or ask.model, ask.choices)
