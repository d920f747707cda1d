"""What does an endpoint know when it answers: the request, the answer, the names to give?"""

from dataclasses import dataclass, field
from typing import Final

from tallyspan.demo.answer import Answer
from tallyspan.demo.ask import Ask
from tallyspan.demo.clock import SECOND
from tallyspan.demo.reply import Event, Payload, Reply
from tallyspan.demo.tokens import digest

_ID_LENGTH: Final = 29  # letters after the prefix, as in chatcmpl- ids


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt to be answered. `number` counts attempts from 0 and makes every id unique."""

    ask: Ask
    answer: Answer
    seed: int
    number: int
    started_ns: int
    azure: bool = False
    subject: str = ""  # the id in the path, where the path has one
    kept: Payload | None = field(default=None)  # what was answered under that id before

    @property
    def created(self) -> int:
        """Epoch seconds of the start."""
        return self.started_ns // SECOND

    @property
    def writes_cache(self) -> bool:
        """Tell whether the model bills cache writes, and so names them."""
        return self.answer.model.price_cache_write is not None

    def new_id(self, prefix: str) -> str:
        """Return an id that no other attempt has."""
        return prefix + digest(self.seed, self.number, prefix).hex()[:_ID_LENGTH]

    def reply(
        self,
        ident: str | None,
        payload: Payload | None = None,
        events: tuple[Event, ...] = (),
        kept: Payload | None = None,
    ) -> Reply:
        """Return a billed reply with this order's usage."""
        return Reply(
            payload=payload or {},
            events=events,
            usage=self.answer.usage,
            response_id=ident,
            served=self.answer.model.served,
            kept=kept or payload,
        )
