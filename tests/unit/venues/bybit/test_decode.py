"""Bybit's public pushes: bytes in, our words out."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Side
from kangbot.ports import Channel, Data, Gap, Ignored, Message, Topic
from kangbot.venues.bybit.decode import Bars, TopOfBook, Trades, decoder_of
from kangbot.venues.bybit.intervals import STREAMED
from kangbot.venues.reading import UNREADABLE
from tests.support.bybit_frames import BOOK_SNAPSHOT, CLOSED_BAR, OPEN_BAR, TRADES

MARKET = MarketId("bybit:BTC-USDT:USDT")
Level = tuple[str, str]


def push(kind: str, update: int, bids: Sequence[Level], asks: Sequence[Level], at_ms: object = 1000) -> bytes:
    """Return a push of level 1 of the book."""
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": update, "seq": update}
    return msgspec.json.encode({"topic": "orderbook.1.BTCUSDT", "type": kind, "ts": at_ms, "data": data})


def quote(messages: Sequence[Message]) -> Quote | None:
    """Return the quote that was told; None where the topic lived without one."""
    (message,) = messages
    assert isinstance(message, Data)
    if not message.events:
        return None
    (event,) = message.events
    assert isinstance(event, Quote)
    return event


def book() -> TopOfBook:
    """Return a decoder without a snapshot."""
    return TopOfBook("orderbook.1.BTCUSDT", MARKET)


def bid_of(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the best bid and its quantity, as written."""
    told = quote(messages)
    assert told is not None
    return str(told.bid), str(told.bid_quantity)


# ------------------------------------------------------------------------------------------------------------- quotes
def test_a_snapshot_is_a_quote() -> None:
    """The documented frame, value by value."""
    assert quote(book().decode(BOOK_SNAPSHOT)) == Quote(
        market=MARKET,
        bid=Decimal("16493.50"),
        bid_quantity=Decimal("0.006"),
        ask=Decimal("16611.00"),
        ask_quantity=Decimal("0.029"),
        at_ns=1672304484978_000_000,
        sequence=18521288,
    )


def test_a_repeated_snapshot_renews_the_quotes_time() -> None:
    """After 3 s without a change Bybit says again what holds: the same update id, a new time."""
    top = book()
    first = quote(top.decode(push("snapshot", 7, [("10", "1")], [("11", "1")], 1000)))
    again = quote(top.decode(push("snapshot", 7, [("10", "1")], [("11", "1")], 4000)))
    assert first is not None
    assert again is not None
    assert again.sequence == first.sequence
    assert again.at_ns - first.at_ns == 3_000_000_000


def test_the_time_may_be_written_as_a_string() -> None:
    """The documentation shows both forms."""
    told = quote(book().decode(push("snapshot", 7, [("10", "1")], [("11", "1")], "1000")))
    assert told is not None
    assert told.at_ns == 1_000_000_000


def test_deltas_are_merged() -> None:
    """A quantity of 0 removes a level, another one sets it; the other side stays."""
    top = book()
    top.decode(push("snapshot", 1, [("10", "1")], [("11", "1")]))
    assert bid_of(top.decode(push("delta", 2, [("10", "4")], []))) == ("10", "4")
    assert bid_of(top.decode(push("delta", 3, [("10.5", "2")], []))) == ("10.5", "2")
    assert bid_of(top.decode(push("delta", 4, [("10.5", "0"), ("9", "0")], []))) == ("10", "4")
    told = quote(top.decode(push("delta", 5, [], [("10.9", "3")])))
    assert told is not None
    assert (str(told.ask), str(told.bid), told.sequence) == ("10.9", "10", 5)


def test_without_both_sides_there_is_no_quote_but_the_topic_lives() -> None:
    """An empty side is told as data without an event."""
    top = book()
    assert quote(top.decode(push("snapshot", 1, [("10", "1")], []))) is None
    assert bid_of(top.decode(push("delta", 2, [], [("11", "1")]))) == ("10", "1")


