"""What does the model say, and what does that cost? Decided by the request and the seed alone."""

import json
from dataclasses import dataclass
from typing import Final

from tallyspan.demo.ask import Ask
from tallyspan.demo.models import Model, model_of
from tallyspan.demo.schema_sample import sample
from tallyspan.demo.tokens import Usage, digest, pieces

_WORDS: Final = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "field",
    "grove",
    "haven",
    "inlet",
    "juniper",
    "knoll",
    "lagoon",
    "meadow",
    "north",
    "orchard",
    "prairie",
    "quarry",
    "ridge",
    "summit",
    "thicket",
    "upland",
    "valley",
    "willow",
    "yonder",
]
_AUDIO_TOKENS: Final = 12  # per part of sound; any fixed number would do


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt generates: `pieces` of one token each, and the usage of all choices."""

    model: Model
    pieces: tuple[str, ...]
    finish: str
    usage: Usage
    tool: str | None = None
    refused: bool = False
    failed: bool = False

    @property
    def text(self) -> str:
        """All pieces in a row."""
        return "".join(self.pieces)


def answer_to(ask: Ask, seed: int) -> Answer:
    """Answer a request.

    Two attempts with the same prompt, model and seed cost the same, whatever else the bodies say.
    """
    model = model_of(ask.model)
    marks = digest(seed, ask.model, ask.prompt)
    reasoning = 16 + marks[2] % 48 if model.reasons else 0
    said = _said(ask, marks)
    room = len(said) + reasoning if ask.limit is None else ask.limit
    reasoning = min(reasoning, room)
    kept = said[: room - reasoning]
    cut_short = len(kept) < len(said) or "length" in ask.markers
    tool = ask.tools[0].name if ask.tools else None
    return Answer(
        model=model,
        pieces=kept,
        finish=_finish(ask, cut_short=cut_short),
        usage=_usage(ask, model, marks, reasoning, len(kept)),
        tool=None if "refusal" in ask.markers else tool,
        refused="refusal" in ask.markers,
        failed="failed" in ask.markers,
    )


def _finish(ask: Ask, *, cut_short: bool) -> str:
    if cut_short:
        return "length"
    if "content-filter" in ask.markers:
        return "content_filter"
    return "tool_calls" if ask.tools and "refusal" not in ask.markers else "stop"


def _said(ask: Ask, marks: bytes) -> tuple[str, ...]:
    if "refusal" in ask.markers:
        return pieces("I cannot help with that.")
    if ask.tools:
        return pieces(json.dumps(sample(ask.tools[0].parameters)))
    if "invalid" in ask.markers:
        return pieces('{"nothing": "that was asked for"}')
    if ask.schema is not None:
        return pieces(json.dumps(sample(ask.schema)))
    if ask.json_object:
        return pieces('{"colour": "blue"}')
    wanted = ask.markers.get("words", "")
    length = int(wanted) if wanted.isdecimal() else 8 + marks[3] % 24
    words = (_WORDS[(marks[i % 32] + i) % len(_WORDS)] for i in range(length))
    return tuple(word if i == 0 else f" {word}" for i, word in enumerate(words))


def _usage(ask: Ask, model: Model, marks: bytes, reasoning: int, said: int) -> Usage:
    """Count: one request in three has half its input cached, one in two writes what it may."""
    audio_input = _AUDIO_TOKENS * ask.audio_parts
    entire = max(1, ask.prompt_tokens) + audio_input
    cached = (entire - audio_input) // 2 if marks[0] % 3 == 0 and model.price_cached else 0
    writes = marks[1] % 2 == 0 and model.price_cache_write is not None
    spoken = 2 * said if model.price_audio_output is not None and ask.audio_parts else 0
    accepted = said // 2 if ask.prediction else 0
    rejected = 3 if ask.prediction else 0
    return Usage(
        input=entire,
        output=ask.choices * (reasoning + said) + spoken + rejected,
        cached=cached,
        cache_write=(entire - cached - audio_input) // 2 if writes else 0,
        reasoning=ask.choices * reasoning,
        audio_input=audio_input,
        audio_output=spoken,
        accepted=accepted,
        rejected=rejected,
        searches=ask.searches,
    )
