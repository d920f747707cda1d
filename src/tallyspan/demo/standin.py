"""A local stand-in of the OpenAI API, for tests and the demo."""

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from tallyspan.demo.billing import LedgerRow
from tallyspan.demo.callers import Request
from tallyspan.demo.clock import Clock
from tallyspan.demo.controls import Controls
from tallyspan.demo.desk import Desk
from tallyspan.demo.office import Office
from tallyspan.demo.server import Server
from tallyspan.demo.worlds import World

_PATIENCE: Final = 5  # seconds for attempts in flight to be booked
_POLL_SECONDS: Final = 0.02  # how soon the accepting thread sees that it shall stop


class StandIn:
    """An HTTP server that answers like api.openai.com and keeps a ledger of what it billed.

    Use it as a context manager. Listens on 127.0.0.1 alone; `port` 0 takes a free one.
    Everything but times is decided by `seed` and the order in which requests arrive.
    """

    def __init__(
        self,
        seed: int = 0,
        world: World | None = None,
        clock: Clock | None = None,
        projects: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        """`projects`: API key to project id, for keys outside the default project."""
        self.clock = clock or Clock()
        self.world = world or World()
        self._desk = Desk(seed, self.world, self.clock, projects)
        controls = Controls(self._desk.ledger, self._desk.plan, self.clock)
        office = Office(self._desk.ledger, self.clock, controls)
        self._server = Server(self._desk, office, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, as `TALLYSPAN_HOSTS` wants it."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        """The `base_url` of an OpenAI client."""
        return f"http://{self.host}/v1"

    @property
    def azure_endpoint(self) -> str:
        """The `azure_endpoint` of an AzureOpenAI client."""
        return f"http://{self.host}"

    @property
    def ledger(self) -> tuple[LedgerRow, ...]:
        """Every attempt booked, in the order of arrival; waits for those in flight, at most 5 s."""
        self.wait_idle()
        return self._desk.ledger.rows()

    @property
    def requests_seen(self) -> tuple[Request, ...]:
        """Every request in the order of arrival, without the key; those of the office excepted."""
        return tuple(self._server.requests_seen)

    @property
    def plans_left(self) -> int:
        """How many planned attempts have not come."""
        return self._desk.plan.waiting()

    def plan(self, *scripts: str, path: str = "") -> None:
        """Give the next attempts whose path ends in `path` one script each.

        `plan("429", "gzip+cut:3", "ok", path="/chat/completions")`. The names are those of
        `faults.FAULTS`; ValueError for any other. A request that brings its own script
        (header `X-Stand-In-Fault`, prompt marker `[[fault:429,ok]]`) takes none from the plan.
        """
        self._desk.plan.add(scripts, path)

    def wait_idle(self, seconds: int = _PATIENCE) -> bool:
        """Wait until no attempt is in flight; false if one still is."""
        return self._desk.ledger.wait_idle(seconds)

    def wait_rows(self, wanted: int, seconds: int = _PATIENCE) -> bool:
        """Wait until that many attempts are booked, for requests that are still on their way."""
        return self._desk.ledger.wait_rows(wanted, seconds)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and break open connections."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