def test_a_delta_before_its_snapshot_is_ignored() -> None:
    """There is nothing yet to merge it into."""
    assert book().decode(push("delta", 2, [("10", "4")], [])) == (Ignored(kind="orderbook.delta_before_snapshot"),)


def test_an_old_delta_is_ignored() -> None:
    """Repeated or late, its content is in the book already."""
    top = book()
    top.decode(push("snapshot", 5, [("10", "1")], [("11", "1")]))
    assert top.decode(push("delta", 5, [("10", "9")], [])) == (Ignored(kind="orderbook.old_delta"),)
    assert bid_of(top.decode(push("delta", 6, [], []))) == ("10", "1")


@pytest.mark.parametrize("missing", [1, 2])
def test_a_hole_before_a_delta_is_told_and_the_book_forgotten(missing: int) -> None:
    """What was missed may have moved the top; the next snapshot begins again."""
    top = book()
    top.decode(push("snapshot", 5, [("10", "1")], [("11", "1")]))
    late = push("delta", 6 + missing, [("10", "9")], [])
    assert top.decode(late) == (Gap(native="orderbook.1.BTCUSDT", missing=missing),)
    assert top.decode(push("delta", 9, [], [])) == (Ignored(kind="orderbook.delta_before_snapshot"),)
    assert bid_of(top.decode(push("snapshot", 12, [("10", "3")], [("11", "1")]))) == ("10", "3")


def test_a_snapshot_after_a_restart_of_the_venue_begins_again() -> None:
    """Update ids start at 1 then."""
    top = book()
    top.decode(push("snapshot", 500, [("10", "1")], [("11", "1")]))
    assert bid_of(top.decode(push("snapshot", 1, [("8", "2")], [("9", "1")]))) == ("8", "2")


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([("12", "1")], [("11", "1")]),  # crossed
        ([("NaN", "1")], [("11", "1")]),
        ([("sNaN", "1")], []),
        ([("10", "Infinity")], [("11", "1")]),
        ([("10", "1"), ("-9", "1")], [("11", "1")]),
        ([("10", "-1")], [("11", "1")]),
        ([("0", "1")], [("11", "1")]),
        ([("10", "")], [("11", "1")]),
    ],
)
def test_a_book_that_makes_no_sense_is_unreadable_and_forgotten(bids: Sequence[Level], asks: Sequence[Level]) -> None:
    """Afterwards deltas wait for a snapshot: what was lost cannot be known."""
    top = book()
    top.decode(push("snapshot", 1, [("10", "1")], [("11", "1")]))
    for kind in ("delta", "snapshot"):
        with pytest.raises(UNREADABLE):
            top.decode(push(kind, 2, bids, asks))
        assert top.decode(push("delta", 3, [], [])) == (Ignored(kind="orderbook.delta_before_snapshot"),)
        assert bid_of(top.decode(push("snapshot", 1, [("10", "1")], [("11", "1")]))) == ("10", "1")


# ------------------------------------------------------------------------------------------------------------- trades
def test_a_trade_is_told_from_the_takers_side() -> None:
    """The documented frame, value by value."""
    assert Trades("publicTrade.BTCUSDT", MARKET).decode(TRADES) == (
        Data(
            native="publicTrade.BTCUSDT",
            events=[
                Trade(
                    market=MARKET,
                    trade_id="20f43950-d8dd-5b31-9112-a178eb6023af",
                    side=Side.BUY,
                    price=Decimal("16578.50"),
                    quantity=Decimal("0.001"),
                    at_ns=1672304486865_000_000,
                )
            ],
        ),
    )


def test_all_trades_of_a_frame_are_told_in_order() -> None:
    """A frame carries up to 1,024."""
    rows = [{"T": n, "S": "Sell", "v": "1", "p": str(n + 1), "i": str(n), "seq": 1} for n in range(1024)]
    frame = msgspec.json.encode({"topic": "publicTrade.BTCUSDT", "data": rows})
    (message,) = Trades("publicTrade.BTCUSDT", MARKET).decode(frame)
    assert isinstance(message, Data)
    trades = [event for event in message.events if isinstance(event, Trade)]
    assert [trade.trade_id for trade in trades] == [str(n) for n in range(1024)]
    assert all(trade.side is Side.SELL for trade in trades)


