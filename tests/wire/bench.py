"""Our side of the bench: a recorder whose sink is a list, and the one patch of this process."""

import gc
import json
import os
import time
import traceback
from dataclasses import dataclass, field
from typing import Self

from tallyspan.books.record import UsageRecord
from tallyspan.books.sink import CallEnd, CallStart, Detach
from tallyspan.demo import StandIn
from tallyspan.wire.closing import Closing
from tallyspan.wire.guard import Guard
from tallyspan.wire.patch import Patch
from tallyspan.wire.policy import Policy, StreamUsage
from tallyspan.wire.recorder import Recorder

PATCH = Patch()


@dataclass
class Written:
    """A sink that remembers."""

    starts: list[CallStart] = field(default_factory=list[CallStart])
    intents: list[UsageRecord] = field(default_factory=list[UsageRecord])
    records: list[UsageRecord] = field(default_factory=list[UsageRecord])
    ends: list[CallEnd] = field(default_factory=list[CallEnd])
    detached: int = 0

    def call_started(self, start: CallStart) -> Detach:
        self.starts.append(start)

        def detach() -> None:
            self.detached += 1

        return detach

    def attempt_started(self, intent: UsageRecord) -> None:
        self.intents.append(intent)

    def attempt_ended(self, record: UsageRecord) -> None:
        self.records.append(record)

    def call_ended(self, end: CallEnd) -> None:
        self.ends.append(end)


class Bench:
    """Switches recording on for as long as it is entered; what was written is complete when it is left."""

    def __init__(
        self, api: StandIn, *, with_id: bool = True, stream_usage: StreamUsage = StreamUsage.AUTO, patch: Patch = PATCH
    ) -> None:
        self.written = Written()
        self.faults: list[str] = []
        self._patch = patch
        guard = Guard(lambda text: self.faults.append(text + "\n" + traceback.format_exc()))
        self.closing = Closing(lambda step: guard.run("a late end", step), lambda: None, lambda: None)
        policy = Policy(hosts=frozenset({api.host}), client_request_id=with_id, stream_usage=stream_usage, intents=True)
        self.recorder = Recorder(
            policy=policy,
            sink=self.written,
            guard=guard,
            closing=self.closing,
            clock_ns=time.time_ns,
            new_id=lambda: os.urandom(16).hex(),
            loads=json.loads,
        )

    def __enter__(self) -> Self:
        self._patch.install(self.recorder)
        return self

    def settle(self) -> None:
        """Collect what was dropped, and write what waits."""
        gc.collect()
        gc.freeze()  # so that the next collection looks at what came after
        self.closing.stop()

    def __exit__(self, *_error: object) -> None:
        self.settle()
        self._patch.seam.recorder = None
