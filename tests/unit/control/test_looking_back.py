"""The history, looked through by the page."""

import asyncio
from typing import Any

import aiohttp
import pytest

from kangbot.ports import Listing, Page
from tests.support.control_desk import MARKET, NEVER_TRADED, Served

from .conftest import got


async def test_a_market_that_was_never_traded_here_is_not_an_empty_list(client: aiohttp.ClientSession) -> None:
    """One that has left the configuration has its history; a name that is none is said to be."""
    assert (await got(client, "/fills?market=v:GONE"))["items"][0]["market"] == "v:GONE"
    refused = (await got(client, f"/fills?market={NEVER_TRADED}", 404))["error"]
    assert refused == f"no market '{NEVER_TRADED}' runs here; `kangbot status` lists those that there are"
    assert (await got(client, f"/fills?market={NEVER_TRADED}&offset=1"))["items"] == []


async def test_the_history_is_looked_through_page_by_page(served: Served, client: aiohttp.ClientSession) -> None:
    """Every listing with its bounds."""
    assert await got(client, "/orders?market=v:A&limit=5&offset=10") == {
        "items": [{"market": "v:A", "filled": "1.5", "number": 3}]
    }
    for path in ("/fills", "/round-trips", "/transfers", "/equity?limit=2000", "/events", f"/markets/{MARKET}/bars"):
        await got(client, path)
    assert served.desk.asked == [
        Page(listing=Listing.ORDERS, market=MARKET, limit=5, offset=10),
        Page(listing=Listing.FILLS),
        Page(listing=Listing.ROUND_TRIPS),
        Page(listing=Listing.TRANSFERS),
        Page(listing=Listing.EQUITY, limit=2000),
        Page(listing=Listing.EVENTS),
        Page(listing=Listing.BARS, market=MARKET, timeframe_s=60),
    ]


async def test_a_history_that_is_away_is_503_in_words(served: Served, client: aiohttp.ClientSession) -> None:
    """The daemon trades on."""
    served.desk.away = True
    assert await got(client, "/orders", 503) == {"error": "the history is away"}


async def test_questions_to_the_history_come_one_at_a_time_and_do_not_pile_up(
    served: Served, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks too much is told so."""
    going, most, gate = 0, 0, asyncio.Event()

    async def slow(page: Page) -> list[Any]:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await gate.wait()
        going -= 1
        return []

    monkeypatch.setattr(served.desk, "page", slow)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(client.get("/orders")) for _ in range(20)]
        while sum(task.done() for task in asked) < 4:
            await asyncio.sleep(0.01)
        gate.set()
    statuses = sorted(task.result().status for task in asked)
    for task in asked:
        task.result().close()
    assert statuses == [200] * 16 + [503] * 4
    assert most == 1


async def test_questions_that_failed_make_room_for_others(served: Served, client: aiohttp.ClientSession) -> None:
    """However many there were while it was away."""
    served.desk.away = True
    for _ in range(20):
        assert await got(client, "/orders", 503) == {"error": "the history is away"}
    served.desk.away = False
    await got(client, "/orders")