def test_a_block_trade_is_none_of_the_markets() -> None:
    """Its price was agreed on away from the book: no bar has it, and no stop on paper is triggered by it."""
    blocks = TRADES.replace(b'"BT":false', b'"BT":true').replace(b"16578.50", b"12000")
    assert Trades("publicTrade.BTCUSDT", MARKET).decode(blocks) == (Data(native="publicTrade.BTCUSDT", events=[]),)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"Buy"', b'"Hold"'),
        (b'"16578.50"', b'"0"'),
        (b'"0.001"', b'"0"'),
        (b'"16578.50"', b'"NaN"'),
        (b'"0.001"', b'"-0.001"'),
        (b'"T":1672304486865', b'"T":-5'),
        (b'"T":1672304486865', b'"T":99999999999999999999'),
        (b'"i":"20f43950-d8dd-5b31-9112-a178eb6023af",', b""),
    ],
)
def test_a_trade_that_makes_no_sense_is_unreadable(old: bytes, new: bytes) -> None:
    """No trade of price 0 or of nobody's side reaches a bar."""
    assert old in TRADES
    with pytest.raises(UNREADABLE):
        Trades("publicTrade.BTCUSDT", MARKET).decode(TRADES.replace(old, new))


# --------------------------------------------------------------------------------------------------------------- bars
def test_only_a_confirmed_bar_is_told() -> None:
    """The bar that is still open proves that the topic lives, no more."""
    bars = Bars("kline.5.BTCUSDT", MARKET)
    assert bars.decode(OPEN_BAR) == (Data(native="kline.5.BTCUSDT", events=[]),)
    assert bars.decode(CLOSED_BAR) == (
        Data(
            native="kline.5.BTCUSDT",
            events=[
                Bar(
                    market=MARKET,
                    timeframe_s=300,
                    open_ns=1672324800000_000_000,
                    open=Decimal("16649.5"),
                    high=Decimal(16677),
                    low=Decimal(16608),
                    close=Decimal(16677),
                    volume=Decimal("2.081"),
                )
            ],
        ),
    )


@pytest.mark.parametrize(
    ("old", "new"), [(b'"16608"', b'"17000"'), (b'"16608"', b'"0"'), (b'"2.081"', b'"-2"'), (b'"2.081"', b'"NaN"')]
)
def test_a_bar_that_contradicts_itself_is_unreadable(old: bytes, new: bytes) -> None:
    """A low above the open would poison an indicator."""
    with pytest.raises(UNREADABLE):
        Bars("kline.5.BTCUSDT", MARKET).decode(CLOSED_BAR.replace(old, new))


@pytest.mark.parametrize(("seconds", "word"), STREAMED.items())
def test_each_interval_is_read_from_the_topics_name(seconds: int, word: str) -> None:
    """The bar's timeframe is that of its topic."""
    (message,) = Bars(f"kline.{word}.BTCUSDT", MARKET).decode(CLOSED_BAR)
    assert isinstance(message, Data)
    (bar,) = message.events
    assert isinstance(bar, Bar)
    assert bar.timeframe_s == seconds


def test_a_topic_that_is_none_of_ours_has_no_decoder() -> None:
    """A programming error shows at once, not as silence."""
    with pytest.raises(ValueError, match="no such interval"):
        decoder_of(Topic(market=MARKET, channel=Channel.BAR, native="kline.W.BTCUSDT"))
    with pytest.raises(ValueError, match="account"):
        decoder_of(Topic(market=MARKET, channel=Channel.ACCOUNT, native="order"))
    with pytest.raises(ValueError, match="no market"):
        decoder_of(Topic(market=None, channel=Channel.QUOTE, native="orderbook.1.BTCUSDT"))
