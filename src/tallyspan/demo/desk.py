"""What becomes of a request? Bytes in, steps out: no socket here."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tallyspan.demo import delivery
from tallyspan.demo.answer import answer_to
from tallyspan.demo.ask import Ask, ask_of
from tallyspan.demo.billing import Entry, Ledger, LedgerRow
from tallyspan.demo.callers import Request, caller_of
from tallyspan.demo.clock import SECOND, Clock
from tallyspan.demo.endpoints import Address, address_of
from tallyspan.demo.errors import refusal
from tallyspan.demo.faults import CALM, HEADER, MARKER, Plan, Script
from tallyspan.demo.models import MISSING_MODEL
from tallyspan.demo.orders import Order
from tallyspan.demo.reply import Payload, Reply
from tallyspan.demo.tokens import digest
from tallyspan.demo.worlds import Outcome, World

_HOP: Final = "standin_hop"  # marks the second leg of a redirect
# The first Azure api-version whose chat completions know stream_options
# (openai-python issue 1469, azure-rest-api-specs pull 29157).
_AZURE_STREAM_OPTIONS: Final = "2024-09-01"
_KEPT_ANSWERS: Final = 10_000
_ORGANIZATION: Final = "org-standin"


@dataclass(frozen=True, slots=True)
class Exchange:
    """An attempt that is being answered."""

    entry: Entry
    steps: Iterator[delivery.Step]
    tokens: int  # output tokens of the whole stream
    seconds: int  # what the answer takes by the ledger's clock alone


@dataclass(frozen=True, slots=True)
class _Visit:
    """A request with all that was found out about it; `readable`: its body was a JSON object."""

    request: Request
    address: Address
    order: Order
    readable: bool

    @property
    def retry(self) -> int | None:
        """The attempt's number in its call, where the client sends it (openai >= 1.47)."""
        sent = self.request.header("x-stainless-retry-count")
        return int(sent) if sent is not None and sent.isdecimal() else None


