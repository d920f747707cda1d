"""What does a request body ask for? Parsed once; everything behind it trusts the result."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tallyspan.demo.json_tree import count, document, items, leaves, mapping, text
from tallyspan.demo.tokens import token_count

_MARKER: Final = re.compile(r"\[\[([a-z-]+)(?::([^\]]*))?\]\]")
_PROMPT_KEYS: Final = ("messages", "input", "prompt", "instructions")
_SPOKEN: Final = frozenset(
    {"", "content", "text", "input", "prompt", "instructions", "output", "arguments", "messages"}
)
_LIMITS: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens")
# The API refuses more; the stand-in gives as much as the API would.
_MOST_CHOICES: Final = 128
_MOST_DIMENSIONS: Final = 3072
_IMAGE_PARTS: Final = frozenset({"image_url", "input_image"})
# Azure's deployments and OpenAI's "auto" are served by the default tier.
_TIERS: Final = {"flex": "flex", "priority": "priority", "scale": "scale"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, read. `limit` is None where the caller set none; `counts` are toy tokens."""

    model: str | None
    prompt: str = ""
    prompt_tokens: int = 0
    limit: int | None = None
    choices: int = 1
    stream: bool = False
    include_usage: bool = False
    include_obfuscation: bool = False
    asks_stream_options: bool = False
    tools: tuple[Tool, ...] = ()
    schema: Mapping[str, object] | None = None
    json_object: bool = False
    prediction: bool = False
    audio_parts: int = 0
    searches: int = 0
    tier: str = "default"
    background: bool = False
    inputs: int = 1
    dimensions: int | None = None
    base64: bool = False
    markers: Mapping[str, str] = field(default_factory=dict[str, str])


def ask_of(body: bytes) -> Ask | None:
    """Read a request body; None if it is not a JSON object."""
    tree = document(body)
    if tree is None:
        return None
    prompt = _prompt(tree)
    options = mapping(tree.get("stream_options"))
    kinds = [value for key, value in leaves(tree) if key == "type"]
    return Ask(
        model=text(tree.get("model")),
        prompt=prompt,
        prompt_tokens=_prompt_tokens(tree, prompt, sum(kind in _IMAGE_PARTS for kind in kinds)),
        limit=next((limit for name in _LIMITS if (limit := count(tree.get(name)) or 0) > 0), None),
        choices=min(max(count(tree.get("n")) or 1, 1), _MOST_CHOICES),
        stream=tree.get("stream") is True,
        include_usage=options.get("include_usage") is True,
        include_obfuscation=options.get("include_obfuscation") is True,
        asks_stream_options="stream_options" in tree,
        tools=_tools(tree),
        schema=_schema(tree),
        json_object=_format(tree).get("type") == "json_object",
        prediction="prediction" in tree,
        audio_parts=sum(kind == "input_audio" for kind in kinds),
        searches=sum(str(kind).startswith("web_search") for kind in kinds),
        tier=_TIERS.get(text(tree.get("service_tier")) or "", "default"),
        background=tree.get("background") is True,
        inputs=_inputs(tree.get("input")),
        dimensions=min(max(count(tree.get("dimensions")) or 0, 0), _MOST_DIMENSIONS) or None,
        base64=tree.get("encoding_format") == "base64",
        markers={name: value or "" for name, value in _MARKER.findall(prompt)},
    )


def _prompt(tree: Mapping[str, object]) -> str:
    spoken = (
        value
        for part in _PROMPT_KEYS
        for key, value in leaves(tree.get(part))
        if key in _SPOKEN and isinstance(value, str)
    )
    return "\n".join(spoken)


def _prompt_tokens(tree: Mapping[str, object], prompt: str, images: int) -> int:
    """Count words and signs, pre-made token ids, 4 a message, 85 an image, and the tools."""
    messages = len(items(tree.get("messages")))
    ids = sum(isinstance(value, int) for key in ("input", "prompt") for _, value in leaves(tree.get(key)))
    tools = token_count(repr(tree["tools"])) if "tools" in tree else 0
    return token_count(prompt) + ids + 4 * messages + 85 * images + tools


def _tools(tree: Mapping[str, object]) -> tuple[Tool, ...]:
    if tree.get("tool_choice") == "none" or _already_called(tree):
        return ()
    found: list[Tool] = []
    for raw in items(tree.get("tools")):
        tool = mapping(raw)
        body = mapping(tool["function"]) if "function" in tool else tool
        name = text(body.get("name"))
        if tool.get("type") == "function" and name is not None:
            found.append(Tool(name, mapping(body.get("parameters"))))
    return tuple(found)


def _already_called(tree: Mapping[str, object]) -> bool:
    """Tell whether the answer of a tool is there already: then the model speaks."""
    turns = [*items(tree.get("messages")), *items(tree.get("input"))]
    return any(
        mapping(turn).get("role") == "tool" or mapping(turn).get("type") == "function_call_output" for turn in turns
    )


def _format(tree: Mapping[str, object]) -> Mapping[str, object]:
    """Return what chat calls `response_format` and responses `text.format`."""
    return mapping(tree.get("response_format")) or mapping(mapping(tree.get("text")).get("format"))


def _schema(tree: Mapping[str, object]) -> Mapping[str, object] | None:
    shape = _format(tree)
    if shape.get("type") != "json_schema":
        return None
    return mapping(mapping(shape.get("json_schema")).get("schema") or shape.get("schema"))


def _inputs(value: object) -> int:
    """Count the texts of an embedding request: one, a list of texts, token ids, lists of ids."""
    rows = items(value)
    many = bool(rows) and not isinstance(rows[0], int)
    return len(rows) if many else 1
