"""One HTTP attempt, from the moment it is sent to the end of its body."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from tallyspan.usage.ending import Ending, ending_of, name_of
from tallyspan.usage.observe import End, RequestHead, ResponseHead, intend, observe
from tallyspan.usage.scan import NOTHING_SEEN, Seen
from tallyspan.wire.call import CLIENT_REQUEST_ID, Call
from tallyspan.wire.exchange import Exchanges
from tallyspan.wire.http import Request, body_at_hand
from tallyspan.wire.policy import masked_key

if TYPE_CHECKING:
    from contextvars import Token

SENDING: ContextVar[Attempt | None] = ContextVar("tallyspan_sending", default=None)


class Attempt:
    """
    One attempt of a call; ends once.

    It never holds the response, so that a stream that nobody keeps can be collected, and be seen to be.
    """

    __slots__ = ("_open", "_sending", "call", "exchanges", "first_chunk_ns", "gone", "head", "request")

    def __init__(self, call: Call, sent: Request) -> None:
        recorder = call.recorder
        policy = recorder.policy
        record_id = recorder.new_id()
        send_id = policy.client_request_id and policy.is_own(sent.url.host, sent.url.port) and call.names(sent)
        if send_id:
            sent.headers[CLIENT_REQUEST_ID] = call.sent_id = record_id
        self.call = call
        self.exchanges = Exchanges(recorder.clock_ns)
        self.head: ResponseHead | None = None
        self.first_chunk_ns: int | None = None
        self.gone: object = None
        self.request = RequestHead(
            record_id=record_id,
            attempt=call.next_number(),
            started_ns=recorder.clock_ns(),
            stream=call.stream,
            asks_usage=call.asks_usage,
            client_request_id_sent=send_id,
            api_key_hint=masked_key(sent.headers.get("authorization")) if policy.api_key_hint else None,
            body=body_at_hand(sent),
        )
        self._open = [True]
        self._sending: Token[Attempt | None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether no end was seen yet."""
        return bool(self._open)

    @property
    def is_sending(self) -> bool:
        """Whether it is on its way, and its answer not there."""
        return self._sending is not None

    def depart(self) -> None:
        """Be the attempt that is sent in this context; what is sent beside it, in another task, is one of its own."""
        self._sending = SENDING.set(self)

    def arrive(self) -> None:
        """Be sent no more. The context may be gone, with a coroutine that was closed elsewhere."""
        sending, self._sending = self._sending, None
        if sending is not None:
            with suppress(ValueError):
                SENDING.reset(sending)

    def forget(self) -> None:
        """End without a record: it is another process's."""
        self._open.clear()

    def announce(self) -> None:
        """Hand the intent over, before the first byte is sent."""
        if self.call.recorder.policy.intents:
            self.call.recorder.sink.attempt_started(intend(self.call.head, self.request))

    def failed(self, error: BaseException, seen: Seen = NOTHING_SEEN) -> None:
        """End without an answer, or with one whose body broke."""
        self.finish(ending_of(error), seen, name_of(error))

    def finish(self, ending: Ending, seen: Seen, error_type: str | None = None, ended_ns: int | None = None) -> None:
        """End; a second end is ignored, from whichever thread it comes."""
        try:
            self._open.pop()
        except IndexError:
            return
        recorder = self.call.recorder
        recorder.open_attempts.discard(self)
        self.gone = None
        end = End(self._truly(ending), ended_ns or recorder.clock_ns(), error_type)
        try:
            for number, exchange in enumerate(self.exchanges.made[:-1]):
                if exchange.is_post and exchange.body_sent and recorder.policy.is_own(exchange.host, exchange.port):
                    self._hidden(number)
            last = self.exchanges.last_post
            head = self.head if self.head is not None or last is None else last.head
            self.call.recorded(observe(self.call.head, self.request, head, seen, end))
        finally:
            self.call.part_ended()

    def _truly(self, ending: Ending) -> Ending:
        """Correct by the trace what an exception's name says: nothing was sent, or something was."""
        if ending is Ending.COMPLETE or not self.exchanges.heard:
            return ending
        last = self.exchanges.last_post
        if last is None:
            return Ending.NEVER_SENT
        return Ending.DROPPED if ending is Ending.NEVER_SENT and last.body_sent else ending

    def _hidden(self, number: int) -> None:
        """Record an exchange of this attempt that was followed by another."""
        exchange, following = self.exchanges.made[number : number + 2]
        request = RequestHead(
            record_id=self.call.recorder.new_id(),
            attempt=self.request.attempt,
            started_ns=exchange.started_ns,
            stream=self.request.stream,
            asks_usage=self.request.asks_usage,
            api_key_hint=self.request.api_key_hint,
            body=self.request.body,
        )
        end = End(Ending.HIDDEN, following.started_ns)
        self.call.recorded(observe(self.call.head, request, exchange.head, NOTHING_SEEN, end))
