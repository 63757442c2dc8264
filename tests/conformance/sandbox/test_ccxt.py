"""ccxt, async and pro, unmodified but for its addresses, on the sandbox."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.ccxt_errors import errors
from tests.support.sandbox_process import Running

# ccxt asks aiohttp to do what Python does by itself from 3.13 on.
pytestmark = pytest.mark.filterwarnings("ignore:enable_cleanup_closed ignored:DeprecationWarning")

BTC, ETH, SPOT = "BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USDT"


@pytest.fixture
async def exchange(sandbox: Running) -> AsyncIterator[Any]:
    """ccxt.pro's bybit (its REST half is ccxt's async one); leaves the account flat and without orders."""
    pro = importlib.import_module("ccxt.pro")  # here: it reads every exchange, and who runs other tests waits for none
    exchange = pro.bybit(
        {
            "apiKey": sandbox.key,
            "secret": sandbox.secret,
            "enableRateLimit": False,
            "options": {"defaultType": "swap"},
        }
    )
    exchange.urls["api"].update(public=sandbox.rest_url, private=sandbox.rest_url)
    streams = exchange.urls["api"]["ws"]
    streams["public"] = {"linear": sandbox.ws_public_url, "spot": sandbox.ws_spot_url}
    streams["private"]["contract"] = sandbox.ws_private_url
    yield exchange
    await exchange.cancel_all_orders()
    for held in await exchange.fetch_positions():
        side = "sell" if held["side"] == "long" else "buy"
        await exchange.create_order(held["symbol"], "market", side, held["contracts"], params={"reduceOnly": True})
    await exchange.close()


async def last(exchange: Any, symbol: str = BTC) -> float:
    """Return the last price."""
    price: float = (await exchange.fetch_ticker(symbol))["last"]
    return price


# --------------------------------------------------------------------------------------------------------------- REST
async def test_markets_are_parsed_with_their_limits(exchange: Any) -> None:
    """Perpetuals and spot side by side, and currencies behind a signature."""
    markets = await exchange.load_markets()
    assert {BTC, ETH, "XRP/USDT:USDT", SPOT} == set(markets)
    btc = markets[BTC]
    assert (btc["swap"], btc["linear"], btc["settle"], btc["active"], btc["contractSize"]) == (
        True,
        True,
        "USDT",
        True,
        1,
    )
    assert (btc["precision"]["price"], btc["precision"]["amount"]) == (0.1, 0.001)
    assert (btc["limits"]["amount"]["min"], btc["limits"]["cost"]["min"]) == (0.001, 5)
    assert markets[SPOT]["limits"]["cost"]["min"] == 5
    assert {"BTC", "USDT"} <= set(await exchange.fetch_currencies())


async def test_market_data_is_parsed(exchange: Any) -> None:
    """Ticker, candles, trades and book of one market."""
    ticker = await exchange.fetch_ticker(BTC)
    assert ticker["bid"] < ticker["ask"]
    candles = await exchange.fetch_ohlcv(BTC, "1m", limit=30)
    assert len(candles) == 30
    assert [row[0] for row in candles] == list(range(candles[0][0], candles[0][0] + 30 * 60_000, 60_000))
    assert all(row[3] <= min(row[1], row[4]) and max(row[1], row[4]) <= row[2] for row in candles)
    assert len(await exchange.fetch_ohlcv(SPOT, "5m", limit=10)) == 10
    trades = await exchange.fetch_trades(BTC, limit=50)
    assert [trade["timestamp"] for trade in trades] == sorted(trade["timestamp"] for trade in trades)
    book = await exchange.fetch_order_book(BTC)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert set(await exchange.fetch_tickers()) == {BTC, ETH, "XRP/USDT:USDT"}
    assert abs(await exchange.fetch_time() - exchange.milliseconds()) < 5_000


async def test_a_market_order_with_a_stop_is_seen_from_every_side(exchange: Any) -> None:
    """Order, trades, position, balance and the stop that rests at the venue."""
    stop = exchange.price_to_precision(BTC, await last(exchange) / 2)
    before = (await exchange.fetch_balance())["USDT"]["total"]
    params = {"clientOrderId": "kbccxt1", "stopLoss": {"triggerPrice": stop}}
    placed = await exchange.create_order(BTC, "market", "buy", 0.02, params=params)
    order = await exchange.fetch_order(placed["id"], BTC, {"acknowledged": True})
    assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 0.02, "kbccxt1")
    trades = await exchange.fetch_my_trades(BTC, params={"orderLinkId": "kbccxt1"})
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.02)
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}
    (held,) = await exchange.fetch_positions()
    assert (held["symbol"], held["side"], held["contracts"], held["leverage"]) == (BTC, "long", 0.02, 10)
    assert held["entryPrice"] == pytest.approx(order["average"])
    assert held["stopLossPrice"] == float(stop)
    fees = sum(trade["fee"]["cost"] for trade in trades)
    assert (await exchange.fetch_balance())["USDT"]["total"] == pytest.approx(before - fees)
    (resting,) = await exchange.fetch_open_orders(BTC)
    assert (resting["side"], resting["reduceOnly"], resting["triggerPrice"]) == ("sell", True, float(stop))
    closed = await exchange.fetch_closed_orders(BTC, limit=1)
    assert closed[0]["id"] == placed["id"]


async def test_limit_orders_are_edited_and_cancelled(exchange: Any) -> None:
    """Resting, post-only, immediate; and what ccxt makes of the refusals."""
    price = await last(exchange) // 2
    placed = await exchange.create_order(BTC, "limit", "buy", 0.01, price, {"postOnly": True})
    assert (await exchange.fetch_open_order(placed["id"], BTC))["price"] == price
    await exchange.edit_order(placed["id"], BTC, "limit", "buy", 0.02, price + 1)
    edited = await exchange.fetch_open_order(placed["id"], BTC)
    assert (edited["amount"], edited["price"]) == (0.02, price + 1)
    await exchange.cancel_order(placed["id"], BTC)
    with pytest.raises(errors.OrderNotFound):
        await exchange.cancel_order(placed["id"], BTC)
    immediate = await exchange.create_order(BTC, "limit", "buy", 0.01, price, {"timeInForce": "IOC"})
    order = await exchange.fetch_order(immediate["id"], BTC, {"acknowledged": True})
    assert (order["status"], order["filled"]) == ("canceled", 0)


async def test_refusals_reach_ccxts_classes(exchange: Any) -> None:
    """By the venue's codes."""
    await exchange.load_markets()
    with pytest.raises(errors.InvalidOrder, match="110017"):
        await exchange.create_order(BTC, "market", "sell", 0.01, params={"reduceOnly": True})
    largest = exchange.market(ETH)["limits"]["amount"]["max"]
    await exchange.set_leverage(1, ETH)
    with pytest.raises(errors.InsufficientFunds, match="110007"):
        await exchange.create_order(ETH, "market", "buy", largest)
    await exchange.set_leverage(10, ETH)
    with pytest.raises(errors.BadRequest, match="110043"):
        await exchange.set_leverage(10, ETH)
    await exchange.create_order(BTC, "market", "buy", 0.01, params={"clientOrderId": "kbccxt2"})
    with pytest.raises(errors.InvalidOrder, match="110072"):
        await exchange.create_order(BTC, "market", "buy", 0.01, params={"clientOrderId": "kbccxt2"})
    with pytest.raises(errors.InvalidOrder, match="110094"):
        await exchange.create_order(BTC, "limit", "buy", 0.001, 100)
    with pytest.raises(errors.NoChange, match="110025"):
        await exchange.set_position_mode(hedged=False, symbol=BTC)


