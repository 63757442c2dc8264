"""The words of the websockets: acknowledgements, refusals, heartbeats, snapshots and deltas."""

import asyncio
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve
from tests.support.pinging import ask_and_break_off, dialled, ping_and_break_off
from tests.support.sandbox_client import Client

D = Decimal
_NO_TOPICS: list[Any] = [[], 5, {"a": 1}, "tickers.BTCUSDT"]


async def say(socket: aiohttp.ClientWebSocketResponse, message: Any) -> dict[str, Any]:
    """Send a message and return the acknowledgement that follows."""
    await (socket.send_str(message) if isinstance(message, str) else socket.send_json(message))
    while True:
        answer: dict[str, Any] = await socket.receive_json(timeout=60)
        if "topic" not in answer:
            return answer


async def drain_into(merged: dict[str, str], client: Client, socket: aiohttp.ClientWebSocketResponse) -> None:
    """Merge the frames that are still on their way from a market that stands still: all come before the pong."""
    await client.truth()  # what has happened is published before it is told
    await socket.send_json({"op": "ping"})
    while "topic" in (frame := await socket.receive_json(timeout=60)):
        merged.update(frame["data"])


async def test_a_subscription_is_acknowledged_by_its_request(client: Client) -> None:
    """Before its first data; refused as a whole where one topic is unknown or already subscribed."""
    socket = await client.socket(client.sandbox.ws_public_url)
    answer = await say(socket, {"op": "subscribe", "req_id": "a1", "args": ["tickers.BTCUSDT", "kline.1.BTCUSDT"]})
    assert (answer["success"], answer["ret_msg"], answer["req_id"], answer["op"]) == (True, "", "a1", "subscribe")
    for topic, complaint in (
        ("tickers.NOPEUSDT", "error:handler not found,topic:tickers.NOPEUSDT"),
        ("orderbook.30.BTCUSDT", "error:handler not found,topic:orderbook.30.BTCUSDT"),
        ("kline.7.BTCUSDT", "error:handler not found,topic:kline.7.BTCUSDT"),
        ("order", "error:handler not found,topic:order"),
        ("tickers.BTCUSDT", "error:already subscribed,topic:tickers.BTCUSDT"),
    ):
        answer = await say(socket, {"op": "subscribe", "req_id": "a2", "args": [topic]})
        assert (answer["success"], answer["ret_msg"]) == (False, complaint)


async def test_what_is_no_request_is_answered_and_the_socket_stays(client: Client) -> None:
    """Garbage, a list, an unknown word, bytes that are no text, arguments that are no list."""
    socket = await client.socket(client.sandbox.ws_public_url)
    await socket.send_bytes(b'{"op": "\xff"}')
    assert (await socket.receive_json(timeout=60))["ret_msg"].startswith("Failed to decode")
    assert (await say(socket, "hello"))["ret_msg"].startswith("Failed to decode")
    assert (await say(socket, "[" * 100_000))["ret_msg"].startswith("Failed to decode")
    assert (await say(socket, "[1]"))["ret_msg"] == "error:invalid op"
    assert (await say(socket, {"op": "nope"}))["ret_msg"] == "error:invalid op"
    for args in _NO_TOPICS:
        for word in ("subscribe", "auth"):
            assert (await say(socket, {"op": word, "args": args}))["success"] is False
    assert (await say(socket, {"op": "ping"}))["success"] is True


async def test_spot_takes_ten_topics_a_request_and_linear_takes_many(client: Client) -> None:
    """21,000 characters a connection bound both."""
    ten = [f"kline.{interval}.BTCUSDT" for interval in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)]
    spot = await client.socket(client.sandbox.ws_spot_url)
    assert (await say(spot, {"op": "subscribe", "args": [*ten, "tickers.BTCUSDT"]}))["ret_msg"] == "args size >10"
    assert (await say(spot, {"op": "subscribe", "args": ten}))["ret_msg"] == "subscribe"
    linear = await client.socket(client.sandbox.ws_public_url)
    assert (await say(linear, {"op": "subscribe", "args": [*ten, "tickers.BTCUSDT"]}))["success"] is True
    left = 21_000 - sum(map(len, [*ten, "tickers.BTCUSDT"]))
    for length, complaint in ((left, "error:handler not found"), (left + 1, "error:args length exceeds 21000")):
        answer = await say(linear, {"op": "subscribe", "args": ["x" * length]})
        assert answer["ret_msg"].startswith(complaint)


async def test_heartbeats_differ_between_public_and_private(client: Client) -> None:
    """As the venue's do."""
    public = await client.socket(client.sandbox.ws_public_url)
    answer = await say(public, {"op": "ping", "req_id": "p1"})
    assert (answer["ret_msg"], answer["op"], answer["req_id"]) == ("pong", "ping", "p1")
    private = await client.socket(client.sandbox.ws_private_url)
    answer = await say(private, {"op": "ping", "req_id": "p2"})
    assert (answer["op"], answer["req_id"]) == ("pong", "p2")
    assert abs(int(answer["args"][0]) - time.time() * 1000) < 5000


