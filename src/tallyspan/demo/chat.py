"""What do the answers of chat completions and legacy completions look like?"""

from collections.abc import Iterator

from tallyspan.demo.orders import Order
from tallyspan.demo.reply import DONE, Event, Payload, Reply
from tallyspan.demo.tokens import Usage


def usage_fields(usage: Usage, *, cache_writes: bool) -> Payload:
    """Return `CompletionUsage` (openai 3.54 types/completion_usage.py)."""
    prompt = {"cached_tokens": usage.cached, "audio_tokens": usage.audio_input}
    if cache_writes:
        prompt["cache_write_tokens"] = usage.cache_write
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.audio_output,
            "accepted_prediction_tokens": usage.accepted,
            "rejected_prediction_tokens": usage.rejected,
        },
    }


def chat_reply(order: Order) -> Reply:
    """Answer POST /chat/completions."""
    ident = order.new_id("chatcmpl-")
    if order.ask.stream:
        return order.reply(ident, events=tuple(_chunks(order, ident)))
    answer = order.answer
    message: dict[str, object] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.refused:
        message |= {"content": None, "refusal": answer.text}
    elif answer.tool is not None:
        message |= {"content": None, "tool_calls": [_tool_call(order, answer.text)]}
    choices = [
        {"index": i, "message": message, "logprobs": None, "finish_reason": answer.finish}
        for i in range(order.ask.choices)
    ]
    return order.reply(ident, payload=_document(order, ident, "chat.completion", choices))


def completion_reply(order: Order) -> Reply:
    """Answer POST /completions."""
    ident = order.new_id("cmpl-")
    if order.ask.stream:
        return order.reply(ident, events=tuple(_text_chunks(order, ident)))
    choices = [_text_choice(i, order.answer.text, order.answer.finish) for i in range(order.ask.choices)]
    return order.reply(ident, payload=_document(order, ident, "text_completion", choices))


def _document(order: Order, ident: str, kind: str, choices: object) -> Payload:
    return {
        **_head(order, ident, kind),
        "choices": choices,
        "usage": usage_fields(order.answer.usage, cache_writes=order.writes_cache),
    }


def _head(order: Order, ident: str, kind: str) -> Payload:
    return {
        "id": ident,
        "object": kind,
        "created": order.created,
        "model": order.answer.model.served,
        "service_tier": order.ask.tier,
        "system_fingerprint": "fp_standin",
    }


def _tool_call(order: Order, arguments: str) -> Payload:
    return {
        "id": order.new_id("call_"),
        "type": "function",
        "function": {"name": order.answer.tool, "arguments": arguments},
    }


def _chunks(order: Order, ident: str) -> Iterator[Event]:
    """Yield the chunks; with include_usage all but the last choice-less one say `usage: null`."""
    answer, kind = order.answer, "chat.completion.chunk"
    if order.azure:
        filtered: Payload = {"prompt_filter_results": [{"prompt_index": 0}], "choices": []}
        yield _chunk(order, {**_head(order, "", kind), "model": "", "created": 0, **filtered})
    for i in range(order.ask.choices):
        opening: dict[str, object] = {"role": "assistant", "content": "", "refusal": None}
        if answer.tool is not None:
            call = {**_tool_call(order, ""), "index": 0}
            opening |= {"content": None, "tool_calls": [call]}
        yield _chunk(order, {**_head(order, ident, kind), "choices": [_delta(i, opening)]})
    for piece in answer.pieces:
        for i in range(order.ask.choices):
            choice = _delta(i, _said(order, piece))
            yield _chunk(order, {**_head(order, ident, kind), "choices": [choice]}, tokens=1)
    for i in range(order.ask.choices):
        last = {**_delta(i, {}), "finish_reason": answer.finish}
        yield _chunk(order, {**_head(order, ident, kind), "choices": [last]})
    yield from _closing(order, ident, kind)


def _said(order: Order, piece: str) -> Payload:
    if order.answer.refused:
        return {"refusal": piece}
    if order.answer.tool is not None:
        return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
    return {"content": piece}


def _delta(index: int, delta: Payload) -> Payload:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}


def _text_choice(index: int, text: str, finish: str | None) -> Payload:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _text_chunks(order: Order, ident: str) -> Iterator[Event]:
    kind = "text_completion"
    for piece in order.answer.pieces:
        for i in range(order.ask.choices):
            choices = [_text_choice(i, piece, None)]
            yield _chunk(order, {**_head(order, ident, kind), "choices": choices}, tokens=1)
    for i in range(order.ask.choices):
        choices = [_text_choice(i, "", order.answer.finish)]
        yield _chunk(order, {**_head(order, ident, kind), "choices": choices})
    yield from _closing(order, ident, kind)


def _chunk(order: Order, payload: Payload, tokens: int = 0) -> Event:
    extra: dict[str, object] = {"usage": None} if order.ask.include_usage else {}
    if order.ask.include_obfuscation:
        extra["obfuscation"] = "x" * (len(order.answer.text) % 7 + 1)
    return Event({**payload, **extra}, tokens=tokens)


def _closing(order: Order, ident: str, kind: str) -> Iterator[Event]:
    if order.ask.include_usage:
        usage = usage_fields(order.answer.usage, cache_writes=order.writes_cache)
        yield Event({**_head(order, ident, kind), "choices": [], "usage": usage})
    yield DONE
