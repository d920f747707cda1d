"""Where the wire keeps its counts: one shape for each flavour of usage object.

A shape mirrors the JSON object: a leaf names the quantity that stands there. Sources: the types of the openai package
3.54 (`types/completion_usage.py`, `types/responses/response_usage.py`, `types/responses/response.py` ToolUsage,
`types/create_embedding_response.py`); older generations have subsets.
"""

from collections.abc import Mapping
from typing import TypeAlias

from tallyspan.books.quantities import Quantity
from tallyspan.usage.document import Object, as_object

Shape: TypeAlias = Mapping[str, "Quantity | Shape"]

CHAT: Shape = {
    "prompt_tokens": Quantity.INPUT,
    "completion_tokens": Quantity.OUTPUT,
    "prompt_tokens_details": {
        "cached_tokens": Quantity.INPUT_CACHED,
        "cache_write_tokens": Quantity.INPUT_CACHE_WRITE,
        "text_tokens": Quantity.INPUT_TEXT,
        "audio_tokens": Quantity.INPUT_AUDIO,
        "image_tokens": Quantity.INPUT_IMAGE,
    },
    "completion_tokens_details": {
        "reasoning_tokens": Quantity.OUTPUT_REASONING,
        "text_tokens": Quantity.OUTPUT_TEXT,
        "audio_tokens": Quantity.OUTPUT_AUDIO,
        "accepted_prediction_tokens": Quantity.OUTPUT_ACCEPTED_PREDICTION,
        "rejected_prediction_tokens": Quantity.OUTPUT_REJECTED_PREDICTION,
    },
}

RESPONSES: Shape = {
    "input_tokens": Quantity.INPUT,
    "output_tokens": Quantity.OUTPUT,
    "input_tokens_details": {
        "cached_tokens": Quantity.INPUT_CACHED,
        "cache_write_tokens": Quantity.INPUT_CACHE_WRITE,
        "cache_write_tokens_details": {
            "ttl_30m_tokens": Quantity.INPUT_CACHE_WRITE_30M,
            "ttl_12h_tokens": Quantity.INPUT_CACHE_WRITE_12H,
        },
    },
    "output_tokens_details": {"reasoning_tokens": Quantity.OUTPUT_REASONING},
}

EMBEDDINGS: Shape = {"prompt_tokens": Quantity.INPUT}

IMAGE_TOOL: Shape = {
    "input_tokens": Quantity.INPUT,
    "output_tokens": Quantity.OUTPUT,
    "cached_tokens": Quantity.INPUT_CACHED,
    "input_tokens_details": {"text_tokens": Quantity.INPUT_TEXT, "image_tokens": Quantity.INPUT_IMAGE},
    "output_tokens_details": {"text_tokens": Quantity.OUTPUT_TEXT, "image_tokens": Quantity.OUTPUT_IMAGE},
    "cached_tokens_details": {
        "cached_text_tokens": Quantity.INPUT_CACHED_TEXT,
        "cached_image_tokens": Quantity.INPUT_CACHED_IMAGE,
    },
}

WEB_SEARCH_TOOL: Shape = {"num_requests": Quantity.CALLS}


def counted(node: object, shape: Shape) -> dict[Quantity, int]:
    """
    Give every quantity of `shape` that stands in `node`.

    A key that is absent or null gives nothing: absent is not zero. A whole number written as `7.0` counts as 7.

    Raises:
        ValueError: A count is there, and it is no whole number, negative, or too large for OTLP.
    """
    counts: dict[Quantity, int] = {}
    found: Object = as_object(node) or {}
    for key, leaf in shape.items():
        value = found.get(key)
        if value is None:
            continue
        if isinstance(leaf, Quantity):
            counts[leaf] = _whole(value, key)
        else:
            counts |= counted(value, leaf)
    return counts


_MOST = 2**63 - 1
"""The largest whole number that OTLP carries (`intValue` is an int64)."""


def _whole(value: object, key: str) -> int:
    if type(value) is int and 0 <= value <= _MOST:
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        message = f"{key}: expected a whole number from 0 to 2^63-1, found {value!r}"
        raise ValueError(message)
    return value
