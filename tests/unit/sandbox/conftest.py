"""A sandbox in this loop."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve
from tests.support.sandbox_client import Client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of a fresh sandbox with two markets."""
    options = ServeOptions(symbols=("BTCUSDT", "ETHUSDT"), spot_symbols=("BTCUSDT",), history_minutes=30, rate=50)
    async with await serve(options) as sandbox, aiohttp.ClientSession() as session:
        client = Client(sandbox, session)
        yield client
        await client.aclose()
