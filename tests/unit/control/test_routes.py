"""The routes over both doors: what they answer, what is journalled, and that the document tells what is served."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kangbot.control.kept import KEPT_S
from kangbot.model.events import Lane
from kangbot.ports import Listing, Page
from tests.support.control_desk import MARKET, NEVER_TRADED, Served, serving
from tests.support.reporting import a_market, a_report
from tests.support.typed import typed

CALLER = "control token from 127.0.0.1"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server over both doors."""
    async with serving(tmp_path) as it:
        yield it


@pytest.fixture
async def client(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """A script that may command."""
    async with aiohttp.ClientSession(served.url, headers={"Authorization": f"Bearer {served.control}"}) as session:
        yield session


async def got(client: aiohttp.ClientSession, path: str, status: int = 200) -> Any:
    """Return what is answered."""
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def told(client: aiohttp.ClientSession, path: str, body: object = None, status: int = 200) -> Any:
    """Command, and return what is answered."""
    async with client.post(path, json={} if body is None else body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


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


async def test_a_breaker_is_looked_at_probed_reset_and_held_open(served: Served, client: aiohttp.ClientSession) -> None:
    """Each hand on it is in the journal with its caller, and answered with how the market stands."""
    status = {"market": MARKET, "breakers": await got(client, "/circuit-breakers")}
    assert status["breakers"][0]["cause"] == "timeouts"
    assert await got(client, f"/circuit-breaker-status/{MARKET}") == status
    assert await told(client, f"/force-retry/{MARKET}") == status
    assert await told(client, f"/reset-circuit-breaker/{MARKET}") == status
    assert await told(client, f"/reset-circuit-breaker/{MARKET}", {"lane": "exit"}) == status
    assert await told(client, f"/isolate-circuit-breaker/{MARKET}", {"lane": "entry"}) == status
    await told(client, f"/isolate-circuit-breaker/{MARKET}", status=400)
    await told(client, f"/isolate-circuit-breaker/{MARKET}", {"lane": "moon"}, 400)
    await told(client, "/force-retry/v:B", status=404)
    assert served.desk.obeyed == [
        ("retry", MARKET, CALLER),
        ("reset", MARKET, None, CALLER),
        ("reset", MARKET, Lane.EXIT, CALLER),
        ("isolate", MARKET, Lane.ENTRY, CALLER),
    ]
    assert [what for what, _ in served.desk.journal] == [
        f"force-retry {MARKET}",
        f"reset-circuit-breaker {MARKET} all",
        f"reset-circuit-breaker {MARKET} exit",
        f"isolate-circuit-breaker {MARKET} entry",
    ]


@pytest.mark.parametrize(
    "path",
    [
        f"/reset-circuit-breaker/{MARKET}",
        f"/isolate-circuit-breaker/{MARKET}",
        f"/force-retry/{MARKET}",
        f"/markets/{MARKET}/resume",
        "/stop-all",
        "/drawdown/reset",
    ],
)
async def test_no_disk_took_what_was_commanded(served: Served, client: aiohttp.ClientSession, path: str) -> None:
    """Nobody is told that it is done who would find it undone after a restart."""
    served.desk.disk_full = True
    said = await told(client, path, {"lane": "entry"} if "isolate" in path else None, 503)
    assert said["error"] == "a restart would forget it; make room"


async def test_a_command_to_all_answers_where_they_stand(served: Served, client: aiohttp.ClientSession) -> None:
    """Starting goes on in the background."""
    said = await told(client, "/start-all")
    assert said["accepted"] == "start"
    assert said["markets"] == [{"market": MARKET, "state": "live", "desired": "running", "reason": "60 bars"}]
    assert served.desk.journal == [("start-all", CALLER)]


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


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=2001", "limit=x", "offset=-1", "market=%00", "market='", "other=1", "limit=1&limit=2"]
)
async def test_a_query_that_is_not_understood_asks_nothing(
    served: Served, client: aiohttp.ClientSession, query: str
) -> None:
    """In words."""
    assert "error" in await got(client, f"/orders?{query}", 400)
    assert served.desk.asked == []


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


async def test_the_document_tells_what_is_served_and_nothing_else(
    served: Served, client: aiohttp.ClientSession
) -> None:
    """OpenAPI 3.1; each command says what repeating it does; every reference leads somewhere."""
    document = await got(client, "/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {"/live", "/ready", "/report", "/kill", "/stream", "/orders", "/login"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"]
            assert (method == "post") == ("description" in operation), path
            for status in operation["responses"]:
                assert 100 <= int(status) < 504
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


async def test_every_command_of_the_document_is_journalled_with_its_caller(served: Served) -> None:
    """One entry each, however often it comes again; who comes in and goes out as well, but nobody without a session."""
    bodies = {"/login": {"token": served.control}, "/isolate-circuit-breaker/{market}": {"lane": "entry"}}
    async with aiohttp.ClientSession(served.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await told(browser, "/login", bodies["/login"])
        document = await got(browser, "/openapi.json")
        commands = [path for path, methods in document["paths"].items() if "post" in methods and path != "/logout"]
        assert len(commands) >= 14
        for path in (*commands, *commands, "/logout"):
            before = len(served.desk.journal)
            await told(browser, path.replace("{market}", MARKET), bodies.get(path))
            by = "control token from 127.0.0.1" if path == "/login" else "control session from 127.0.0.1"
            assert [caller for _, caller in served.desk.journal[before:]] == [by], path
        before = len(served.desk.journal)
        await told(browser, "/logout")
        assert len(served.desk.journal) == before


def references(value: Any) -> list[str]:
    """Return every `$ref` in the document."""
    if isinstance(value, dict):
        return [inner for key, inner in value.items() if key == "$ref"] + [
            found for inner in value.values() for found in references(inner)
        ]
    return [found for inner in value for found in references(inner)] if isinstance(value, list) else []


async def test_the_live_connection_needs_a_token_and_begins_with_a_snapshot(
    served: Served, client: aiohttp.ClientSession
) -> None:
    """A plain request to its address is told what it is."""
    async with client.ws_connect("/stream") as socket:
        said = await socket.receive_json()
        assert (said["type"], said["access"], said["report"]["total"]) == ("snapshot", "control", 1)
    assert "error" in await got(client, "/stream", 400)
    async with aiohttp.ClientSession(served.url) as stranger:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await stranger.ws_connect("/stream")


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
