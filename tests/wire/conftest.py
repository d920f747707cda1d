"""One stand-in for all tests of the wire, quick retries, and the table of cells at the end of a run."""

import gc
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import openai._base_client
import pytest
from tests.wire.guest import GENERATION

from tallyspan.demo import StandIn
from tallyspan.demo.worlds import Share, World


@dataclass
class Matrix:
    """What became of each cell: shape and mode to `ok`, `n/a` or `FAILED`."""

    cells: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def note(self, shape: str, mode: str, result: str) -> None:
        self.cells.setdefault(shape, {})[mode] = result


MATRIX = Matrix()


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    return MATRIX


@pytest.fixture(scope="session")
def api() -> Iterator[StandIn]:
    with StandIn(seed=3) as running:
        yield running


def _no_authorities(*_args: object, **_kwargs: object) -> None:
    """Trust nobody."""


@pytest.fixture(scope="session")
def contrary_api() -> Iterator[StandIn]:
    """A provider that bills what the other one does not, and not what that one bills."""
    world = World(aborted=Share.NONE, unanswered_billed=False, server_errors_billed=True)
    with StandIn(seed=4, world=world) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def haste() -> Iterator[None]:
    """
    Spare what costs time and proves nothing here.

    The SDK waits half a second before it tries again. Each client reads the certificates of all authorities, and none
    speaks TLS. Each cell is collected for what it dropped; what was there before it is frozen.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.001)  # noqa: SLF001
        patch.setattr(ssl.SSLContext, "load_verify_locations", _no_authorities)
        yield
    gc.unfreeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrix."""
    if not MATRIX.cells:
        return
    width = max(map(len, MATRIX.cells))
    terminalreporter.section(f"shapes of call on openai {GENERATION}")
    for shape, results in MATRIX.cells.items():
        terminalreporter.write_line(
            f"{shape:{width}}  sync {results.get('sync', '-'):6}  async {results.get('async', '-')}"
        )
    sums = Counter(result for results in MATRIX.cells.values() for result in results.values())
    terminalreporter.write_line(f"{len(MATRIX.cells)} shapes: " + ", ".join(f"{n} {what}" for what, n in sums.items()))
