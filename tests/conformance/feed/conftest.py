"""The adapters of the feeds' port that the suite runs on."""

from collections.abc import AsyncIterator

import pytest

from tests.support.feed_bench import ADAPTERS, Bench


@pytest.fixture(params=sorted(ADAPTERS))
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Return each adapter in turn, with a fresh venue."""
    async with ADAPTERS[request.param]() as ready:
        yield ready
