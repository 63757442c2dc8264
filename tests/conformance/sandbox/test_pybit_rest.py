"""pybit, unmodified, asks the sandbox everything that the daemon will ask."""

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pybit
import pytest
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from tests.support.sandbox_process import Running

D = Decimal
BTC = {"category": "linear", "symbol": "BTCUSDT"}
ETH = {"category": "linear", "symbol": "ETHUSDT"}
Rows = list[dict[str, Any]]


def session(sandbox: Running, **changes: Any) -> HTTP:
    """Return pybit's client, pointed at loopback."""
    settings: dict[str, Any] = {"api_key": sandbox.key, "api_secret": sandbox.secret, "max_retries": 1, **changes}
    http = HTTP(**settings)
    http.endpoint = sandbox.rest_url
    return http


@pytest.fixture
def http(sandbox: Running) -> Iterator[HTTP]:
    """A signed session that leaves the account flat and without orders."""
    http = session(sandbox)
    eventually(lambda: offers_both_sides(http))  # the test before may have taken all there was until the next frame
    yield http
    http.cancel_all_orders(category="linear", settleCoin="USDT")
    eventually(lambda: flat(http))
    http.client.close()


@pytest.fixture
def refused(http: HTTP) -> Callable[..., str]:
    """Return the code with which a call is refused."""

    def call(method: Callable[..., Any], **arguments: Any) -> str:
        with pytest.raises(InvalidRequestError) as refusal:
            method(**arguments)
        return str(refusal.value.status_code)

    return call


def last(http: HTTP, symbol: str = "BTCUSDT") -> Decimal:
    """Return the last price."""
    return D(http.get_tickers(category="linear", symbol=symbol)["result"]["list"][0]["lastPrice"])


def order(http: HTTP, order_id: str) -> dict[str, Any]:
    """Return one order, open or ended."""
    rows: Rows = http.get_open_orders(**BTC, orderId=order_id)["result"]["list"]
    return rows[0]


def position(http: HTTP, symbol: str = "BTCUSDT") -> dict[str, Any]:
    """Return one position."""
    rows: Rows = http.get_positions(category="linear", symbol=symbol)["result"]["list"]
    return rows[0]


def offers_both_sides(http: HTTP) -> bool:
    """Whether a taker of a small quantity would fill."""
    book = http.get_orderbook(**BTC, limit=10)["result"]
    return all(len(book[side]) > 1 for side in ("a", "b"))


def flat(http: HTTP) -> bool:
    """Close what is open; whether nothing is left."""
    for row in http.get_positions(category="linear", settleCoin="USDT")["result"]["list"]:
        side = "Sell" if row["side"] == "Buy" else "Buy"
        terms = {"category": "linear", "symbol": row["symbol"], "orderType": "Market", "qty": row["size"]}
        http.place_order(**terms, side=side, reduceOnly=True)
    return not http.get_positions(category="linear", settleCoin="USDT")["result"]["list"]


def usdt(wallet: dict[str, Any]) -> Decimal:
    """Return the cash of the account."""
    return next(D(row["walletBalance"]) for row in wallet["coin"] if row["coin"] == "USDT")