async def test_private_topics_need_a_login(client: Client) -> None:
    """A wrong signature, an expired one and a foreign key do not do."""
    socket = await client.socket(client.sandbox.ws_private_url)
    assert (await say(socket, {"op": "subscribe", "args": ["order"]}))["ret_msg"] == "Request not authorized"
    future = int(time.time() * 1000) + 10_000
    for args in (["sandbox", future, "00"], ["sandbox", 1, "00"], ["other", future, "00"], []):
        assert (await say(socket, {"op": "auth", "args": args}))["success"] is False
    assert (await say(socket, {"op": "subscribe", "args": ["order"]}))["success"] is False


async def test_the_ticker_is_a_snapshot_and_then_deltas_that_rebuild_rest(client: Client) -> None:
    """Merged, it is what REST tells of the same instant."""
    socket = await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT")
    merged: dict[str, str] = {}
    for index in range(30):
        frame = await socket.receive_json(timeout=60)
        assert frame["type"] == ("delta" if index else "snapshot")
        assert index == 0 or len(frame["data"]) < len(merged)
        merged.update(frame["data"])
    client.sandbox.exchange.venue.frozen = True
    rest = (await client.get("/v5/market/tickers", "category=linear&symbol=BTCUSDT"))["result"]["list"][0]
    await drain_into(merged, client, socket)
    for name in ("lastPrice", "bid1Price", "bid1Size", "ask1Price", "ask1Size", "markPrice"):
        assert merged[name] == rest[name]


async def test_the_book_rebuilds_from_its_deltas(client: Client) -> None:
    """One level a side, bid below ask; a level that went has size 0; update ids follow one another."""
    socket = await client.socket(client.sandbox.ws_public_url, "orderbook.1.BTCUSDT")
    sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    update = 0
    for index in range(40):
        frame = await socket.receive_json(timeout=60)
        assert frame["type"] == ("delta" if index else "snapshot")
        assert index == 0 or frame["data"]["u"] == update + 1
        update = frame["data"]["u"]
        for side, levels in sides.items():
            for price, size in frame["data"][side]:
                if size == "0":
                    del levels[price]
                else:
                    levels[price] = size
            assert len(levels) == 1
        assert D(next(iter(sides["b"]))) < D(next(iter(sides["a"])))


async def test_a_second_listener_does_not_disturb_the_first(client: Client) -> None:
    """A snapshot for the one is no gap for the other."""
    first = await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT")
    merged: dict[str, str] = (await first.receive_json(timeout=60))["data"]
    for _ in range(10):
        await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT")
        merged.update((await first.receive_json(timeout=60))["data"])
    client.sandbox.exchange.venue.frozen = True
    await drain_into(merged, client, first)
    second = await client.socket(client.sandbox.ws_public_url, "tickers.BTCUSDT")
    assert (await second.receive_json(timeout=60))["data"] == merged


async def test_unsubscribing_ends_the_data(client: Client) -> None:
    """And the topic can be had again."""
    socket = await client.socket(client.sandbox.ws_public_url, "publicTrade.BTCUSDT")
    assert (await say(socket, {"op": "unsubscribe", "req_id": "u", "args": ["publicTrade.BTCUSDT"]}))["success"] is True
    assert not client.sandbox.exchange.venue.frozen
    assert (await say(socket, {"op": "ping"}))["ret_msg"] == "pong"
    assert (await say(socket, {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]}))["success"] is True


async def test_nothing_is_made_for_who_has_gone(client: Client) -> None:
    """A demo's daemon that is killed again and again would have the sandbox make its frames many times over."""
    socket = await client.socket(client.sandbox.ws_public_url, "publicTrade.BTCUSDT", "tickers.BTCUSDT")
    streams = client.sandbox._streams
    assert len(streams.hub.topics()) == 2
    await socket.close()
    async with asyncio.timeout(60):
        while streams.sessions:
            await asyncio.sleep(0.01)
    assert streams.hub.topics() == []


async def test_what_is_said_on_a_socket_is_heard_later_where_the_venue_is_far_away() -> None:
    """By as much as a request."""
    loop = asyncio.get_running_loop()
    options = ServeOptions(symbols=("BTCUSDT",), spot_symbols=(), history_minutes=1, latency_s=0.3)
    async with await serve(options) as sandbox, aiohttp.ClientSession() as session:
        async with session.ws_connect(sandbox.ws_public_url) as socket:
            began = loop.time()
            assert (await say(socket, {"op": "ping"}))["ret_msg"] == "pong"
        assert loop.time() - began >= 0.3


async def test_a_client_that_breaks_off_with_its_ping_is_no_fault(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """What pinged is gone before it is answered, as after a `kill -9`."""
    url = urlsplit(client.sandbox.ws_public_url)
    ping_and_break_off(await dialled(url.hostname or "", url.port or 0, url.path))
    while (await client.truth())["sockets"]:
        await asyncio.sleep(0.01)
    assert (await client.truth())["connects"] == {"linear": 1}
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_client_that_breaks_off_with_its_handshake_is_no_fault(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """It is gone before it is answered; whoever comes next is served."""
    url = urlsplit(client.sandbox.ws_public_url)
    for _ in range(20):
        await ask_and_break_off(url.hostname or "", url.port or 0, url.path)
    socket = await client.socket(client.sandbox.ws_public_url)
    assert (await say(socket, {"op": "ping"}))["ret_msg"] == "pong"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