class Desk:
    """Answers requests and books them; safe to use from many threads."""

    def __init__(self, seed: int, world: World, clock: Clock, projects: Mapping[str, str] | None = None) -> None:
        """`projects`: API key to project id, where it is not the default project."""
        self.ledger = Ledger(world)
        self.plan = Plan()
        self.clock = clock
        self._seed = seed
        self._projects = dict(projects or {})
        self._kept: dict[str, Payload] = {}
        self._lock = threading.Lock()

    def receive(self, request: Request) -> Exchange:
        """Take a request in; the caller carries out the steps and books the outcome."""
        number = self.ledger.arrival()
        visit = self._visit(request, number)
        script, reply = self._decided(visit)
        row = self._row(visit, script, reply)
        self._keep(reply)
        border_seed = int.from_bytes(digest(self._seed, visit.order.ask.prompt)[:8])
        return Exchange(
            entry=Entry(row, reply.usage),
            steps=delivery.steps(reply, script, _headers(row), border_seed),
            tokens=sum(event.tokens for event in reply.events),
            seconds=script.get("long", 0),
        )

    def book(self, exchange: Exchange, outcome: Outcome, sent: int) -> None:
        """Book how an exchange ended; `sent` counts the output tokens that left."""
        ended = self.clock() + exchange.seconds * SECOND
        self.ledger.book(exchange.entry, outcome, ended, sent)

    def _visit(self, request: Request, number: int) -> _Visit:
        address = address_of(request.method, request.target)
        read = _asked(request, address)
        ask = read or Ask(None)
        order = Order(
            ask=ask,
            answer=answer_to(ask, self._seed),
            seed=self._seed,
            number=number,
            started_ns=self.clock(),
            azure=address.azure,
            subject=address.subject,
            kept=self._kept.get(address.subject),
        )
        return _Visit(request, address, order, readable=read is not None)

    def _decided(self, visit: _Visit) -> tuple[Script, Reply]:
        try:
            script = self._script(visit)
        except ValueError as wrong:
            return CALM, refusal(400, str(wrong))
        denied = _denied(visit)
        if denied is not None:
            return script.without("redirect"), denied
        if "redirect" in script:
            joint = "&" if "?" in visit.request.target else "?"
            target = f"{visit.request.target}{joint}{_HOP}=1"
            return script, Reply(307, headers=(("location", target),), outcome=Outcome.FREE)
        if script.status is not None:
            wait = script[str(script.status)]
            refused = refusal(script.status, retry_after_ms=wait)
            answer = visit.order.answer
            return script, replace(refused, usage=answer.usage, served=answer.model.served)
        return script, visit.address.endpoint.build(visit.order)

    def _script(self, visit: _Visit) -> Script:
        ask, address = visit.order.ask, visit.address
        spec = visit.request.header(HEADER) or ask.markers.get(MARKER)
        call = f"{address.path} {spec} {ask.model} {ask.prompt}"
        script = self.plan.take(address.path, spec, call, visit.retry)
        return script.without("redirect") if _HOP in address.query else script

    def _keep(self, reply: Reply) -> None:
        if reply.response_id is None or reply.kept is None:
            return
        with self._lock:
            self._kept[reply.response_id] = reply.kept
            if len(self._kept) > _KEPT_ANSWERS:
                del self._kept[next(iter(self._kept))]

    def _row(self, visit: _Visit, script: Script, reply: Reply) -> LedgerRow:
        """Return the row as far as it is known before the answer leaves."""
        request, address, order = visit.request, visit.address, visit.order
        caller = caller_of(request, self._projects)
        return LedgerRow(
            number=order.number,
            started_ns=order.started_ns,
            method=request.method,
            path=address.path,
            endpoint=address.endpoint.name,
            report=address.endpoint.report,
            provider="azure" if address.azure else "openai",
            client_request_id=request.header("x-client-request-id"),
            request_id="req_" + digest(self._seed, "req", order.number).hex()[:32],
            response_id=reply.response_id,
            model_requested=order.ask.model,
            model_served=reply.served,
            api_key_hint=caller.hint,
            api_key_id=caller.key_id,
            project_id=caller.project_id,
            user_id=caller.user_id,
            stream=order.ask.stream,
            retry=visit.retry,
            fault=script.label,
            status=0 if {"timeout", "drop"} & script.faults.keys() else reply.status,
            outcome=reply.outcome,
            service_tier=order.ask.tier,
        )


def _asked(request: Request, address: Address) -> Ask | None:
    """Read the request; a GET asks by its query; Azure's deployment stands for the model."""
    ask = ask_of(request.body or b"{}")
    if ask is None:
        return None
    if request.method == "GET":
        return replace(ask, stream=address.query.get("stream") == "true")
    return replace(ask, model=address.deployment) if address.deployment else ask


def _denied(visit: _Visit) -> Reply | None:
    """Return the error answer that the request has earned, if any."""
    key, ask = visit.request.key, visit.order.ask
    if not key or key.startswith(("sk-bad", "sk-admin-")):
        return refusal(401)
    if not visit.readable:
        return refusal(400, "We could not parse the JSON body of your request.")
    if ask.model == MISSING_MODEL:
        return refusal(404, f"The model `{ask.model}` does not exist.")
    version = visit.address.query.get("api-version")
    if version and ask.asks_stream_options and version < _AZURE_STREAM_OPTIONS:
        return refusal(400, "Unrecognized request argument supplied: stream_options")
    return None


def _headers(row: LedgerRow) -> delivery.Headers:
    shared = (
        ("x-request-id", row.request_id),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "1999990"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-reset-tokens", "0s"),
    )
    if row.provider == "azure":
        return (*shared, ("apim-request-id", row.request_id), ("x-ms-region", "Stand-In"))
    return (
        *shared,
        ("openai-organization", _ORGANIZATION),
        ("openai-project", row.project_id),
        ("openai-processing-ms", "1"),
        ("openai-version", "2020-10-01"),
    )
