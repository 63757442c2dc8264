"""The bench in front of which each adapter is put: one fixture a suite, with every adapter of the module's time."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from tests.support.market_bench import READERS, Markets
from tests.support.venue_adapters import ADAPTERS, Trait, adapters
from tests.support.venue_bench import Bench, MovingBench, RemoteBench, WireBench

_TRAITS = {"bench": None, "moving": Trait.MOVED, "remote": Trait.NETWORK, "wire": Trait.WIRE}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each suite its adapters."""
    virtual = metafunc.definition.get_closest_marker("virtual_time") is not None
    for fixture, trait in _TRAITS.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, adapters(trait, virtual=virtual), indirect=True)
    if "markets" in metafunc.fixturenames:
        readers = sorted(name for name, reader in READERS.items() if reader.virtual is virtual)
        metafunc.parametrize("markets", readers, indirect=True)


@pytest.fixture
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Return each adapter in turn, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield ready


@pytest.fixture
async def moving(request: pytest.FixtureRequest) -> AsyncIterator[MovingBench]:
    """Return each adapter whose account may be paid into, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield cast("MovingBench", ready)


@pytest.fixture
async def remote(request: pytest.FixtureRequest) -> AsyncIterator[RemoteBench]:
    """Return each adapter that has a network in between, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield cast("RemoteBench", ready)


@pytest.fixture
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[WireBench]:
    """Return each adapter that signs what it sends to an address, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield cast("WireBench", ready)


@pytest.fixture
async def markets(request: pytest.FixtureRequest) -> AsyncIterator[Markets]:
    """Return each adapter in turn, those without orders included."""
    async with READERS[request.param].open() as ready:
        yield ready
