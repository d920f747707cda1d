"""How many tokens is a piece of work? A toy tokenizer: deterministic, and nobody else's."""

import re
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from operator import add
from typing import Final

_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
_SPLIT: Final = re.compile(r"\s?\S{1,12}|\s+")


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of one attempt.

    `input` includes cached, cache-written and audio input; `output` includes reasoning, audio and
    rejected prediction tokens; `searches` counts web searches, not tokens.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    accepted: int = 0
    rejected: int = 0
    searches: int = 0

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output

    def plus(self, other: "Usage") -> "Usage":
        """Return both, count by count."""
        return Usage(*map(add, astuple(self), astuple(other)))

    def cut(self, sent: int) -> "Usage":
        """Return the part of an aborted stream that had left: `sent` output tokens."""
        output = min(self.output, self.reasoning + sent)
        return replace(self, output=output, audio_output=0, accepted=0, rejected=0)


def token_count(text: str) -> int:
    """Count the toy tokens of a text: words and signs."""
    return len(_TOKEN.findall(text))


def pieces(text: str) -> tuple[str, ...]:
    """Cut a text into the pieces it is streamed in: one output token each."""
    return tuple(_SPLIT.findall(text))


def digest(*parts: object) -> bytes:
    """Return 32 bytes that depend on the parts and on nothing else."""
    return sha256("\x1f".join(str(part) for part in parts).encode(errors="replace")).digest()
