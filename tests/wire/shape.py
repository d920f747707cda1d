"""A row of the matrix: a way to call the API, and what the records must say of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.wire.guest import Body

Probe = Callable[[], bool]

MEASURED = ("measured",)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """
    One row.

    Attributes:
        body: The application's code.
        expect: How our records judge the attempts, in the order of the ledger's rows.
        plan: What the stand-in does to the attempts, in order.
        raises: Name of the exception that reaches the application; None for none.
        calls: How many calls the application makes that may be billed.
        unsent: Judgements of the records of attempts that never reached the server.
        needs: Probes of what the shape needs from the SDK; if one says no, the cell is n/a.
        modes: "sync", "async" or both.
    """

    name: str
    body: Body
    expect: tuple[str, ...] = MEASURED
    plan: tuple[str, ...] = ()
    raises: str | None = None
    calls: int = 1
    unsent: tuple[str, ...] = ()
    needs: tuple[Probe, ...] = ()
    modes: tuple[str, ...] = ("sync", "async")
