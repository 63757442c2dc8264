"""A real daemon takes commands from a chat, and goes on trading while the chat is away."""

import asyncio
from pathlib import Path

import pytest

from tests.support.processes import MARKETS, World
from tests.support.telegram import TOKEN, BotApi, bot_api

pytestmark = pytest.mark.process

CHAT, STRANGER = 7, 8


async def said(api: BotApi, line: str, *, chat: int = CHAT) -> str:
    """Write a line and return the answer to it."""
    before = len(api.sent)
    api.write(chat, line)
    await api.until_sent(before + 1)
    answered, text = api.sent[-1]
    assert answered == chat
    return text


async def test_markets_are_stopped_and_started_and_killed_from_a_phone(tmp_path: Path) -> None:
    """Each command does what the command line's does, in the chat's name; a stranger commands nothing."""
    async with bot_api() as api:
        world = World(tmp_path, seed=3)
        world.environment |= {
            "KANGBOT_TELEGRAM__TOKEN": TOKEN,
            "KANGBOT_TELEGRAM__API_URL": api.url,
            "KANGBOT_TELEGRAM__CHATS": f"{CHAT},-100{CHAT}",
        }
        try:
            await asyncio.to_thread(world.start)
            await asyncio.to_thread(world.live)
            api.write(STRANGER, "/kill flatten")
            assert f"{len(MARKETS)} of {len(MARKETS)} markets live" in await said(api, "/status")
            assert await said(api, "/stop btc") == "BTC/USDT:USDT stops; its position keeps its stop"
            assert await said(api, "/stopall") == "every market stops"
            await asyncio.to_thread(world.until, lambda report: report.live == 0)
            assert await said(api, "/startall") == "every market starts, one after another"
            await asyncio.to_thread(world.live)
            assert "the kill switch is set" in await said(api, "/kill")
            report = await asyncio.to_thread(world.client.report)
            assert report.killed == "from a chat"
            await asyncio.to_thread(world.stop)
        finally:
            await asyncio.to_thread(world.close)
    written = (world.folder / "daemon.log").read_text()
    assert written.count("telegram.stranger") == 1
    assert "telegram chat 7 (ann)" in written
    assert TOKEN not in written
