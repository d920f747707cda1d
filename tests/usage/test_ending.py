"""How an attempt ended, and what that says of the bill."""

import asyncio

import httpx2
import pytest

from tallyspan.books.record import Billable, Reason
from tallyspan.usage.ending import VERDICTS, Ending, Verdict, ending_of, verdict_of_status


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (httpx2.ConnectError("x"), Ending.NEVER_SENT),
        (httpx2.ConnectTimeout("x"), Ending.NEVER_SENT),
        (httpx2.PoolTimeout("x"), Ending.NEVER_SENT),
        (httpx2.LocalProtocolError("x"), Ending.NEVER_SENT),
        (httpx2.ReadTimeout("x"), Ending.TIMED_OUT),
        (httpx2.WriteTimeout("x"), Ending.TIMED_OUT),
        (TimeoutError(), Ending.TIMED_OUT),
        (httpx2.ReadError("x"), Ending.DROPPED),
        (httpx2.RemoteProtocolError("x"), Ending.DROPPED),
        (OSError(), Ending.DROPPED),
        (LookupError(), Ending.DROPPED),
        (asyncio.CancelledError(), Ending.CANCELLED),
        (KeyboardInterrupt(), Ending.CANCELLED),
        (SystemExit(), Ending.CANCELLED),
        (GeneratorExit(), Ending.CLOSED_EARLY),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_exception_tells_how_it_ended(error: BaseException, ending: Ending) -> None:
    assert ending_of(error) is ending

    class Derived(type(error)):  # type: ignore[misc]
        """An application's own."""

    assert ending_of(Derived("x")) is ending


def test_every_ending_but_the_good_one_has_a_verdict() -> None:
    assert set(VERDICTS) == set(Ending) - {Ending.COMPLETE}


def test_only_what_was_never_sent_is_surely_not_billed() -> None:
    assert [ending for ending, verdict in VERDICTS.items() if verdict.billable is Billable.NO] == [Ending.NEVER_SENT]


@pytest.mark.parametrize(
    ("status", "billable"),
    [(200, None), (204, None), (307, Billable.NO), (400, Billable.NO), (429, Billable.NO), (500, Billable.MAYBE)],
)
def test_a_refusal_is_not_billed_and_a_servers_fault_may_be(status: int, billable: Billable | None) -> None:
    expected = None if billable is None else Verdict(Reason.HTTP_ERROR, billable)
    assert verdict_of_status(status) == expected
