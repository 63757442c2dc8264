"""Public frames: snapshots and the changes after them, and nothing that nobody listens to."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kangbot.model.data import Quote, Trade
from kangbot.model.orders import Side
from kangbot.sandbox.faults import Faults, MuteTopic
from kangbot.sandbox.hub import Hub
from kangbot.sandbox.publish_public import PublicPublisher
from kangbot.sandbox.rows_market import moving
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS
from tests.support.sandbox_bench import Heard, SandboxBench

D = Decimal
BOOK, TICKER, TRADES = "orderbook.1.BTCUSDT", "tickers.BTCUSDT", "publicTrade.BTCUSDT"


class Story:
    """A publisher in front of an exchange whose markets are moved by hand."""

    def __init__(self) -> None:
        self.bench = SandboxBench()
        self.hub = Hub()
        self.faults = Faults(lambda: 0.0)
        self.public = PublicPublisher(self.bench.exchange, self.hub, self.faults)
        self.prints = 0

    def listen(self, topic: str, stream: str = "linear") -> Heard:
        """Return a listener that has subscribed, and was greeted."""
        heard = Heard()
        self.hub.add(stream, topic, heard)
        self.public.greet(stream, topic, heard)
        return heard

    def quote(self, stream: str = "linear", **changes: Any) -> Quote:
        """Have the top of the book change, a tenth of a second later."""
        self.bench.now_ns += SECOND_NS // 10
        desk = self.bench.exchange.desk(stream, "BTCUSDT")
        quote = msgspec.structs.replace(desk.book.quote, at_ns=self.bench.now_ns, **changes)
        desk.quoted(quote)
        self.public.quote(quote)
        return quote

    def trade(self, *prices: str, stream: str = "linear") -> list[Trade]:
        """Have somebody buy at these prices, all in one moment."""
        self.bench.now_ns += SECOND_NS // 10
        desk, trades = self.bench.exchange.desk(stream, "BTCUSDT"), list[Trade]()
        for price in prices:
            self.prints += 1
            trade = Trade(
                market=desk.spec.market,
                trade_id=str(self.prints),
                side=Side.BUY,
                price=D(price),
                quantity=D("0.10"),
                at_ns=self.bench.now_ns,
            )
            desk.printed(trade)
            trades.append(trade)
        self.public.trades(trades)
        return trades


@pytest.fixture
def story() -> Story:
    """One in which nobody listens yet."""
    return Story()


def test_topics_are_those_of_the_streams_markets(story: Story) -> None:
    """A level, a period or a market that is not served is none."""
    known = {
        topic: (story.public.known("linear", topic), story.public.known("spot", topic))
        for topic in (
            "tickers.BTCUSDT",
            "tickers.ETHUSDT",
            "publicTrade.NOPEUSDT",
            "orderbook.1.BTCUSDT",
            "orderbook.50.BTCUSDT",
            "kline.D.ETHUSDT",
            "kline.7.BTCUSDT",
            "liquidation.BTCUSDT",
            "",
        )
    }
    assert list(known.values()) == [
        (True, True),
        (True, False),
        (False, False),
        (True, True),
        (False, False),
        (True, False),
        (False, False),
        (False, False),
        (False, False),
    ]


def test_a_book_begins_whole_and_goes_on_in_changes(story: Story) -> None:
    """A level that went has size 0; what did not change is not told, and each frame has the next number."""
    heard = story.listen(BOOK)
    quote = story.bench.exchange.desk("linear", "BTCUSDT").book.quote
    story.quote(bid_quantity=D("9.5"))
    story.quote(bid=quote.bid - 1, bid_quantity=D(2))
    story.quote()
    story.quote(ask_quantity=D(0))
    story.quote(ask_quantity=D(3))
    first, *deltas = heard.frames
    assert (first["type"], first["data"]["b"], first["data"]["a"]) == (
        "snapshot",
        [[f"{quote.bid:f}", f"{quote.bid_quantity:f}"]],
        [[f"{quote.ask:f}", f"{quote.ask_quantity:f}"]],
    )
    assert [frame["type"] for frame in deltas] == ["delta"] * 4
    bid, ask = f"{quote.bid:f}", f"{quote.ask:f}"
    assert [(frame["data"]["b"], frame["data"]["a"]) for frame in deltas] == [
        ([[bid, "9.5"]], []),
        ([[bid, "0"], [f"{quote.bid - 1:f}", "2"]], []),
        ([], [[ask, "0"]]),
        ([], [[ask, "3"]]),
    ]
    updates = [frame["data"]["u"] for frame in heard.frames]
    assert updates == list(range(updates[0], updates[0] + 5))


def test_a_book_that_was_quiet_is_sent_whole_again(story: Story) -> None:
    """After three seconds, as Bybit does with its first level."""
    heard = story.listen(BOOK)
    story.quote(bid_quantity=D(1))
    story.bench.now_ns += 3 * SECOND_NS
    story.quote(bid_quantity=D(2))
    assert [frame["type"] for frame in heard.frames] == ["snapshot", "delta", "snapshot"]


def test_a_second_listener_is_greeted_with_what_the_first_has(story: Story) -> None:
    """So that the changes after it fit both."""
    first = story.listen(BOOK)
    story.quote(bid_quantity=D(7))
    second = story.listen(BOOK)
    assert second.frames[0]["data"]["u"] == first.frames[-1]["data"]["u"]
    assert second.frames[0]["data"]["b"][0][1] == "7"


def merged(heard: Heard) -> dict[str, str]:
    """Return the ticker that a listener has by now."""
    row: dict[str, str] = {}
    for frame in heard.frames:
        row.update(frame["data"])
    return row


def test_what_was_not_told_yet_is_told_to_both(story: Story) -> None:
    """A greeting is what the first has, not what it would have next: it would never hear of the difference."""
    first = story.listen(TICKER)
    desk = story.bench.exchange.desk("linear", "BTCUSDT")
    desk.last = D(90_000)
    second = story.listen(TICKER)
    story.quote()
    assert merged(first) == merged(second)
    assert merged(first)["lastPrice"] == "90000"


def test_a_ticker_that_nobody_heard_for_a_while_begins_with_what_is_now(story: Story) -> None:
    """And not with what the last listener had."""
    heard = story.listen(TICKER)
    story.hub.remove("linear", TICKER, heard)
    story.trade("90000")
    assert story.listen(TICKER).frames[0]["data"]["lastPrice"] == "90000"


def test_a_contracts_ticker_goes_on_in_what_changed(story: Story) -> None:
    """And is silent where nothing did; the day's figures are renewed every few seconds only."""
    heard = story.listen(TICKER)
    story.quote()
    story.trade("96001")
    snapshot, delta = heard.frames
    assert snapshot["type"] == "snapshot"
    assert (delta["type"], delta["data"]["symbol"], delta["data"]["lastPrice"]) == ("delta", "BTCUSDT", "96001")
    assert "volume24h" not in delta["data"]
    story.bench.now_ns += 5 * SECOND_NS
    story.trade("96002")
    assert "volume24h" in heard.frames[-1]["data"]
    now = moving(story.bench.exchange.desk("linear", "BTCUSDT"))
    assert {name: merged(heard)[name] for name in now} == now


