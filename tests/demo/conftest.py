"""A running stand-in for each test."""

from collections.abc import Iterator

import pytest

from tallyspan.demo import StandIn, Stranger


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn(seed=7) as running:
        yield running


@pytest.fixture
def stranger(api: StandIn) -> Stranger:
    return Stranger(api.host)
