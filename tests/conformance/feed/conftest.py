"""The bench in front of which each adapter is put: one fixture a suite, with every adapter of the module's time."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from tests.support.feed_adapters import ADAPTERS, Trait, adapters
from tests.support.feed_bench import AccountBench, Bench

_TRAITS = {
    "bench": None,
    "account": Trait.ACCOUNT,
    "connected_account": Trait.ACCOUNT_CONNECTION,
    "denying": Trait.DENIAL,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each suite its adapters."""
    virtual = metafunc.definition.get_closest_marker("virtual_time") is not None
    for fixture, trait in _TRAITS.items():
        if fixture in metafunc.fixturenames:
            names = [
                pytest.param(name, marks=pytest.mark.recorded if name == "binance_usdm" else ())
                for name in adapters(trait, virtual=virtual)
            ]
            metafunc.parametrize(fixture, names, indirect=True)


@pytest.fixture
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Return each adapter in turn, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield ready


@pytest.fixture
async def account(request: pytest.FixtureRequest) -> AsyncIterator[AccountBench]:
    """Return each adapter that has an account's stream, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield cast("AccountBench", ready)


@pytest.fixture
async def connected_account(request: pytest.FixtureRequest) -> AsyncIterator[AccountBench]:
    """Return each adapter whose account's stream can break, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield cast("AccountBench", ready)


@pytest.fixture
async def denying(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Return each adapter whose venue refuses what it does not know, with a fresh venue."""
    async with ADAPTERS[request.param].open() as ready:
        yield ready