def test_a_pairs_ticker_is_always_whole_and_has_no_quotes(story: Story) -> None:
    """As Bybit's is: what moves in the book alone tells nothing there."""
    heard = story.listen(TICKER, "spot")
    story.quote("spot", bid_quantity=D(7))
    story.trade("96001", stream="spot")
    assert [frame["type"] for frame in heard.frames] == ["snapshot", "snapshot"]
    assert set(heard.frames[0]["data"]) == set(heard.frames[1]["data"])
    assert not [name for name in heard.frames[1]["data"] if name.startswith(("bid", "ask"))]


def test_trades_of_a_moment_share_a_frame_and_tell_their_direction(story: Story) -> None:
    """A trade at the price before it keeps the last direction."""
    heard = story.listen(TRADES)
    trades = story.trade("100", "101", "101", "101", "99", "99")
    (frame,) = heard.frames
    assert [row["L"] for row in frame["data"]] == [
        "ZeroPlusTick",
        "PlusTick",
        "ZeroPlusTick",
        "ZeroPlusTick",
        "MinusTick",
        "ZeroMinusTick",
    ]
    assert [row["i"] for row in frame["data"]] == [trade.trade_id for trade in trades]
    (row, *_) = frame["data"]
    assert (row["S"], row["p"], row["v"], row["s"]) == ("Buy", "100", "0.10", "BTCUSDT")
    assert row["T"] == frame["ts"] == trades[0].at_ns // 1_000_000


