"""What do the answers of the Responses API look like?"""

from collections.abc import Iterator
from typing import Final

from tallyspan.demo.orders import Order
from tallyspan.demo.reply import Event, Payload, Reply
from tallyspan.demo.tokens import Usage
from tallyspan.demo.worlds import Outcome

_TTL: Final = "30m"
_NO_IMAGES: Final[Payload] = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
# How a stream ends, by the status of its response.
_TERMINAL: Final = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}


def usage_fields(usage: Usage) -> Payload:
    """Return `ResponseUsage` (openai 3.54 types/responses/response_usage.py)."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write,
            "cache_write_tokens_details": {
                "ttl_30m_tokens": usage.cache_write,
                "ttl_12h_tokens": 0,
            },
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }


def response_reply(order: Order) -> Reply:
    """Answer POST /responses: at once, streamed, or later (`background`)."""
    ident = order.new_id("resp_")
    final = _final(order, ident)
    if order.ask.stream:
        return order.reply(ident, events=tuple(_events(order, ident, final)), kept=final)
    if order.ask.background:
        return order.reply(ident, payload=_early(order, ident, "queued"), kept=final)
    return order.reply(ident, payload=final)


def compact_reply(order: Order) -> Reply:
    """Answer POST /responses/compact: new spend with an id of its own."""
    ident = order.new_id("resp_")
    usage = usage_fields(order.answer.usage)
    payload: Payload = {
        "id": ident,
        "object": "response.compaction",
        "created_at": order.created,
        "output": [],
        "usage": usage,
    }
    return order.reply(ident, payload=payload)


def retrieved_reply(order: Order) -> Reply:
    """Answer GET /responses/{id}: the whole document again, at no price."""
    kept = order.kept
    if kept is None:
        return missing_reply(order.subject)
    if not order.ask.stream:
        return Reply(payload=kept, outcome=Outcome.FREE, response_id=order.subject)
    opening: Payload = {**kept, "status": "in_progress", "usage": None, "output": []}
    events = (
        _event(0, "response.created", {"response": opening}),
        _event(1, _TERMINAL[str(kept["status"])], {"response": kept}),
    )
    return Reply(events=events, outcome=Outcome.FREE, response_id=order.subject)


def cancelled_reply(order: Order) -> Reply:
    """Answer POST /responses/{id}/cancel."""
    if order.kept is None:
        return missing_reply(order.subject)
    payload: Payload = {**order.kept, "status": "cancelled", "output": [], "usage": None}
    return Reply(payload=payload, outcome=Outcome.FREE, response_id=order.subject, kept=payload)


def missing_reply(subject: str) -> Reply:
    """Answer 404 for an id that nobody was given."""
    error = {
        "message": f"Response with id '{subject}' not found.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    return Reply(status=404, payload={"error": error}, outcome=Outcome.CLIENT_ERROR)


def _early(order: Order, ident: str, status: str) -> Payload:
    return {
        "id": ident,
        "object": "response",
        "created_at": order.created,
        "status": status,
        "background": order.ask.background,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": order.answer.model.served,
        "output": [],
        "parallel_tool_calls": True,
        "service_tier": order.ask.tier,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
    }


def _final(order: Order, ident: str) -> Payload:
    status = {"length": "incomplete"}.get(order.answer.finish, "completed")
    changed: dict[str, object] = {}
    if order.answer.failed:
        status = "failed"
        changed["error"] = {"code": "server_error", "message": "The model failed to answer."}
    if status == "incomplete":
        changed["incomplete_details"] = {"reason": "max_output_tokens"}
    if order.writes_cache:
        changed["prompt_cache_options"] = {"mode": "implicit", "ttl": _TTL}
    searches = {"num_requests": order.answer.usage.searches}
    return {
        **_early(order, ident, status),
        **changed,
        "output": [] if order.answer.failed else [_item(order, "completed")],
        "usage": usage_fields(order.answer.usage),
        "tool_usage": {"image_gen": _NO_IMAGES, "web_search": searches},
    }


def _item(order: Order, status: str) -> Payload:
    """Return the one output item: a function call, a refusal or a text."""
    if order.answer.tool is not None:
        return {
            "id": order.new_id("fc_"),
            "type": "function_call",
            "call_id": order.new_id("call_"),
            "name": order.answer.tool,
            "arguments": order.answer.text if status == "completed" else "",
            "status": status,
        }
    content = [_part(order, order.answer.text)] if status == "completed" else []
    return {
        "id": order.new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _part(order: Order, text: str) -> Payload:
    if order.answer.refused:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _event(number: int, kind: str, fields: Payload, tokens: int = 0) -> Event:
    payload = {"type": kind, "sequence_number": number, **fields}
    return Event(payload, name=kind, tokens=tokens)


def _events(order: Order, ident: str, final: Payload) -> Iterator[Event]:
    opening = {"response": _early(order, ident, "in_progress")}
    middle = [] if order.answer.failed else list(_item_events(order))
    last = (_TERMINAL[str(final["status"])], {"response": final}, 0)
    plan = [
        ("response.created", opening, 0),
        ("response.in_progress", opening, 0),
        *middle,
        last,
    ]
    for number, (kind, fields, tokens) in enumerate(plan):
        yield _event(number, kind, fields, tokens)


def _item_events(order: Order) -> Iterator[tuple[str, Payload, int]]:
    """Yield the life of the output item: added, its pieces, done."""
    at: dict[str, object] = {"output_index": 0}
    yield "response.output_item.added", {**at, "item": _item(order, "in_progress")}, 0
    within = {**at, "item_id": _item(order, "completed")["id"]}
    if order.answer.tool is None:
        within["content_index"] = 0
        yield "response.content_part.added", {**within, "part": _part(order, "")}, 0
    kind, word, extra = _channel(order)
    for piece in order.answer.pieces:
        yield f"response.{kind}.delta", {**within, **extra, "delta": piece}, 1
    yield f"response.{kind}.done", {**within, **extra, word: order.answer.text}, 0
    if order.answer.tool is None:
        part = _part(order, order.answer.text)
        yield "response.content_part.done", {**within, "part": part}, 0
    yield "response.output_item.done", {**at, "item": _item(order, "completed")}, 0


def _channel(order: Order) -> tuple[str, str, Payload]:
    """Return the name of the delta events, the key of the whole, and what else they carry."""
    if order.answer.tool is not None:
        return "function_call_arguments", "arguments", {}
    if order.answer.refused:
        return "refusal", "refusal", {}
    return "output_text", "text", {"logprobs": []}