def eventually(reached: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + timeout_s
    while not reached():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


# ------------------------------------------------------------------------------------------------------------- public
def test_the_clock_is_told_in_seconds_and_nanoseconds(http: HTTP) -> None:
    """Both name the same instant."""
    result = http.get_server_time()["result"]
    assert int(result["timeNano"]) // 10**9 == int(result["timeSecond"])


def test_instruments_carry_the_filters_that_orders_must_satisfy(http: HTTP) -> None:
    """Tick, step, smallest quantity and smallest value."""
    rows: Rows = http.get_instruments_info(category="linear")["result"]["list"]
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT", "XRPUSDT"]
    btc = rows[0]
    assert (btc["contractType"], btc["status"], btc["settleCoin"]) == ("LinearPerpetual", "Trading", "USDT")
    assert (btc["priceFilter"]["tickSize"], btc["lotSizeFilter"]["qtyStep"]) == ("0.10", "0.001")
    assert btc["lotSizeFilter"]["minNotionalValue"] == "5"
    assert http.get_instruments_info(category="spot")["result"]["list"][0]["lotSizeFilter"]["minOrderAmt"] == "5"
    assert http.get_instruments_info(category="inverse")["result"]["list"] == []


def test_candles_come_newest_first_without_a_gap(http: HTTP) -> None:
    """The open candle leads; each opens where the one before it closed."""
    rows: Rows = http.get_kline(**BTC, interval="1", limit=50)["result"]["list"]
    assert len(rows) == 50
    for newer, older in pairwise(rows):
        assert int(newer[0]) - int(older[0]) == 60_000  # type: ignore[index]
        assert newer[1] == older[4]  # type: ignore[index]
    five: Rows = http.get_kline(**BTC, interval="5", limit=3)["result"]["list"]
    assert all(int(row[0]) % 300_000 == 0 for row in five)  # type: ignore[index]


def test_candles_can_be_asked_for_by_time(http: HTTP) -> None:
    """From a start on, the oldest first kept."""
    rows = http.get_kline(**BTC, interval="1", limit=10)["result"]["list"]
    start = int(rows[-1][0])
    again = http.get_kline(**BTC, interval="1", start=start, end=start + 60_000)["result"]["list"]
    assert [row[0] for row in again] == [rows[-2][0], rows[-1][0]]
    assert again == rows[-2:]


def test_recent_trades_the_book_and_the_ticker_agree(http: HTTP) -> None:
    """One market, three views."""
    trades = http.get_public_trade_history(**BTC, limit=100)["result"]["list"]
    assert len({trade["execId"] for trade in trades}) == len(trades) == 100
    assert [int(trade["time"]) for trade in trades] == sorted((int(trade["time"]) for trade in trades), reverse=True)
    book = http.get_orderbook(**BTC, limit=5)["result"]
    bids, asks = ([D(level[0]) for level in book[side]] for side in ("b", "a"))
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    ticker = http.get_tickers(**BTC)["result"]["list"][0]
    assert D(ticker["bid1Price"]) < D(ticker["ask1Price"])
    assert D(ticker["lowPrice24h"]) <= D(ticker["lastPrice"]) <= D(ticker["highPrice24h"])
    assert len(http.get_tickers(category="linear")["result"]["list"]) == 3


def test_what_is_not_served_is_refused(http: HTTP, refused: Callable[..., str]) -> None:
    """An unknown symbol, an unknown interval, an unknown path."""
    assert refused(http.get_tickers, category="linear", symbol="NOPEUSDT") == "10001"
    assert refused(http.get_kline, **BTC, interval="7") == "10001"
    with pytest.raises(FailedRequestError):
        http.get_insurance()


# ------------------------------------------------------------------------------------------------------------ signing
@pytest.mark.parametrize(("changes", "code"), [({"api_key": "another"}, 10003), ({"api_secret": "another"}, 10004)])
def test_a_foreign_key_and_a_wrong_secret_have_their_codes(
    sandbox: Running, changes: dict[str, str], code: int
) -> None:
    """10003 and 10004."""
    http = session(sandbox, **changes)
    with pytest.raises(InvalidRequestError) as refusal:
        http.get_wallet_balance(accountType="UNIFIED")
    http.client.close()
    assert refusal.value.status_code == code


@pytest.mark.parametrize("skew_ms", [-60_000, 5_000])
def test_a_request_outside_its_window_is_refused(
    sandbox: Running, monkeypatch: pytest.MonkeyPatch, skew_ms: int
) -> None:
    """10002 for a client whose clock is wrong, late or early."""
    monkeypatch.setattr(pybit._helpers, "generate_timestamp", lambda: int(time.time() * 1000) + skew_ms)
    http = session(sandbox, retry_codes={1})
    with pytest.raises(InvalidRequestError) as refusal:
        http.get_wallet_balance(accountType="UNIFIED")
    http.client.close()
    assert refusal.value.status_code == 10002
    assert "recv_window[5000]" in refusal.value.message


def test_the_budget_of_requests_is_told_with_every_signed_answer(sandbox: Running) -> None:
    """Limit, what is left of it, and when it is renewed."""
    http = session(sandbox, return_response_headers=True)
    _, _, headers = http.get_wallet_balance(accountType="UNIFIED")
    http.client.close()
    assert headers["X-Bapi-Limit"] == "50"
    assert 0 <= int(headers["X-Bapi-Limit-Status"]) < 50
    assert int(headers["X-Bapi-Limit-Reset-Timestamp"]) > 1_600_000_000_000


# ------------------------------------------------------------------------------------------------------------- orders
def test_a_market_order_fills_and_is_found_everywhere(http: HTTP) -> None:
    """Acknowledged by id; then in orders, history, executions, the position and the wallet."""
    wallet = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]
    placed = http.place_order(**BTC, side="Buy", orderType="Market", qty="0.01", orderLinkId="kbpybit1")["result"]
    assert placed["orderLinkId"] == "kbpybit1"
    row = order(http, placed["orderId"])
    assert (row["orderStatus"], row["cumExecQty"], row["orderLinkId"]) == ("Filled", "0.01", "kbpybit1")
    history = http.get_order_history(category="linear", orderLinkId="kbpybit1")["result"]["list"]
    assert [found["orderId"] for found in history] == [placed["orderId"]]
    fills: Rows = http.get_executions(category="linear", orderId=placed["orderId"])["result"]["list"]
    assert sum(D(fill["execQty"]) for fill in fills) == D("0.01")
    assert all(D(fill["execFee"]) == D(fill["execValue"]) * D("0.00055") for fill in fills)
    held = position(http)
    assert (held["side"], held["size"]) == ("Buy", "0.01")
    assert D(held["avgPrice"]) == D(row["avgPrice"])
    after = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]
    paid = sum(D(fill["execFee"]) for fill in fills)
    assert usdt(wallet) - usdt(after) == paid
    assert D(after["totalAvailableBalance"]) < D(wallet["totalAvailableBalance"])