def test_an_open_candle_is_told_once_a_second_and_a_closed_one_when_it_is(story: Story) -> None:
    """Of every period that ended with the minute, and of no other."""
    minute, hour = story.listen("kline.1.BTCUSDT"), story.listen("kline.60.BTCUSDT")
    for _ in range(25):
        story.bench.now_ns += SECOND_NS // 10
        story.public.candles(story.bench.now_ns)
    assert [frame["data"][0]["confirm"] for frame in minute.frames] == [False] * 4  # the greeting, and three
    desk = story.bench.exchange.desk("linear", "BTCUSDT")
    end_ns = (story.bench.now_ns // MINUTE_NS + 1) * MINUTE_NS
    assert end_ns % (60 * MINUTE_NS)
    before = len(hour.frames)
    for candle in desk.klines.roll(end_ns):
        story.public.closed(candle)
    (row,) = minute.frames[-1]["data"]
    assert (row["confirm"], row["interval"], row["end"]) == (True, "1", end_ns // 1_000_000 - 1)
    assert row["start"] == (end_ns - MINUTE_NS) // 1_000_000
    assert len(hour.frames) == before
    end_ns = (end_ns // (60 * MINUTE_NS) + 1) * 60 * MINUTE_NS
    for candle in desk.klines.roll(end_ns):
        story.public.closed(candle)
    confirmed = [frame["data"][0] for frame in hour.frames if frame["data"][0]["confirm"]]
    assert [row["end"] for row in confirmed] == [end_ns // 1_000_000 - 1]


def test_nobody_who_listens_is_told_of_nothing(story: Story) -> None:
    """And who comes later begins whole again."""
    heard = story.listen(BOOK)
    story.hub.remove("linear", BOOK, heard)
    story.quote(bid_quantity=D(5))
    again = story.listen(BOOK)
    assert (len(heard.frames), again.frames[0]["type"]) == (1, "snapshot")
    assert again.frames[0]["data"]["b"][0][1] == "5"


def test_a_topic_that_is_muted_is_silent_and_then_whole(story: Story) -> None:
    """Its greeting does not come either; others go on."""
    other = story.listen(TRADES)
    heard = {topic: story.listen(topic) for topic in (BOOK, TICKER, "kline.1.BTCUSDT")}
    for topic in heard:
        story.faults.add(MuteTopic(topic=topic), story.bench.now_ns)
    story.quote(bid_quantity=D(5))
    story.trade("96001")
    story.bench.now_ns += SECOND_NS
    story.public.candles(story.bench.now_ns)
    assert [len(listener.frames) for listener in heard.values()] == [1, 1, 1]
    assert story.listen(BOOK).frames == []
    assert len(other.frames) == 1
    story.faults.clear()
    story.quote(bid_quantity=D(6))
    assert heard[BOOK].frames[-1]["type"] == heard[TICKER].frames[-1]["type"] == "snapshot"
