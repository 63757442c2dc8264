"""What is told out of the daemon's memory."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from kangbot.control.kept import KEPT_S
from tests.support.control_desk import MARKET, Served, serving
from tests.support.reporting import a_market, a_report
from tests.support.typed import typed

from .conftest import got, told


async def test_what_is_held_is_told_from_memory(served: Served, client: aiohttp.ClientSession) -> None:
    """With amounts as exact text."""
    assert [market["market"] for market in await got(client, "/markets")] == [MARKET]
    assert (await got(client, f"/markets/{MARKET}"))["net"] == "2"
    assert "no market 'v:B' runs here" in (await got(client, "/markets/v:B", 404))["error"]
    [position] = await got(client, "/positions")
    assert (position["net"], position["stop"], position["price"]) == ("2", "9", "64000.5")
    assert await got(client, "/config") == {"mode": "sandbox"}
    latency = await got(client, f"/markets/{MARKET}/latency")
    assert (latency["counts"], latency["bounds_ms"], latency["longest_ms"]) == ([1, 20, 3], [0.064, 0.128], 4.5)
    assert "no market 'v:B' runs here" in (await got(client, "/markets/v:B/latency", 404))["error"]


async def test_nobody_is_told_that_nothing_is_held_before_it_is_known(
    served: Served, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The venue has not answered the start, and the last run left positions."""
    waiting = a_report(waiting="bybit was not reached")
    monkeypatch.setattr(served.desk, "report", lambda: waiting)
    assert (await got(client, "/positions", 409))["error"] == "what is held is not known yet: bybit was not reached"
    code, _, said = await typed("positions", "--socket", str(served.socket))
    assert (code, said.strip()) == (1, "what is held is not known yet: bybit was not reached")


async def test_amounts_are_told_in_plain_digits(
    served: Served, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small: a script in another language may read no exponent in a text."""
    few = a_market(market=MARKET, net=Decimal("4E-10"), unrealised=Decimal("-1.25E-7"))
    monkeypatch.setattr(served.desk, "report", lambda: a_report(markets=[few]))
    [position] = await got(client, "/positions")
    assert (position["net"], position["unrealised"]) == ("0.0000000004", "-0.000000125")
    code, out, _ = await typed("positions", "--json", "--socket", str(served.socket))
    assert (code, json.loads(out)[0]["net"]) == (0, "0.0000000004")
    _, out, _ = await typed("status", "--json", "--socket", str(served.socket))
    assert json.loads(out)["markets"][0]["unrealised"] == "-0.000000125"


async def test_a_market_is_known_by_its_coin_wherever_one_is_named(
    served: Served, client: aiohttp.ClientSession
) -> None:
    """Whoever acts hears which it was."""
    assert (await told(client, "/markets/a/pause"))["market"] == MARKET
    assert (await told(client, "/reset-circuit-breaker/a"))["market"] == MARKET
    assert (await told(client, "/markets/a/release"))["market"] == MARKET
    assert all(MARKET in obeyed for obeyed in served.desk.obeyed)
    assert (await got(client, "/markets/a/latency"))["market"] == MARKET
    assert (await got(client, "/orders?market=a"))["items"][0]["market"] == MARKET


async def test_health_tells_every_check_and_live_only_what_is_stuck(tmp_path: Path) -> None:
    """`/health` needs a token and is 503 where a check is critical; `/live` is open and tells no details."""
    async with serving(tmp_path) as served, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {served.read}"}
        async with http.get(f"{served.url}/health") as answer:
            assert answer.status == 401
        async with http.get(f"{served.url}/health", headers=headers) as answer:
            said = await answer.json()
            assert (answer.status, said["status"], said["live"]) == (503, "critical", "")
            assert {check["name"] for check in said["checks"]} >= {"breakers", "memory", "loop_lag"}
        async with http.get(f"{served.url}/live") as answer:
            assert (answer.status, await answer.json()) == (200, {"live": True})
        served.desk.hangs = "journal for 60 s"
        await asyncio.sleep(KEPT_S + 0.05)
        async with http.get(f"{served.url}/live") as answer:
            assert (answer.status, await answer.json()) == (503, {"live": False})


async def test_metrics_are_text_for_whoever_may_look(served: Served) -> None:
    """In Prometheus' own content type; without a token there is nothing."""
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{served.url}/metrics") as answer:
            assert answer.status == 401
        async with http.get(f"{served.url}/metrics", headers={"Authorization": f"Bearer {served.read}"}) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
            assert "kangbot_health_score " in await answer.text()


async def test_what_holds_nothing_is_no_position_and_who_is_not_ready_says_so(
    served: Served, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that counts positions counts what is held."""
    report = a_report(a_market("ETH"), a_market(market=MARKET, net=Decimal(-3)))
    monkeypatch.setattr(served.desk, "report", lambda: report)
    assert [one["market"] for one in await got(client, "/positions")] == [MARKET]
    served.desk.waits = "the venue does not answer"
    assert await got(client, "/ready", 503) == {"ready": False}
