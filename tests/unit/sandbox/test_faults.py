"""What the sandbox does wrong when it is asked to, seen from outside."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from kangbot.sandbox.faults import Faults, Http5xx, MuteTopic, TimeoutAfterAccept
from tests.support.sandbox_client import Client

CREATE = "/v5/order/create"


async def test_an_order_is_accepted_and_its_answer_is_lost(client: Client) -> None:
    """504, the order exists, and the same id proves it."""
    await client.fault({"fault": "timeout_after_accept", "path": CREATE, "count": 1})
    assert (await client.buy("kb1"))[0] == 504
    truth = await client.truth()
    assert (truth["orders"]["with_prefix"], truth["positions"]) == (1, {"BTCUSDT": "0.01"})
    assert (await client.buy("kb1"))[1]["retCode"] == 110072
    assert (await client.truth())["duplicates"] == {"refused": 1, "accepted": 0}


async def test_an_answer_may_never_come(client: Client) -> None:
    """The connection is held, and then cut."""
    await client.fault({"fault": "timeout_after_accept", "answer": "never", "hold_s": 0.05})
    with pytest.raises(aiohttp.ClientError):
        await client.buy("kb1")
    assert (await client.truth())["orders"]["total"] == 1


async def test_a_request_is_lost_with_its_answer(client: Client) -> None:
    """504, and there is no order: the same id may be sent again."""
    await client.fault({"fault": "timeout_before_accept", "path": CREATE})
    assert (await client.buy("kb1"))[0] == 504
    assert (await client.truth())["orders"]["total"] == 0
    assert (await client.buy("kb1"))[1]["retCode"] == 0


async def test_an_order_is_accepted_late(client: Client) -> None:
    """504 now, and the order comes up some time later."""
    await client.fault({"fault": "late_accept", "path": CREATE, "ms": 300})
    asked_ms = client.sandbox.exchange.now_ms()
    assert (await client.buy("kb1"))[0] == 504
    async with asyncio.timeout(60):
        while (await client.truth())["orders"]["total"] == 0:
            await asyncio.sleep(0.02)
    async with client.session.get(f"{client.sandbox.rest_url}/sandbox/orders") as answer:
        (row,) = await answer.json()
    assert int(row["createdTime"]) >= asked_ms + 300
    assert (await client.truth())["positions"] == {"BTCUSDT": "0.01"}


async def test_a_proxy_answers_with_a_page(client: Client) -> None:
    """5xx as often as asked, and nothing is done."""
    await client.fault({"fault": "http_5xx", "status": 503, "count": 2})
    assert [(await client.buy("kb1"))[0] for _ in range(3)] == [503, 503, 200]
    assert (await client.truth())["orders"]["total"] == 1


async def test_too_many_requests_are_told_with_the_time_of_reset(client: Client) -> None:
    """10006 while it lasts."""
    await client.fault({"fault": "rate_limit", "for_s": 600, "retry_after": 2})
    status, answer, headers = await client.buy("kb1")
    assert (status, answer["retCode"], headers["X-Bapi-Limit-Status"]) == (200, 10006, "0")
    assert int(headers["X-Bapi-Limit-Reset-Timestamp"]) > answer["time"] + 1000
    await client.clear()
    assert (await client.buy("kb1"))[1]["retCode"] == 0


async def test_requests_are_delayed(client: Client) -> None:
    """On the path that is named, and on no other."""
    await client.fault({"fault": "delay", "path": CREATE, "ms": 500, "for_s": 30})
    began = time.perf_counter()
    await client.buy()
    assert time.perf_counter() - began >= 0.5
    await client.clear()
    await client.fault({"fault": "delay", "path": CREATE, "ms": 600_000, "for_s": 600})
    delayed = asyncio.ensure_future(client.buy())
    async with asyncio.timeout(120):
        await client.get("/v5/account/wallet-balance", "accountType=UNIFIED")
    assert not delayed.done()
    delayed.cancel()


async def test_sockets_are_dropped_by_kind(client: Client) -> None:
    """Without a close frame: the reader sees an abnormal end."""
    public = await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT")
    private = await client.socket(client.sandbox.ws_private_url, "order", login=True)
    answer = await client.fault({"fault": "drop_sockets", "which": "public"})
    assert answer["dropped"] == 1
    async with asyncio.timeout(120):
        while (await public.receive()).type is not aiohttp.WSMsgType.CLOSED:
            pass
    assert public.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    await private.send_json({"op": "ping"})
    assert (await private.receive_json(timeout=60))["op"] == "pong"
    await client.socket(client.sandbox.ws_public_url)
    assert (await client.fault({"fault": "drop_sockets", "which": "all"}))["dropped"] == 2


async def test_connects_are_refused_while_it_lasts(client: Client) -> None:
    """503 at the handshake, then as before."""
    await client.fault({"fault": "refuse_connects", "for_s": 600})
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await client.session.ws_connect(client.sandbox.ws_public_url)
    assert refusal.value.status == 503
    await client.clear()
    assert not (await client.socket(client.sandbox.ws_public_url)).closed


async def test_one_topic_is_mute_and_its_neighbours_speak(client: Client) -> None:
    """Subscribed and acknowledged, and silent."""
    await client.fault({"fault": "mute_topic", "topic": "tickers.BTCUSDT", "for_s": 600})
    socket = await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT", "tickers.ETHUSDT")
    topics = {(await socket.receive_json(timeout=60))["topic"] for _ in range(15)}
    assert topics == {"tickers.ETHUSDT"}


async def test_subscriptions_are_acknowledged_and_never_fed(client: Client) -> None:
    """Those made while it lasts; a ping is answered all the same."""
    await client.fault({"fault": "ack_without_data", "for_s": 600})
    socket = await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT")
    await client.clear()
    fed = await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT")
    for _ in range(5):
        assert (await fed.receive_json(timeout=60))["topic"] == "tickers.BTCUSDT"
    await socket.send_json({"op": "ping", "req_id": "p"})
    assert (await socket.receive_json(timeout=60))["ret_msg"] == "pong"


async def test_private_frames_are_lost(client: Client) -> None:
    """With a share of 1 all of them; REST still knows the order."""
    await client.fault({"fault": "mute_private_events", "fraction": 1.0, "for_s": 600})
    socket = await client.socket(client.sandbox.ws_private_url, "order", "execution", login=True)
    placed = (await client.buy("kb1"))[1]["result"]
    await socket.send_json({"op": "ping"})
    assert (await socket.receive_json(timeout=60))["op"] == "pong"
    found = await client.get("/v5/order/realtime", f"category=linear&orderId={placed['orderId']}")
    assert found["result"]["list"][0]["orderStatus"] == "Filled"


@pytest.mark.parametrize(
    "body", [[{"fault": "unknown"}], [{"fault": "delay"}], {"fault": "http_5xx"}, [{"fault": "mute_topic", "topic": 1}]]
)
async def test_a_fault_that_is_none_is_refused(client: Client, body: Any) -> None:
    """400, and nothing is in force."""
    async with client.session.post(f"{client.sandbox.rest_url}/sandbox/faults", json=body) as answer:
        assert answer.status == 400
    async with client.session.get(f"{client.sandbox.rest_url}/sandbox/faults") as answer:
        assert await answer.json() == []


def test_faults_end_by_time_or_count() -> None:
    """Each by its own measure."""
    faults = Faults(lambda: 0.0)
    faults.add(MuteTopic(topic="t", for_s=2), now_ns=0)
    faults.add(TimeoutAfterAccept(path="/a", count=2), now_ns=0)
    assert faults.mutes("t", 1_999_999_999)
    assert not faults.mutes("other", 0)
    assert [len(faults.take("/a", 0)) for _ in range(3)] == [1, 1, 0]
    assert faults.take("/b", 0) == []
    assert not faults.mutes("t", 2_000_000_000)
    assert faults.active(2_000_000_000) == []


def test_a_fault_by_chance_befalls_by_the_draw() -> None:
    """Half a venue is half by chance: in strict turns a caller's own rhythm would meet the same half for ever."""
    draws = iter([0.1, 0.9, 0.49, 0.5])
    faults = Faults(lambda: next(draws))
    faults.add(Http5xx(chance=0.5, count=4), now_ns=0)
    assert [len(faults.take("/a", 0)) for _ in range(5)] == [1, 0, 1, 0, 0]
