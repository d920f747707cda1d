"""The most tokens a request can have used, where its usage never came."""

import re

OUTPUT_MAX: tuple[tuple[str, int], ...] = (
    ("gpt-4o", 16_384),
    ("gpt-4.1", 32_768),
    ("gpt-5", 272_000),
    ("o1", 100_000),
    ("o3", 100_000),
    ("o4-mini", 100_000),
)
"""Most output tokens a model can write, by the beginning of its name; as of 2026-11-22.

Source: the model pages of OpenAI's documentation (platform.openai.com/docs/models, "max output tokens"). A family is
listed with the largest figure of its members (gpt-5-pro writes 272,000), so that the bound holds for all of them; what
is not listed is unbounded. A name belongs to a family if it is the family's, or goes on with a hyphen.
"""

_OUTSIDE = re.compile(
    rb'"(?:image_url|input_image|input_file|file_id|file_ids|input_audio|audio|file|previous_response_id|conversation'
    rb"|prompt_id|container|mcp|web_search\w*|file_search|code_interpreter|computer\w*|image_generation|item_reference"
    rb"|background|vector_store_ids|shell|local_shell|apply_patch|tool_search|program\w*|continuation_id|context_\w+"
    rb'|data_sources|skills)"'
    rb'|"id"\s*:\s*"(?!call_)'
    rb'|"model"\s*:\s*"[^"]*search'
)
"""Words in a body that point at input which is not in the body, or at a tool that adds some.

An item with an id may stand for more than it holds: a stored message or reasoning is looked up by it (openai 3.54,
`types/responses/response_input_item_param.py`: the type of an item reference may be left out). Only the ids of tool
calls are harmless. Models that search (gpt-4o-search-preview, o3-deep-research) read what they find. `data_sources` is
Azure's.
"""

_BEYOND = re.compile(rb'"(?:prediction|image_generation|context_management)"')
"""Words in a body that add output beyond its own limit.

Rejected tokens of a prediction, images that a tool draws (billed as a line of their own), and compaction.
"""


def has_output_beyond(body: bytes | None) -> bool:
    """Tell whether more output can be billed than the request's limit, or its model's, allows."""
    return body is not None and _BEYOND.search(body) is not None


def takes_turns(body: bytes | None) -> bool:
    """Tell whether the model may be asked again and again within one request, each time up to its own maximum."""
    return body is not None and _OUTSIDE.search(body) is not None


def output_max(model: str | None, choices: int) -> int | None:
    """Bound the output by the model's own maximum; None if the model is not listed."""
    if model is None:
        return None
    most = max((tokens for family, tokens in OUTPUT_MAX if f"{model}-".startswith(f"{family}-")), default=None)
    return None if most is None else most * choices


def input_max(body: bytes | None) -> int | None:
    """
    Bound the input by the body's length: a token is at least one byte of text, and JSON is longer than the template.

    None (unbounded) if the body is unknown, or points at input that is not in it.
    """
    if body is None or _OUTSIDE.search(body) or b'"prompt":{' in body.replace(b" ", b""):
        return None
    return len(body)
