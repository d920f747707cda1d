"""One stand-in, one house and one guest for all tests of this folder."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.safety.guest import Guest
from tests.safety.house import House
from tests.safety.proof import Proof
from tests.safety.shapes import SHAPES

from tallyspan.demo import StandIn


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with StandIn(seed=7) as api:
        house = House(api)
        yield house
        house.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books")


@pytest.fixture(scope="session")
def proof(house: House, folder: Path) -> Proof:
    return Proof(house, Guest(house.api.host, folder), SHAPES)


@pytest.fixture(autouse=True)
def tidy() -> None:
    """Keep what is there already from the collector: a shape's own litter is found faster."""
    gc.collect()
    gc.freeze()
