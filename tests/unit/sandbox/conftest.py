"""A sandbox in this loop."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from kangbot.sandbox.limits import Allowance, Limits
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve
from tests.support.sandbox_client import Client


@pytest.fixture
def long_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the second in which requests are counted last for as long as the test, however slow the machine is."""
    take = Limits.take

    def in_an_hour(limits: Limits, name: str, limit: int, now_ms: int, _window_ms: int = 0) -> Allowance:
        return take(limits, name, limit, now_ms, 3_600_000)

    monkeypatch.setattr(Limits, "take", in_an_hour)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of a fresh sandbox with two markets."""
    options = ServeOptions(symbols=("BTCUSDT", "ETHUSDT"), spot_symbols=("BTCUSDT",), history_minutes=30, rate=50)
    async with await serve(options) as sandbox, aiohttp.ClientSession() as session:
        client = Client(sandbox, session)
        yield client
        await client.aclose()
