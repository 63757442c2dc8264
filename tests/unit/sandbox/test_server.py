"""The sandbox as a server: where it can be reached, and how it ends."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import ClientSession

from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve

SMALL = ServeOptions(symbols=("BTCUSDT",), spot_symbols=(), history_minutes=1)


@pytest.mark.parametrize(("host", "named"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_its_addresses_can_be_asked_as_they_are_told(host: str, named: str) -> None:
    """An IPv6 address stands in brackets there."""
    options = ServeOptions(host=host, symbols=("BTCUSDT",), spot_symbols=(), history_minutes=1)
    async with await serve(options) as sandbox, ClientSession() as session:
        for url in (sandbox.rest_url, sandbox.ws_public_url, sandbox.ws_spot_url, sandbox.ws_private_url):
            assert f"//{named}:{sandbox.port}" in url
        async with session.get(f"{sandbox.rest_url}/v5/market/time") as answer:
            assert answer.status == 200


async def test_a_closed_sandbox_has_cut_everybody_and_listens_no_more() -> None:
    """Closing it again is harmless."""
    async with ClientSession() as session:
        async with await serve(SMALL) as sandbox:
            connection = await session.ws_connect(sandbox.ws_public_url)
        assert (await connection.receive()).type is aiohttp.WSMsgType.CLOSED
        await sandbox.aclose()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{sandbox.rest_url}/v5/market/time")


async def test_an_address_that_is_taken_is_an_error_and_leaves_no_task() -> None:
    """Whoever asked decides what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        options = ServeOptions(port=other.getsockname()[1], symbols=("BTCUSDT",), spot_symbols=(), history_minutes=1)
        before = len(asyncio.all_tasks())
        with pytest.raises(OSError, match="address already in use"):
            await serve(options)
        assert len(asyncio.all_tasks()) == before


async def test_its_clock_may_be_ahead_and_its_markets_move_by_themselves() -> None:
    """Without anybody who asks."""
    options = ServeOptions(symbols=("BTCUSDT",), spot_symbols=(), history_minutes=1, rate=100.0, clock_skew_s=3600.0)
    async with await serve(options, Clock()) as sandbox:
        assert 3599 < (sandbox.exchange.now_ns() - Clock().now_ns()) / SECOND_NS < 3601
        book = sandbox.exchange.desk("linear", "BTCUSDT").book
        before = book.quote
        async with asyncio.timeout(120):
            while book.quote == before:
                await asyncio.sleep(0.01)