def test_a_limit_order_rests_is_amended_and_cancelled(http: HTTP, refused: Callable[..., str]) -> None:
    """By client id throughout; the second cancellation comes too late."""
    price = str(last(http) // 2)
    http.place_order(**BTC, side="Buy", orderType="Limit", qty="0.01", price=price, orderLinkId="kbpybit2")
    row = http.get_open_orders(**BTC, orderLinkId="kbpybit2")["result"]["list"][0]
    assert (row["orderStatus"], row["timeInForce"], row["leavesQty"]) == ("New", "GTC", "0.01")
    http.amend_order(**BTC, orderLinkId="kbpybit2", qty="0.02", price=str(D(price) + 1))
    row = http.get_open_orders(**BTC, orderLinkId="kbpybit2")["result"]["list"][0]
    assert (row["qty"], D(row["price"])) == ("0.02", D(price) + 1)
    assert refused(http.amend_order, **BTC, orderLinkId="kbpybit2", qty="0.02") == "10001"
    http.cancel_order(**BTC, orderLinkId="kbpybit2")
    row = http.get_order_history(category="linear", orderLinkId="kbpybit2")["result"]["list"][0]
    assert (row["orderStatus"], row["cancelType"]) == ("Cancelled", "CancelByUser")
    assert refused(http.cancel_order, **BTC, orderLinkId="kbpybit2") == "110001"
    assert refused(http.cancel_order, **BTC, orderId="unknown") == "110001"


def test_a_client_id_is_taken_once_for_ever(http: HTTP, sandbox: Running, refused: Callable[..., str]) -> None:
    """110072, and the venue counts the attempt."""
    before = sandbox.truth()["duplicates"]["refused"]
    terms = {**BTC, "side": "Buy", "orderType": "Market", "qty": "0.01", "orderLinkId": "kbpybit3"}
    http.place_order(**terms)
    assert refused(http.place_order, **terms) == "110072"
    assert sandbox.truth()["duplicates"] == {"refused": before + 1, "accepted": 0}


def test_post_only_and_immediate_orders_end_as_the_venue_ends_them(http: HTTP) -> None:
    """The acknowledgement says nothing of it; the order's state does."""
    through = str(last(http) * 2 // 1)
    placed = http.place_order(**BTC, side="Buy", orderType="Limit", qty="0.01", price=through, timeInForce="PostOnly")
    row = order(http, placed["result"]["orderId"])
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")
    away = str(last(http) // 2)
    placed = http.place_order(**BTC, side="Buy", orderType="Limit", qty="0.01", price=away, timeInForce="IOC")
    row = order(http, placed["result"]["orderId"])
    assert (row["orderStatus"], row["cumExecQty"], row["leavesQty"]) == ("Cancelled", "0", "0")


def test_a_market_order_beyond_the_book_fills_in_part(http: HTTP) -> None:
    """Several executions, and the remainder is cancelled."""
    quantity = D(http.get_instruments_info(**BTC)["result"]["list"][0]["lotSizeFilter"]["maxOrderQty"])
    placed = http.place_order(**BTC, side="Sell", orderType="Market", qty=str(quantity))["result"]
    row = order(http, placed["orderId"])
    assert row["orderStatus"] == "Cancelled"
    assert 0 < D(row["cumExecQty"]) < quantity
    fills = http.get_executions(category="linear", orderId=placed["orderId"])["result"]["list"]
    assert len(fills) > 1


def test_reduce_only_closes_and_never_turns(http: HTTP, refused: Callable[..., str]) -> None:
    """Cut to the position; refused when there is none or on its side."""
    terms = {**BTC, "orderType": "Market", "reduceOnly": True}
    assert refused(http.place_order, **terms, side="Sell", qty="0.01") == "110017"
    http.place_order(**BTC, side="Buy", orderType="Market", qty="0.01")
    assert refused(http.place_order, **terms, side="Buy", qty="0.01") == "110017"
    placed = http.place_order(**terms, side="Sell", qty="0.05")["result"]
    assert order(http, placed["orderId"])["cumExecQty"] == "0.01"
    assert (position(http)["side"], position(http)["size"]) == ("", "0")


def test_filters_and_balance_have_the_venues_codes(http: HTTP, refused: Callable[..., str]) -> None:
    """Quantity, price, value and margin."""
    terms = {**BTC, "side": "Buy", "orderType": "Limit", "price": "50000"}
    assert refused(http.place_order, **terms, qty="0.0005") == "10001"
    assert refused(http.place_order, **terms, qty="100000") == "10001"
    assert refused(http.place_order, **{**terms, "price": "50000.05"}, qty="0.01") == "10001"
    assert refused(http.place_order, **{**terms, "price": "100"}, qty="0.001") == "110094"
    ticket = http.get_instruments_info(**ETH)["result"]["list"][0]["lotSizeFilter"]["maxOrderQty"]
    http.set_leverage(**ETH, buyLeverage="1", sellLeverage="1")
    assert refused(http.place_order, **ETH, side="Buy", orderType="Market", qty=ticket) == "110007"
    http.set_leverage(**ETH, buyLeverage="10", sellLeverage="10")
    assert refused(http.place_order, **{**terms, "side": "Long"}, qty="0.01") == "10001"
    assert refused(http.place_order, category="linear", symbol="BTCUSDT") == "10001"


# -------------------------------------------------------------------------------------------------- stops, conditional
def test_a_stop_that_comes_with_the_entry_rests_at_the_venue(http: HTTP) -> None:
    """On the position, and as an order of the venue's own."""
    stop = str(last(http) // 2)
    http.place_order(**BTC, side="Buy", orderType="Market", qty="0.01", stopLoss=stop)
    assert D(position(http)["stopLoss"]) == D(stop)
    rows = http.get_open_orders(category="linear", symbol="BTCUSDT")["result"]["list"]
    (row,) = rows
    assert (row["stopOrderType"], row["orderStatus"], row["createType"]) == (
        "StopLoss",
        "Untriggered",
        "CreateByStopLoss",
    )
    assert (row["side"], row["qty"], row["reduceOnly"], row["closeOnTrigger"]) == ("Sell", "0.01", True, True)


def test_trading_stop_sets_moves_and_removes(http: HTTP, refused: Callable[..., str]) -> None:
    """Its refusals are those of the venue."""
    full = {**BTC, "tpslMode": "Full", "positionIdx": 0}
    assert refused(http.set_trading_stop, **full, stopLoss="100") == "10001"
    http.place_order(**BTC, side="Buy", orderType="Market", qty="0.01")
    low, high = last(http) // 2, last(http) * 2 // 1
    http.set_trading_stop(**full, stopLoss=str(low), takeProfit=str(high))
    assert (D(position(http)["stopLoss"]), D(position(http)["takeProfit"])) == (low, high)
    assert refused(http.set_trading_stop, **full, stopLoss=str(low)) == "34040"
    assert refused(http.set_trading_stop, **full, stopLoss=str(high)) == "10001"
    http.set_trading_stop(**full, stopLoss=str(low + 1))
    assert (D(position(http)["stopLoss"]), D(position(http)["takeProfit"])) == (low + 1, high)
    http.set_trading_stop(**full, stopLoss="0", takeProfit="0")
    assert (position(http)["stopLoss"], position(http)["takeProfit"]) == ("", "")
    assert http.get_open_orders(category="linear", symbol="BTCUSDT")["result"]["list"] == []


def test_a_stop_triggers_and_its_fill_says_so(http: HTTP, sandbox: Running) -> None:
    """The market falls through it, and the position is closed by the venue."""
    http.place_order(**BTC, side="Buy", orderType="Market", qty="0.01")
    http.set_trading_stop(**BTC, tpslMode="Full", positionIdx=0, stopLoss=str(last(http) * D("0.99") // 1))
    sandbox.control("POST", "jump", {"symbol": "BTCUSDT", "ratio": 0.98})
    eventually(lambda: position(http)["size"] == "0")
    rows = http.get_executions(**BTC, limit=1)["result"]["list"]
    assert (rows[0]["stopOrderType"], rows[0]["createType"], rows[0]["closedSize"]) == (
        "StopLoss",
        "CreateByStopLoss",
        "0.01",
    )
    assert rows[0]["orderLinkId"] == ""


def test_a_conditional_order_waits_and_is_cancelled(http: HTTP, refused: Callable[..., str]) -> None:
    """Untriggered, then deactivated; a trigger that has been passed is refused by direction."""
    terms = {**BTC, "side": "Buy", "orderType": "Market", "qty": "0.01"}
    above, below = str(last(http) * 2 // 1), str(last(http) // 2)
    placed = http.place_order(**terms, triggerPrice=above, triggerDirection=1)["result"]
    row = order(http, placed["orderId"])
    assert (row["orderStatus"], row["stopOrderType"], row["triggerDirection"]) == ("Untriggered", "Stop", 1)
    listed = http.get_open_orders(category="linear", symbol="BTCUSDT", orderFilter="StopOrder")["result"]["list"]
    assert [found["orderId"] for found in listed] == [placed["orderId"]]
    assert http.get_open_orders(category="linear", symbol="BTCUSDT", orderFilter="Order")["result"]["list"] == []
    http.cancel_order(**BTC, orderId=placed["orderId"])
    assert order(http, placed["orderId"])["orderStatus"] == "Deactivated"
    assert refused(http.place_order, **terms, triggerPrice=below, triggerDirection=1) == "110092"
    assert refused(http.place_order, **terms, triggerPrice=above, triggerDirection=2) == "110093"


def test_cancel_all_takes_everything_or_what_is_chosen(http: HTTP) -> None:
    """Conditional orders too, unless the filter says otherwise."""
    away, above = str(last(http) // 2), str(last(http) * 2 // 1)
    http.place_order(**BTC, side="Buy", orderType="Limit", qty="0.01", price=away)
    http.place_order(**BTC, side="Buy", orderType="Market", qty="0.01", triggerPrice=above, triggerDirection=1)
    first = http.cancel_all_orders(**BTC, orderFilter="Order")["result"]["list"]
    second = http.cancel_all_orders(category="linear", settleCoin="USDT")["result"]["list"]
    assert (len(first), len(second)) == (1, 1)


# ------------------------------------------------------------------------------------------------------------ account
def test_leverage_and_position_mode_are_set_once(http: HTTP, refused: Callable[..., str]) -> None:
    """A repetition is no change, what is held keeps its mode, and in hedge mode no order in one-way mode is taken."""
    http.set_leverage(**ETH, buyLeverage="7", sellLeverage="7")
    assert position(http, "ETHUSDT")["leverage"] == "7"
    assert refused(http.set_leverage, **ETH, buyLeverage="7", sellLeverage="7") == "110043"
    assert refused(http.set_leverage, **ETH, buyLeverage="1000", sellLeverage="1000") == "110013"
    http.set_leverage(**ETH, buyLeverage="10", sellLeverage="10")
    assert refused(http.switch_position_mode, category="linear", coin="USDT", mode=0) == "110025"
    http.place_order(**BTC, side="Buy", orderType="Market", qty="0.001")
    assert refused(http.switch_position_mode, **BTC, mode=3) == "110024"
    http.switch_position_mode(category="linear", coin="USDT", mode=3)
    assert refused(http.place_order, **ETH, side="Buy", orderType="Market", qty="0.1", positionIdx=0) == "10001"
    http.place_order(**BTC, side="Sell", orderType="Market", qty="0.001", positionIdx=0)
    http.switch_position_mode(category="linear", coin="USDT", mode=0)
    assert refused(http.switch_position_mode, **ETH, mode=0) == "110025"


def test_pages_continue_where_the_last_one_ended(http: HTTP) -> None:
    """No row is missed and none comes twice."""
    for _ in range(5):
        http.place_order(**BTC, side="Buy", orderType="Market", qty="0.001")
    whole = http.get_executions(**BTC, limit=100)["result"]["list"]
    seen: list[str] = []
    cursor = ""
    while True:
        page = http.get_executions(**BTC, limit=2, **({"cursor": cursor} if cursor else {}))["result"]
        seen.extend(row["execId"] for row in page["list"])
        cursor = page["nextPageCursor"]
        if not cursor:
            break
    assert seen[: len(whole)] == [row["execId"] for row in whole]
    assert len(seen) == len(set(seen))


def test_the_account_is_a_unified_one_and_its_fees_are_told(http: HTTP) -> None:
    """What clients look at before they trade."""
    info = http.get_account_info()["result"]
    assert (info["unifiedMarginStatus"], info["marginMode"]) == (6, "REGULAR_MARGIN")
    rates = http.get_fee_rates(**BTC)["result"]["list"]
    assert (rates[0]["takerFeeRate"], rates[0]["makerFeeRate"]) == ("0.00055", "0.0002")
    key = http.get_api_key_information()["result"]
    assert (key["readOnly"], key["uta"]) == (0, 1)
    assert key["permissions"]["ContractTrade"] == ["Order", "Position"]


def test_the_margin_mode_is_one_for_the_account(http: HTTP, refused: Callable[..., str]) -> None:
    """Isolated, the account has no total of its own; in portfolio margin no contract has a leverage."""
    leverage = {**ETH, "buyLeverage": "7", "sellLeverage": "7"}
    try:
        assert http.set_margin_mode(setMarginMode="ISOLATED_MARGIN")["result"] == {"reasons": []}
        assert http.get_account_info()["result"]["marginMode"] == "ISOLATED_MARGIN"
        (wallet,) = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"]
        assert (wallet["totalAvailableBalance"], wallet["accountMMRate"]) == ("", "")
        assert D(wallet["coin"][0]["equity"]) > 0
        http.set_margin_mode(setMarginMode="PORTFOLIO_MARGIN")
        assert refused(http.set_leverage, **leverage) == "110038"
        assert refused(http.set_margin_mode, setMarginMode="MY_MARGIN") == "10001"
    finally:
        http.set_margin_mode(setMarginMode="REGULAR_MARGIN")
    (wallet,) = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"]
    assert D(wallet["totalAvailableBalance"]) > 0


def test_a_spot_order_waits_for_its_price_and_occupies_nothing(http: HTTP, refused: Callable[..., str]) -> None:
    """`StopOrder`; amended by its own id; cancelled only as what it is. The kind that occupies coins is not served."""
    spot = {"category": "spot", "symbol": "BTCUSDT"}
    http.place_order(**spot, side="Buy", orderType="Market", marketUnit="baseCoin", qty="0.01")
    price = D(http.get_tickers(**spot)["result"]["list"][0]["lastPrice"])
    sale = {**spot, "side": "Sell", "orderType": "Market", "qty": "0.009"}
    trigger = str((price / 2).quantize(D("0.1")))
    assert refused(http.place_order, **sale, triggerPrice=trigger) == "10001"
    assert refused(http.place_order, **sale, triggerPrice=trigger, orderFilter="tpslOrder") == "10001"
    http.place_order(**sale, triggerPrice=trigger, orderFilter="StopOrder", orderLinkId="waits")
    lower = str(D(trigger) - 1)
    http.amend_order(**spot, orderLinkId="waits", triggerPrice=lower, qty="0.008")
    row = http.get_open_orders(**spot, orderFilter="StopOrder")["result"]["list"][0]
    assert (row["orderStatus"], row["triggerPrice"], row["qty"]) == ("Untriggered", lower, "0.008")
    assert (row["stopOrderType"], row["triggerDirection"]) == ("Stop", 2)
    http.place_order(**sale)
    assert refused(http.cancel_order, **spot, orderLinkId="waits") == "170213"
    http.cancel_order(**spot, orderLinkId="waits", orderFilter="StopOrder")
    assert http.get_open_orders(**spot)["result"]["list"] == []


def test_spot_orders_exchange_coins(http: HTTP, refused: Callable[..., str]) -> None:
    """A market buy spends USDT unless told otherwise; what was bought can be sold, and no more."""
    spot = {"category": "spot", "symbol": "BTCUSDT"}

    def coins() -> Decimal:
        rows = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["coin"]
        return next((D(row["walletBalance"]) for row in rows if row["coin"] == "BTC"), D(0))

    held = coins()
    placed = http.place_order(**spot, side="Buy", orderType="Market", qty="1000")["result"]
    row = http.get_open_orders(**spot, orderId=placed["orderId"])["result"]["list"][0]
    assert row["orderStatus"] == "Filled"
    assert D(900) < D(row["cumExecValue"]) <= D(1000)
    assert coins() - held == D(row["cumExecQty"]) * D("0.999")
    assert refused(http.place_order, **spot, side="Sell", orderType="Market", qty="5") == "170131"
    whole = coins() // D("0.001") * D("0.001")
    http.place_order(**spot, side="Sell", orderType="Market", qty=str(whole))
    assert coins() < D("0.001")
    assert refused(http.cancel_order, **spot, orderId="unknown") == "170213"


# ---------------------------------------------------------------------------------------------------------- transfers
def moved(sandbox: Running, amount: str, kind: str = "") -> None:
    """Move money, as a person does between accounts, or as Bybit does under a word of its own."""
    body = json.dumps({"amount": amount, "kind": kind}).encode()
    with urlopen(Request(f"{sandbox.rest_url}/sandbox/transfer", data=body, method="POST")) as answer:
        assert D(json.load(answer)["amount"]) == D(amount)


def test_what_is_moved_is_in_the_wallet_and_in_the_transaction_log(sandbox: Running, http: HTTP) -> None:
    """By its type alone, newest first, and page by page; the log goes back for a day, or for seven as it is asked."""
    wallet = usdt(http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0])
    for amount in ("250.5", "100", "-70"):
        moved(sandbox, amount)
        time.sleep(0.002)
    after = usdt(http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0])
    assert round(after - wallet, 8) == D("280.5")
    rows: Rows = http.get_transaction_log(accountType="UNIFIED", type="TRANSFER_IN")["result"]["list"]
    assert [(row["type"], row["currency"], D(row["change"])) for row in rows[:2]] == [
        ("TRANSFER_IN", "USDT", D(100)),
        ("TRANSFER_IN", "USDT", D("250.5")),
    ]
    first = http.get_transaction_log(accountType="UNIFIED", type="TRANSFER_IN", limit=1)["result"]
    assert [row["id"] for row in first["list"]] == [rows[0]["id"]]
    second = http.get_transaction_log(
        accountType="UNIFIED", type="TRANSFER_IN", limit=1, cursor=first["nextPageCursor"]
    )
    assert [row["id"] for row in second["result"]["list"]] == [rows[1]["id"]]
    out: Rows = http.get_transaction_log(accountType="UNIFIED", type="TRANSFER_OUT")["result"]["list"]
    assert D(out[0]["change"]) == -70
    assert out[0]["id"] not in {row["id"] for row in rows}
    now_ms = int(out[0]["transactionTime"])
    day_ms = 86_400_000
    older = http.get_transaction_log(accountType="UNIFIED", type="TRANSFER_OUT", startTime=now_ms - 3 * day_ms)
    assert older["result"]["list"] == []
    week = http.get_transaction_log(
        accountType="UNIFIED", type="TRANSFER_OUT", startTime=now_ms - 6 * day_ms, endTime=now_ms
    )
    assert D(week["result"]["list"][0]["change"]) == -70


def test_the_log_has_all_that_changed_the_wallet(sandbox: Running, http: HTTP) -> None:
    """Trades with their fees, either coin of a spot pair, what was given: whatever its type, page by page, once."""
    before = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]
    since_ms = int(http.get_server_time()["time"])
    placed = http.place_order(**BTC, side="Buy", orderType="Market", qty="0.01")["result"]["orderId"]
    http.place_order(**BTC, side="Sell", orderType="Market", qty="0.01", reduceOnly=True)
    spot = {"category": "spot", "symbol": "BTCUSDT"}
    bought = http.place_order(**spot, side="Buy", orderType="Market", qty="0.001", marketUnit="baseCoin")["result"]
    moved(sandbox, "12.5", "BONUS")
    after = http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]
    span: dict[str, Any] = {"accountType": "UNIFIED", "startTime": since_ms, "endTime": since_ms + 86_400_000}
    rows: Rows = []
    cursor = ""
    while page := http.get_transaction_log(**span, limit=3, cursor=cursor)["result"]:
        rows += page["list"]
        if not (cursor := page["nextPageCursor"]):
            break
    assert rows[0]["type"] == "BONUS"
    assert {row["type"] for row in rows} <= {"BONUS", "TRADE", "SETTLEMENT"}
    assert [row["transactionTime"] for row in rows] == sorted((row["transactionTime"] for row in rows), reverse=True)
    changes = sum(D(row["change"]) for row in rows if row["currency"] == "USDT")
    assert round(changes, 6) == round(usdt(after) - usdt(before), 6)
    linear = [row for row in rows if row["orderId"] == placed]
    assert {(row["category"], row["symbol"], row["side"]) for row in linear} == {("linear", "BTCUSDT", "Buy")}
    assert all(D(row["change"]) == -D(row["fee"]) < 0 for row in linear)
    assert {row["currency"] for row in rows if row["orderId"] == bought["orderId"]} == {"BTC", "USDT"}
    trades: Rows = http.get_transaction_log(**span, type="TRADE")["result"]["list"]
    assert {row["type"] for row in trades} == {"TRADE"}


def test_a_span_of_more_than_a_week_of_the_log_is_refused(http: HTTP, refused: Callable[..., str]) -> None:
    """And so is more than there is to take."""
    now_ms = int(time.time() * 1000)
    span = {"startTime": now_ms - 8 * 86_400_000, "endTime": now_ms}
    assert refused(http.get_transaction_log, accountType="UNIFIED", type="TRANSFER_IN", **span) == "10001"
    assert refused(http.get_transaction_log, accountType="UNIFIED", **span) == "10001"


def test_more_than_there_is_cannot_be_taken(sandbox: Running) -> None:
    """Nor nothing at all."""
    for amount in ("-1000000000", "0", "NaN"):
        with pytest.raises(HTTPError, match="400"):
            moved(sandbox, amount)