async def test_the_margin_mode_of_the_account_is_set_and_told(exchange: Any) -> None:
    """By ccxt's names for the modes; what it tells of them it has in Bybit's own."""
    for mode, told in (("isolated", "ISOLATED_MARGIN"), ("cross", "REGULAR_MARGIN")):
        await exchange.set_margin_mode(mode)
        assert (await exchange.private_get_v5_account_info())["result"]["marginMode"] == told


async def test_conditional_orders_and_position_stops(exchange: Any) -> None:
    """By create_order with a trigger, and by the trading-stop endpoint."""
    above = float(exchange.price_to_precision(BTC, await last(exchange) * 1.5))
    params = {"triggerPrice": above, "triggerDirection": "ascending"}
    placed = await exchange.create_order(BTC, "market", "buy", 0.01, params=params)
    (waiting,) = await exchange.fetch_open_orders(BTC, params={"trigger": True})
    assert (waiting["id"], waiting["triggerPrice"], waiting["info"]["orderStatus"]) == (
        placed["id"],
        above,
        "Untriggered",
    )
    await exchange.cancel_order(placed["id"], BTC)
    await exchange.create_order(BTC, "market", "sell", 0.01)
    await exchange.privatePostV5PositionTradingStop(
        {"category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0, "stopLoss": str(above)}
    )
    (held,) = await exchange.fetch_positions([BTC])
    assert (held["side"], held["stopLossPrice"]) == ("short", above)


async def test_a_spot_order_waits_for_its_price(exchange: Any) -> None:
    """By create_order with a trigger: edited, cancelled as what it is, and its coins are free meanwhile."""
    await exchange.create_order(SPOT, "market", "buy", 0.01, params={"clientOrderId": "kbccxtspot"})
    below = float(exchange.price_to_precision(SPOT, await last(exchange, SPOT) * 0.5))
    placed = await exchange.create_order(SPOT, "market", "sell", 0.009, params={"triggerPrice": below})
    (waiting,) = await exchange.fetch_open_orders(SPOT, params={"trigger": True})
    assert (waiting["id"], waiting["triggerPrice"], waiting["amount"]) == (placed["id"], below, 0.009)
    assert (waiting["info"]["orderStatus"], waiting["info"]["stopOrderType"]) == ("Untriggered", "Stop")
    await exchange.edit_order(placed["id"], SPOT, "market", "sell", 0.008, params={"triggerPrice": below - 1})
    (edited,) = await exchange.fetch_open_orders(SPOT, params={"trigger": True})
    assert (edited["triggerPrice"], edited["amount"]) == (below - 1, 0.008)
    await exchange.create_order(SPOT, "market", "sell", 0.009)
    with pytest.raises(errors.OrderNotFound):
        await exchange.cancel_order(placed["id"], SPOT)
    await exchange.cancel_order(placed["id"], SPOT, {"trigger": True})
    assert await exchange.fetch_open_orders(SPOT, params={"trigger": True}) == []


# ---------------------------------------------------------------------------------------------------------------- pro
async def test_the_public_streams_agree_with_rest(exchange: Any) -> None:
    """Ticker, top of the book, trades and candles by websocket."""
    ticker = await exchange.watch_ticker(BTC)
    bids = {ticker["bid"]}
    while len(bids) < 4:
        ticker = await exchange.watch_ticker(BTC)
        assert ticker["bid"] < ticker["ask"]
        bids.add(ticker["bid"])
    for _ in range(10):
        top = (await exchange.watch_bids_asks([BTC]))[BTC]
        assert top["bid"] < top["ask"]
    book = await exchange.watch_order_book(ETH, 1)
    assert (len(book["bids"]), len(book["asks"])) == (1, 1)
    trade = (await exchange.watch_trades(BTC))[-1]
    assert trade["id"] in {known["id"] for known in await exchange.fetch_trades(BTC, limit=1000)}
    candle = (await exchange.watch_ohlcv(BTC, "1m"))[-1]
    rest = {row[0]: row for row in await exchange.fetch_ohlcv(BTC, "1m", limit=3)}
    assert rest[candle[0]][1] == candle[1]
    assert (await exchange.watch_ticker(SPOT))["last"] > 0


async def test_the_private_streams_tell_what_happened(exchange: Any) -> None:
    """Orders, trades, positions and balance by websocket."""
    acknowledged = asyncio.Semaphore(0)
    exchange.handle_subscription_status = lambda *_: acknowledged.release()
    await exchange.watch_positions()  # the first answer is the snapshot by REST
    waits = [
        asyncio.ensure_future(call)
        for call in (
            exchange.watch_orders(BTC),
            exchange.watch_my_trades(BTC),
            exchange.watch_positions(),
            exchange.watch_balance(),
        )
    ]
    async with asyncio.timeout(120):
        for _ in waits:
            await acknowledged.acquire()
    placed = await exchange.create_order(BTC, "market", "buy", 0.01, params={"clientOrderId": "kbccxt3"})
    async with asyncio.timeout(120):
        orders, trades, positions, balance = await asyncio.gather(*waits)
    assert (orders[-1]["id"], orders[-1]["clientOrderId"], orders[-1]["status"]) == (
        placed["id"],
        "kbccxt3",
        "closed",
    )
    assert {trade["order"] for trade in trades} == {placed["id"]}
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.01)
    assert (positions[-1]["symbol"], positions[-1]["contracts"]) == (BTC, 0.01)
    coin = next(row for row in balance["info"][0]["coin"] if row["coin"] == "USDT")
    assert float(coin["walletBalance"]) == (await exchange.fetch_balance())["USDT"]["total"]


async def test_a_wrong_secret_is_refused_on_the_private_stream(exchange: Any) -> None:
    """The answer to `auth` says so."""
    await exchange.load_markets()
    await exchange.is_unified_enabled()
    right, exchange.secret = exchange.secret, "another"
    with pytest.raises(errors.ExchangeError):
        async with asyncio.timeout(120):
            await exchange.watch_orders(BTC)
    exchange.secret = right
