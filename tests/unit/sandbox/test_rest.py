"""From a request to an answer: what is no request of ours, and what is too much."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve
from tests.support.sandbox_client import Client

CREATE = "/v5/order/create"
SMALL = ServeOptions(symbols=("BTCUSDT",), spot_symbols=(), history_minutes=1)


async def posted(client: Client, body: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and answer of a POST with that body, signed as text."""
    headers = client.signed(body.decode(errors="replace"))
    async with client.session.post(f"{client.sandbox.rest_url}{CREATE}", data=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_every_answer_has_the_envelope_with_the_time(client: Client) -> None:
    """What was asked for is the result; a refusal has none, and is no failure of HTTP."""
    told = await client.get("/v5/market/time")
    assert (told["retCode"], told["retMsg"], told["retExtInfo"]) == (0, "OK", {})
    assert told["time"] // 1000 == int(told["result"]["timeSecond"])
    status, refused, _ = await client.post(CREATE, {"category": "linear", "symbol": "NOPEUSDT"})
    assert (status, refused["retCode"], refused["result"]) == (200, 10001, {})


async def test_a_path_or_a_method_that_is_not_served_is_not_found(client: Client) -> None:
    """In the venue's envelope."""
    for path, method in (("/v5/nothing", "GET"), (CREATE, "GET"), ("/v5/market/time", "POST")):
        async with client.session.request(method, f"{client.sandbox.rest_url}{path}") as answer:
            assert (answer.status, (await answer.json())["retCode"]) == (404, 10017)


@pytest.mark.parametrize("body", [b"[1]", b"null", b"{", b"text", b'{"a": "\xff"}', b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    """Before it is asked who signed it; whatever its bytes are."""
    status, told = await posted(client, body)
    assert (status, told["retCode"], told["retMsg"]) == (200, 10001, "params error: the body is no JSON object")


async def test_an_unsigned_request_does_nothing(client: Client) -> None:
    """And takes no place in the budget of those who sign."""
    url, terms = f"{client.sandbox.rest_url}{CREATE}", {"category": "linear", "symbol": "BTCUSDT"}
    async with client.session.post(url, json=terms) as answer:
        assert ((await answer.json())["retCode"], "X-Bapi-Limit" in answer.headers) == (10001, False)
    assert (await client.truth())["orders"]["total"] == 0
    _, _, headers = await client.buy()
    assert headers["X-Bapi-Limit-Status"] == "9"


async def test_spot_orders_have_a_budget_beside_the_contracts(client: Client) -> None:
    """What was asked for the one takes nothing from the other."""
    await client.buy()
    terms = {"category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "100"}
    _, _, headers = await client.post(CREATE, terms)
    assert (headers["X-Bapi-Limit"], headers["X-Bapi-Limit-Status"]) == ("20", "19")


async def test_every_request_is_counted_by_its_path(client: Client) -> None:
    """Those that are refused too."""
    await client.buy()
    await client.buy()
    await client.get("/v5/nothing")
    requests = (await client.truth())["requests"]
    assert (requests[f"POST {CREATE}"], requests["GET /v5/nothing"]) == (2, 1)


async def test_an_address_that_asks_too_often_is_turned_away() -> None:
    """With 403 and no envelope, whatever it asks for: six hundred in five seconds are the most."""
    now_ns = 0
    async with await serve(SMALL, Clock(lambda: now_ns)) as sandbox, aiohttp.ClientSession() as session:
        told: list[tuple[int, str]] = []
        for asked in range(603):
            now_ns = 5 * SECOND_NS if asked == 602 else 0
            async with session.get(f"{sandbox.rest_url}/v5/market/time") as answer:
                told.append((answer.status, await answer.text()))
        assert [status for status, _ in told[:600]] == [200] * 600
        assert told[600:602] == [(403, "access too frequent")] * 2
        assert told[602][0] == 200


@pytest.fixture
async def distant() -> AsyncIterator[Client]:
    """A client of a sandbox that is half a second away and counts nothing."""
    options = replace(SMALL, latency_s=0.5, enforce_limits=False)
    async with await serve(options) as sandbox, aiohttp.ClientSession() as session:
        yield Client(sandbox, session)


@pytest.mark.usefixtures("long_second")
async def test_a_venue_may_be_far_away_and_leave_budgets_alone(distant: Client) -> None:
    """It looks at a request later; the headers are told all the same."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await distant.buy()
    assert loop.time() - began >= 0.5
    answers = await asyncio.gather(*(distant.buy() for _ in range(15)))
    assert [answer["retCode"] for _, answer, _ in answers] == [0] * 15
    assert min(int(headers["X-Bapi-Limit-Status"]) for _, _, headers in answers) == 0


@pytest.mark.parametrize("body", [b'{"category": "linear"}', b"[1]"])
async def test_a_late_request_was_checked_when_it_came(client: Client, body: bytes) -> None:
    """One that nobody signed, or that cannot be read, is not done later either; its caller hears nothing of it."""
    terms = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
    await client.fault({"fault": "late_accept", "path": CREATE, "ms": 50, "count": 2})
    with capture_logs() as logs:
        for late in (json.dumps(terms).encode(), body):
            async with client.session.post(f"{client.sandbox.rest_url}{CREATE}", data=late) as answer:
                assert answer.status == 504
        await asyncio.sleep(0.2)
    assert (await client.truth())["orders"]["total"] == 0
    assert [line["event"] for line in logs if line["log_level"] == "error"] == []
