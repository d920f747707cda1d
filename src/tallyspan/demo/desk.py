"""What becomes of a request? Bytes in, steps out: no socket here."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tallyspan.demo import delivery
from tallyspan.demo.answer import answer_to
from tallyspan.demo.ask import Ask, ask_of
from tallyspan.demo.billing import Entry, Ledger, LedgerRow
from tallyspan.demo.clock import SECOND, Clock
from tallyspan.demo.endpoints import Address, address_of
from tallyspan.demo.errors import refusal
from tallyspan.demo.faults import HEADER, MARKER, Plan, Script, script_of
from tallyspan.demo.models import MISSING_MODEL
from tallyspan.demo.orders import Order
from tallyspan.demo.reply import Payload, Reply
from tallyspan.demo.callers import Caller, Request, caller_of
from tallyspan.demo.tokens import Usage, digest
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


class Desk:
    """Answers requests and books them; safe to use from many threads."""

    def __init__(
        self, seed: int, world: World, clock: Clock, projects: Mapping[str, str] | None = None
    ) -> None:
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
        address = address_of(request.method, request.target)
        ask = _asked(request, address)
        answer = answer_to(ask or Ask(None), self._seed)
        caller = caller_of(request, self._projects)
        order = Order(
            ask=ask or Ask(None),
            answer=answer,
            seed=self._seed,
            number=number,
            started_ns=self.clock(),
            azure=address.azure,
            subject=address.subject,
            kept=self._kept.get(address.subject),
        )
        script, reply = self._decided(request, address, ask, order)
        row = self._row(request, address, caller, order, script, reply)
        self._keep(reply)
        headers = _headers(row)
        border_seed = int.from_bytes(digest(self._seed, order.ask.prompt)[:8])
        return Exchange(
            entry=Entry(row, reply.usage),
            steps=delivery.steps(reply, script, headers, border_seed),
            tokens=sum(event.tokens for event in reply.events),
            seconds=script["long"] if "long" in script else 0,
        )

    def book(self, exchange: Exchange, outcome: Outcome, sent: int) -> None:
        """Book how an exchange ended; `sent` counts the output tokens that left."""
        ended = self.clock() + exchange.seconds * SECOND
        self.ledger.book(exchange.entry, outcome, ended, sent)

    def _decided(
        self, request: Request, address: Address, ask: Ask | None, order: Order
    ) -> tuple[Script, Reply]:
        try:
            script = self._script(request, address, order)
        except ValueError as wrong:
            return script_of("ok"), refusal(400, str(wrong))
        denied = _denied(request, address, ask)
        if denied is not None:
            return script.without("redirect"), denied
        if "redirect" in script:
            joint = "&" if "?" in request.target else "?"
            target = f"{request.target}{joint}{_HOP}=1"
            return script, Reply(307, headers=(("location", target),), outcome=Outcome.FREE)
        if script.status is not None:
            wait = script[str(script.status)]
            return script, replace(refusal(script.status, None, wait), usage=order.answer.usage)
        return script, address.endpoint.build(order)

    def _script(self, request: Request, address: Address, order: Order) -> Script:
        spec = request.header(HEADER) or order.ask.markers.get(MARKER)
        retry = request.header("x-stainless-retry-count")
        call = f"{address.path} {spec} {order.ask.model} {order.ask.prompt}"
        number = int(retry) if retry is not None and retry.isdecimal() else None
        script = self.plan.take(address.path, spec, call, number)
        return script.without("redirect") if _HOP in address.query else script

    def _keep(self, reply: Reply) -> None:
        if reply.response_id is None or reply.kept is None:
            return
        with self._lock:
            self._kept[reply.response_id] = reply.kept
            if len(self._kept) > _KEPT_ANSWERS:
                del self._kept[next(iter(self._kept))]

    def _row(
        self,
        request: Request,
        address: Address,
        caller: Caller,
        order: Order,
        script: Script,
        reply: Reply,
    ) -> LedgerRow:
        """Return the row as far as it is known before the answer leaves."""
        retry = request.header("x-stainless-retry-count")
        return LedgerRow(
            number=order.number,
            started_ns=order.started_ns,
            ended_ns=order.started_ns,
            booked_ns=order.started_ns,
            usage_seen_ns=order.started_ns,
            cost_seen_ns=order.started_ns,
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
            retry=int(retry) if retry is not None and retry.isdecimal() else None,
            fault=script.label,
            status=0 if {"timeout", "drop"} & script.faults.keys() else reply.status,
            outcome=reply.outcome,
            billed=False,
            requests=0,
            service_tier=order.ask.tier,
            usage=Usage(),
        )


def _asked(request: Request, address: Address) -> Ask | None:
    """Read the request; a GET asks by its query; Azure's deployment stands for the model."""
    ask = ask_of(request.body or b"{}")
    if ask is None:
        return None
    if request.method == "GET":
        return replace(ask, stream=address.query.get("stream") == "true")
    return replace(ask, model=address.deployment) if address.deployment else ask


def _denied(request: Request, address: Address, ask: Ask | None) -> Reply | None:
    """Return the error answer that the request has earned, if any."""
    key = request.key
    if not key or key.startswith(("sk-bad", "sk-admin-")):
        return refusal(401)
    if ask is None:
        return refusal(400, "We could not parse the JSON body of your request.")
    if ask.model == MISSING_MODEL:
        return refusal(404, f"The model `{ask.model}` does not exist.")
    version = address.query.get("api-version")
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
