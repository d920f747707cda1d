"""What do the endpoints with one simple answer say: embeddings, models, moderations, the rest?"""

import base64
import struct
from typing import Final

from tallyspan.demo.models import MODELS
from tallyspan.demo.orders import Order
from tallyspan.demo.reply import Payload, Reply
from tallyspan.demo.responses import missing_reply, usage_fields
from tallyspan.demo.tokens import Usage, digest
from tallyspan.demo.worlds import Outcome

_DIMENSIONS: Final = 8  # a toy: real models give 1536 and more
_CATEGORIES: Final = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
]


def embedding_reply(order: Order) -> Reply:
    """Answer POST /embeddings; there is no id in the body, and no output."""
    usage = Usage(input=order.answer.usage.input)
    rows = [_vector(order, index) for index in range(order.ask.inputs)]
    payload: Payload = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _shown(order, row)} for index, row in enumerate(rows)
        ],
        "model": order.answer.model.served,
        "usage": {"prompt_tokens": usage.input, "total_tokens": usage.input},
    }
    return Reply(payload=payload, usage=usage, served=order.answer.model.served)


def unknown_reply(order: Order) -> Reply:
    """Answer a POST that no table knows: billed like a response, and says so."""
    usage = usage_fields(order.answer.usage)
    ident = order.new_id("unk_")
    payload = {"id": ident, "object": "unknown", "model": order.answer.model.served}
    return order.reply(ident, payload={**payload, "usage": usage})


def stored_chat_reply(order: Order) -> Reply:
    """Answer GET and POST /chat/completions/{id}: old usage again, at no price."""
    if order.kept is None:
        return missing_reply(order.subject)
    return Reply(payload=order.kept, outcome=Outcome.FREE, response_id=order.subject)


def input_tokens_reply(order: Order) -> Reply:
    """Answer POST /responses/input_tokens: a count, not usage."""
    payload = {"object": "response.input_tokens", "input_tokens": order.answer.usage.input}
    return Reply(payload=payload, outcome=Outcome.FREE)


def models_reply(order: Order) -> Reply:
    """Answer GET /models."""
    rows = [{"id": row.served, "object": "model", "created": order.created, "owned_by": "system"} for row in MODELS]
    return Reply(payload={"object": "list", "data": rows}, outcome=Outcome.FREE)


def moderation_reply(order: Order) -> Reply:
    """Answer POST /moderations."""
    result = {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": dict.fromkeys(_CATEGORIES, 0.01),
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
    payload = {
        "id": order.new_id("modr-"),
        "model": "omni-moderation-latest",
        "results": [result] * order.ask.inputs,
    }
    return Reply(payload=payload, outcome=Outcome.FREE)


def empty_list_reply(_order: Order) -> Reply:
    """Answer any other GET."""
    payload: Payload = {"object": "list", "data": [], "has_more": False}
    return Reply(payload=payload, outcome=Outcome.FREE)


def _vector(order: Order, index: int) -> list[float]:
    marks = digest(order.seed, order.ask.prompt, index)
    size = order.ask.dimensions or _DIMENSIONS
    return [(marks[i % 32] - 128) / 128 for i in range(size)]


def _shown(order: Order, row: list[float]) -> object:
    if not order.ask.base64:
        return row
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode()
