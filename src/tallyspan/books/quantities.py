"""What can be counted on a bill: the one table of token kinds and other units.

A quantity with a parent is a part of it and is never added to it: `input` holds the cached tokens, `output` the
reasoning tokens. Names of attributes follow the OpenTelemetry GenAI conventions where they have one; what they do not
name is ours. Source: the conventions' usage attributes and their subset rule
(github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai-spans).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Unit(StrEnum):
    """The unit a line is billed in."""

    TOKENS = "tokens"
    SECONDS = "seconds"
    CHARACTERS = "characters"
    IMAGES = "images"
    CALLS = "calls"
    SESSIONS = "sessions"
    BYTES = "bytes"


class Quantity(StrEnum):
    """One kind of thing that is counted; always a whole number, never negative."""

    INPUT = "input"
    INPUT_CACHED = "input_cached"
    INPUT_CACHE_WRITE = "input_cache_write"
    INPUT_CACHE_WRITE_30M = "input_cache_write_30m"
    INPUT_CACHE_WRITE_12H = "input_cache_write_12h"
    INPUT_TEXT = "input_text"
    INPUT_AUDIO = "input_audio"
    INPUT_IMAGE = "input_image"
    INPUT_CACHED_TEXT = "input_cached_text"
    INPUT_CACHED_AUDIO = "input_cached_audio"
    INPUT_CACHED_IMAGE = "input_cached_image"
    OUTPUT = "output"
    OUTPUT_REASONING = "output_reasoning"
    OUTPUT_TEXT = "output_text"
    OUTPUT_AUDIO = "output_audio"
    OUTPUT_IMAGE = "output_image"
    OUTPUT_ACCEPTED_PREDICTION = "output_accepted_prediction"
    OUTPUT_REJECTED_PREDICTION = "output_rejected_prediction"
    SECONDS = "seconds"
    CHARACTERS = "characters"
    IMAGES = "images"
    CALLS = "calls"
    SESSIONS = "sessions"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class QuantitySpec:
    """
    A row of the table.

    Attributes:
        attribute: Name of the OpenTelemetry attribute that carries the count.
        part_of: The quantity this one is a part of; None for a whole.
    """

    unit: Unit
    attribute: str
    part_of: Quantity | None = None


def _tokens(attribute: str, part_of: Quantity | None = None) -> QuantitySpec:
    return QuantitySpec(Unit.TOKENS, attribute, part_of)


def _other(unit: Unit) -> QuantitySpec:
    return QuantitySpec(unit, f"tallyspan.quantity.{unit}")


QUANTITIES: Mapping[Quantity, QuantitySpec] = MappingProxyType(
    {
        Quantity.INPUT: _tokens("gen_ai.usage.input_tokens"),
        Quantity.INPUT_CACHED: _tokens("gen_ai.usage.cache_read.input_tokens", Quantity.INPUT),
        Quantity.INPUT_CACHE_WRITE: _tokens("gen_ai.usage.cache_write.input_tokens", Quantity.INPUT),
        Quantity.INPUT_CACHE_WRITE_30M: _tokens(
            "tallyspan.usage.cache_write_30m.input_tokens", Quantity.INPUT_CACHE_WRITE
        ),
        Quantity.INPUT_CACHE_WRITE_12H: _tokens(
            "tallyspan.usage.cache_write_12h.input_tokens", Quantity.INPUT_CACHE_WRITE
        ),
        Quantity.INPUT_TEXT: _tokens("gen_ai.usage.text.input_tokens", Quantity.INPUT),
        Quantity.INPUT_AUDIO: _tokens("gen_ai.usage.audio.input_tokens", Quantity.INPUT),
        Quantity.INPUT_IMAGE: _tokens("gen_ai.usage.image.input_tokens", Quantity.INPUT),
        Quantity.INPUT_CACHED_TEXT: _tokens("gen_ai.usage.text.cache_read.input_tokens", Quantity.INPUT_CACHED),
        Quantity.INPUT_CACHED_AUDIO: _tokens("gen_ai.usage.audio.cache_read.input_tokens", Quantity.INPUT_CACHED),
        Quantity.INPUT_CACHED_IMAGE: _tokens("gen_ai.usage.image.cache_read.input_tokens", Quantity.INPUT_CACHED),
        Quantity.OUTPUT: _tokens("gen_ai.usage.output_tokens"),
        Quantity.OUTPUT_REASONING: _tokens("gen_ai.usage.reasoning.output_tokens", Quantity.OUTPUT),
        Quantity.OUTPUT_TEXT: _tokens("gen_ai.usage.text.output_tokens", Quantity.OUTPUT),
        Quantity.OUTPUT_AUDIO: _tokens("gen_ai.usage.audio.output_tokens", Quantity.OUTPUT),
        Quantity.OUTPUT_IMAGE: _tokens("gen_ai.usage.image.output_tokens", Quantity.OUTPUT),
        Quantity.OUTPUT_ACCEPTED_PREDICTION: _tokens(
            "tallyspan.usage.accepted_prediction.output_tokens", Quantity.OUTPUT
        ),
        Quantity.OUTPUT_REJECTED_PREDICTION: _tokens(
            "tallyspan.usage.rejected_prediction.output_tokens", Quantity.OUTPUT
        ),
        Quantity.SECONDS: _other(Unit.SECONDS),
        Quantity.CHARACTERS: _other(Unit.CHARACTERS),
        Quantity.IMAGES: _other(Unit.IMAGES),
        Quantity.CALLS: _other(Unit.CALLS),
        Quantity.SESSIONS: _other(Unit.SESSIONS),
        Quantity.BYTES: _other(Unit.BYTES),
    }
)

Counts = Mapping[Quantity, int]
"""What was counted. A quantity that is absent is unknown; zero is a count that the provider reported."""
