"""What a request asks for: model, stream, limits, and whether it asks for usage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeGuard

from tallyspan.usage.document import Object, as_list, as_object, as_text
from tallyspan.usage.endpoints import Endpoint

PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "max_completion_tokens": "gen_ai.request.max_tokens",
        "max_output_tokens": "gen_ai.request.max_tokens",
        "max_tokens": "gen_ai.request.max_tokens",
        "temperature": "gen_ai.request.temperature",
        "top_p": "gen_ai.request.top_p",
        "frequency_penalty": "gen_ai.request.frequency_penalty",
        "presence_penalty": "gen_ai.request.presence_penalty",
        "seed": "gen_ai.request.seed",
        "n": "gen_ai.request.choice.count",
        "dimensions": "gen_ai.embeddings.dimension.count",
        "service_tier": "openai.request.service_tier",
    }
)
"""Request parameters worth a span attribute. Names: OpenTelemetry GenAI conventions; none carries content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """
    The facts of one request.

    Attributes:
        wants_usage: `stream_options.include_usage` as the caller gave it; None if not given.
        output_max: The most output tokens that the request itself allows, over all choices; None if it sets no limit.
        parameters: By attribute name, for the span.
    """

    model: str | None = None
    stream: bool = False
    wants_usage: bool | None = None
    output_max: int | None = None
    choices: int = 1
    service_tier: str | None = None
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=lambda: MappingProxyType({}))


def read_ask(body: object, endpoint: Endpoint) -> Ask:
    """Read a request's JSON body; what is no object (a form, raw bytes) asks for nothing that we can see."""
    asked = as_object(body)
    if asked is None:
        return Ask(output_max=None if endpoint.has_output else 0)
    choices = max((_count(asked.get(name)) or 1 for name in endpoint.choices), default=1)
    if endpoint.batch is not None:
        choices *= _prompts(asked.get(endpoint.batch))
    limit = next((count for name in endpoint.limits if (count := _count(asked.get(name))) is not None), None)
    return Ask(
        model=as_text(asked.get("model")),
        stream=asked.get("stream") is True,
        wants_usage=_wants_usage(asked.get("stream_options")),
        output_max=0 if not endpoint.has_output else None if limit is None else limit * choices,
        choices=choices,
        service_tier=as_text(asked.get("service_tier")),
        parameters={
            attribute: value for name, attribute in PARAMETERS.items() if _is_attribute(value := asked.get(name))
        },
    )


def with_usage_asked(body: Object) -> dict[str, object]:
    """Return a copy of a stream request's body that asks for usage; other options of the caller stay."""
    options = as_object(body.get("stream_options")) or {}
    return {**body, "stream_options": {**options, "include_usage": True}}


def may_ask(body: Object) -> bool:
    """Tell whether usage can be asked for: the caller said neither yes nor no, in a form that we understand."""
    given = body.get("stream_options")
    options = as_object(given)
    return given is None or (options is not None and options.get("include_usage") is None)


def _wants_usage(options: object) -> bool | None:
    given = as_object(options)
    wanted = None if given is None else given.get("include_usage")
    return wanted if isinstance(wanted, bool) else None


def _is_attribute(value: object) -> TypeGuard[str | int | float | bool]:
    """Tell what can be an attribute: a number that OTLP carries, or text."""
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    return isinstance(value, float) or as_text(value) is not None


_INT64 = 2**63


def _prompts(value: object) -> int:
    """Count the prompts: a list holds several, unless it is one prompt as token ids."""
    prompts = as_list(value) or [value]
    return 1 if isinstance(prompts[0], int) else len(prompts)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
