"""The control interface tells the truth."""

import aiohttp
import pytest

from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve
from tests.support.sandbox_client import Client


async def test_the_truth_counts_what_was_done(client: Client) -> None:
    """Orders, fills, positions, stops, connects and requests."""
    await client.buy("kbone")
    await client.buy("another")
    price = float(
        (await client.get("/v5/market/tickers", "category=linear&symbol=BTCUSDT"))["result"]["list"][0]["lastPrice"]
    )
    stop = str(int(price / 2))
    await client.post(
        "/v5/position/trading-stop",
        {"category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0, "stopLoss": stop},
    )
    await client.socket(client.sandbox.ws_public_url)
    truth = await client.truth()
    assert truth["orders"]["total"] == 2
    assert truth["orders"]["by_status"] == {"Filled": 2}
    assert (truth["orders"]["with_prefix"], truth["orders"]["by_venue"]) == (1, 1)
    assert (truth["fills"], truth["fills_with_prefix"]) == (2, 1)
    assert (truth["positions"], truth["stops"]) == ({"BTCUSDT": "0.02"}, {"BTCUSDT": stop})
    assert (truth["connects"], truth["sockets"]) == ({"linear": 1}, 1)
    assert truth["requests"]["POST /v5/order/create"] == 2
    assert float(truth["equity"]) < 100_000
    async with client.session.get(f"{client.sandbox.rest_url}/sandbox/orders") as answer:
        assert [row["orderLinkId"] for row in await answer.json()] == ["", "another", "kbone"]


async def test_an_order_can_be_made_by_hand(client: Client) -> None:
    """Without a signature and without a client id of ours."""
    url = f"{client.sandbox.rest_url}/sandbox/order"
    terms = {"category": "linear", "symbol": "ETHUSDT", "side": "Sell", "orderType": "Market", "qty": "0.1"}
    async with client.session.post(url, json=terms) as answer:
        assert answer.status == 200
    async with client.session.post(url, json={**terms, "qty": "0"}) as answer:
        assert (answer.status, (await answer.json())["retCode"]) == (400, 10001)
    truth = await client.truth()
    assert (truth["positions"], truth["orders"]["with_prefix"]) == ({"ETHUSDT": "-0.1"}, 0)


async def test_the_market_stands_still_or_jumps(client: Client) -> None:
    """Frozen prices do not move; a jump moves them at once."""
    base = client.sandbox.rest_url

    async def last() -> float:
        answer = await client.get("/v5/market/tickers", "category=linear&symbol=BTCUSDT")
        return float(answer["result"]["list"][0]["bid1Price"])

    async with client.session.post(f"{base}/sandbox/pause", json={"paused": True}) as answer:
        assert await answer.json() == {"paused": True}
    before = await last()
    async with client.session.post(f"{base}/sandbox/jump", json={"symbol": "BTCUSDT", "ratio": 0.9}) as answer:
        assert answer.status == 200
    assert await last() == before
    async with client.session.post(f"{base}/sandbox/pause", json={"paused": False}):
        pass
    socket = await client.socket(client.sandbox.ws_public_url, "orderbook.1.BTCUSDT")
    for _ in range(3):
        await socket.receive_json(timeout=60)
    assert await last() < before * 0.95
    for body in ({"symbol": "NOPEUSDT", "ratio": 0.9}, {"symbol": "BTCUSDT", "ratio": 0}):
        async with client.session.post(f"{base}/sandbox/jump", json=body) as answer:
            assert answer.status == 400


async def test_a_market_gets_other_rules(client: Client) -> None:
    """They are told, and what does not fit is refused; what was left out stays, and nonsense changes nothing."""
    url = f"{client.sandbox.rest_url}/sandbox/rules"
    async with client.session.post(url, json={"symbol": "ETHUSDT", "step": "0.5", "min_quantity": "0.5"}) as answer:
        assert answer.status == 200
    for body in ({"symbol": "NOPEUSDT", "step": "1"}, {"symbol": "ETHUSDT", "step": "0"}):
        async with client.session.post(url, json=body) as answer:
            assert answer.status == 400
    told = await client.get("/v5/market/instruments-info", "category=linear&symbol=ETHUSDT")
    (row,) = told["result"]["list"]
    assert (row["lotSizeFilter"]["qtyStep"], row["lotSizeFilter"]["minOrderQty"]) == ("0.5", "0.5")
    assert row["priceFilter"]["tickSize"] == "0.01"
    terms = {"category": "linear", "symbol": "ETHUSDT", "side": "Sell", "orderType": "Market"}
    for quantity, status in (("0.7", 400), ("1", 200)):
        order = terms | {"qty": quantity}
        async with client.session.post(f"{client.sandbox.rest_url}/sandbox/order", json=order) as answer:
            assert answer.status == status


@pytest.mark.parametrize("path", ["faults", "pause", "jump", "rules", "transfer", "order"])
async def test_nonsense_is_refused_in_words_and_changes_nothing(client: Client, path: str) -> None:
    """No JSON, JSON of another kind, and text that is none."""
    before = await client.truth()
    for body in (
        b"nonsense",
        b"7",
        b'{"paused": "perhaps", "symbol": 7, "amount": []}',
        b'{"paused": "\xff", "symbol": "\xff"}',
        b'{"qty": ' * 9999,
    ):
        async with client.session.post(f"{client.sandbox.rest_url}/sandbox/{path}", data=body) as answer:
            assert answer.status == 400, body
            assert await answer.text()
    after = await client.truth()
    assert [after[name] for name in ("paused", "orders", "wallet")] == [
        before[name] for name in ("paused", "orders", "wallet")
    ]


async def test_closing_is_quick_with_sockets_open_and_safe_to_repeat() -> None:
    """A restarted test does not wait for its clients."""
    sandbox = await serve(ServeOptions(symbols=("BTCUSDT",), spot_symbols=(), history_minutes=5))
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(sandbox.ws_public_url)
        await sandbox.aclose()
        await sandbox.aclose()
        assert (await socket.receive(timeout=60)).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE}
