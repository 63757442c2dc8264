"""pybit's websockets, unmodified, on the sandbox's streams."""

import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pybit.unified_trading
import pytest
from pybit.unified_trading import HTTP, WebSocket

from tests.support.sandbox_process import Running

D = Decimal
Message = dict[str, Any]
Opener = Callable[..., WebSocket]


class Heard:
    """What a callback was told, from pybit's thread."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._some = threading.Condition()

    def __call__(self, message: Message) -> None:
        with self._some:
            self.messages.append(message)
            self._some.notify_all()

    def until(self, reached: Callable[[list[Message]], Any], timeout_s: float = 60) -> Any:
        """Wait until what was heard satisfies `reached`, and return what that returned."""
        with self._some:
            assert self._some.wait_for(lambda: reached(self.messages), timeout_s), self.messages[-3:]
            return reached(self.messages)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of every private message."""
        return [row for message in self.messages for row in message["data"]]


class Noted(dict[str, Any]):
    """What pybit notes of a subscription, in one thread, once it was sent: an answer may be quicker, in the other."""

    def __getitem__(self, name: str) -> Any:
        """Return what is noted of it, once it is."""
        deadline = time.monotonic() + 60
        while name not in self and time.monotonic() < deadline:
            time.sleep(0.001)
        return super().__getitem__(name)


