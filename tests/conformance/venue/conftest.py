"""The bench in front of which each adapter is put."""

from collections.abc import AsyncIterator

import pytest

from tests.support.market_bench import READERS, Markets
from tests.support.venue_bench import ADAPTERS, REMOTES, Bench, RemoteBench


@pytest.fixture(params=sorted(ADAPTERS))
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Return each adapter in turn, with a fresh venue."""
    async with ADAPTERS[request.param]() as ready:
        yield ready


@pytest.fixture(params=sorted(REMOTES))
async def remote(request: pytest.FixtureRequest) -> AsyncIterator[RemoteBench]:
    """Return each adapter that has a network in between, with a fresh venue."""
    async with REMOTES[request.param]() as ready:
        yield ready


@pytest.fixture(params=sorted(READERS))
async def markets(request: pytest.FixtureRequest) -> AsyncIterator[Markets]:
    """Return each adapter in turn, those without orders included."""
    async with READERS[request.param]() as ready:
        yield ready