@pytest.fixture
def connect(sandbox: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Open pybit's websockets at loopback: its templates of addresses are all that is changed."""
    base = sandbox.ws_private_url.removesuffix("/v5/private")
    monkeypatch.setattr(pybit.unified_trading, "PUBLIC_WSS", base + "/v5/public/{CHANNEL_TYPE}")
    monkeypatch.setattr(pybit.unified_trading, "PRIVATE_WSS", base + "/v5/private")
    opened: list[WebSocket] = []

    def connect(channel: str, **settings: Any) -> WebSocket:
        terms = {"testnet": False, "retries": 3, "restart_on_error": False, "ping_interval": 600, "ping_timeout": 1}
        opened.append(WebSocket(channel_type=channel, **terms, **settings))
        opened[-1].subscriptions, opened[-1].callback_directory = Noted(), Noted()
        return opened[-1]

    yield connect
    for socket in opened:
        socket.exit()
        socket.wst.join(timeout=60)


@pytest.fixture
def http(sandbox: Running) -> Iterator[HTTP]:
    """A signed session."""
    http = HTTP(api_key=sandbox.key, api_secret=sandbox.secret, max_retries=1)
    http.endpoint = sandbox.rest_url
    yield http
    http.client.close()


def test_the_ticker_begins_whole_and_goes_on_in_changes(connect: Opener) -> None:
    """Pybit merges the deltas; bid stays below ask throughout."""
    heard = Heard()
    connect("linear").ticker_stream(symbol="BTCUSDT", callback=lambda m: heard({**m, "data": dict(m["data"])}))
    heard.until(lambda messages: len(messages) >= 20)
    assert len({message["data"]["bid1Price"] for message in heard.messages}) > 5
    for message in heard.messages:
        assert D(message["data"]["bid1Price"]) < D(message["data"]["ask1Price"])
        assert message["data"]["fundingRate"] == "0.0001"


def test_the_book_is_merged_without_a_gap(connect: Opener) -> None:
    """One level a side after every message, bid below ask, update ids one after another."""
    heard = Heard()
    connect("linear").orderbook_stream(depth=1, symbol="BTCUSDT", callback=lambda m: heard(_copy(m)))
    heard.until(lambda messages: len(messages) >= 20)
    updates = [message["data"]["u"] for message in heard.messages]
    assert updates == list(range(updates[0], updates[0] + len(updates)))
    for message in heard.messages:
        ((bid, _),), ((ask, _),) = message["data"]["b"], message["data"]["a"]
        assert D(bid) < D(ask)


def _copy(message: Message) -> Message:
    """Return a copy: pybit goes on changing what it gave."""
    data = message["data"]
    return {**message, "data": {**data, "b": [list(row) for row in data["b"]], "a": [list(row) for row in data["a"]]}}


def test_trades_are_those_that_rest_tells(connect: Opener, http: HTTP) -> None:
    """Stream and tape agree on id, price, size and side."""
    heard = Heard()
    connect("linear").trade_stream(symbol="ETHUSDT", callback=heard)
    heard.until(lambda messages: len(messages) >= 5)
    tape = http.get_public_trade_history(category="linear", symbol="ETHUSDT", limit=1000)["result"]["list"]
    known = {row["execId"]: (row["price"], row["size"], row["side"]) for row in tape}
    for row in [row for message in heard.messages[:5] for row in message["data"]]:
        assert known[row["i"]] == (row["p"], row["v"], row["S"])


def test_the_open_candle_is_pushed_and_equals_rest(connect: Opener, http: HTTP) -> None:
    """Unconfirmed while it is open."""
    heard = Heard()
    connect("linear").kline_stream(interval=1, symbol="BTCUSDT", callback=heard)
    candle = heard.until(lambda messages: messages and messages[-1])["data"][0]
    assert candle["end"] - candle["start"] == 59_999
    rows = http.get_kline(category="linear", symbol="BTCUSDT", interval="1", limit=2)["result"]["list"]
    opens = {row[0]: row[1] for row in rows}
    assert opens[str(candle["start"])] == candle["open"]


def test_an_order_is_told_on_every_private_topic(connect: Opener, http: HTTP) -> None:
    """Order, execution, position and wallet; the stop of the position as an order of its own."""
    heard = {name: Heard() for name in ("order", "execution", "position", "wallet")}
    socket = connect("private", api_key=http.api_key, api_secret=http.api_secret, private_auth_expire=10)
    acknowledged = threading.Semaphore(0)
    socket._process_subscription_message = lambda _: acknowledged.release()  # which have no callback
    for name, callback in heard.items():
        getattr(socket, f"{name}_stream")(callback)
    assert all(acknowledged.acquire(timeout=120) for _ in heard)
    price = D(http.get_tickers(category="linear", symbol="BTCUSDT")["result"]["list"][0]["lastPrice"])
    terms = {"category": "linear", "symbol": "BTCUSDT", "orderType": "Market", "qty": "0.01"}
    http.place_order(**terms, side="Buy", orderLinkId="kbstream1", stopLoss=str(price // 2))
    heard["position"].until(lambda _: [row for row in heard["position"].rows() if row["size"] == "0.01"])
    heard["order"].until(lambda _: len(heard["order"].rows()) >= 2)
    http.place_order(**terms, side="Sell", reduceOnly=True, orderLinkId="kbstream2")
    flat = heard["position"].until(lambda _: [row for row in heard["position"].rows() if row["size"] == "0"])[-1]
    assert (flat["side"], flat["entryPrice"], flat["stopLoss"], flat["category"]) == ("", "0", "0", "linear")

    heard["order"].until(
        lambda _: {"Filled", "Untriggered", "Deactivated"} <= {row["orderStatus"] for row in heard["order"].rows()}
    )
    filled = {row["orderLinkId"]: row for row in heard["order"].rows() if row["orderStatus"] == "Filled"}
    assert {"kbstream1", "kbstream2"} <= set(filled)
    stop = next(row for row in heard["order"].rows() if row["orderStatus"] == "Deactivated")
    assert (stop["stopOrderType"], stop["cancelType"], stop["orderLinkId"]) == ("StopLoss", "CancelByTpSlTsClear", "")

    fills = [row for row in heard["execution"].rows() if row["orderLinkId"].startswith("kbstream")]
    assert sum(D(row["execQty"]) for row in fills if row["side"] == "Buy") == D("0.01")
    assert sum(D(row["closedSize"]) for row in fills) == D("0.01")
    rest = http.get_executions(category="linear", symbol="BTCUSDT", limit=10)["result"]["list"]
    assert {row["execId"] for row in fills} <= {row["execId"] for row in rest}
    wallet = heard["wallet"].until(lambda messages: messages and messages[-1]["data"][0])
    assert wallet["accountType"] == "UNIFIED"
    assert wallet["coin"][0]["coin"] == "USDT"


def test_spot_has_a_stream_of_its_own(connect: Opener) -> None:
    """Its tickers are always whole."""
    heard = Heard()
    connect("spot").ticker_stream(symbol="BTCUSDT", callback=heard)
    heard.until(lambda messages: len(messages) >= 3)
    assert {message["type"] for message in heard.messages} == {"snapshot"}
    assert "bid1Price" not in heard.messages[0]["data"]
