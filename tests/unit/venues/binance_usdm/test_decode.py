"""Binance USD-M's pushes: bytes in, our words out. The frames are recorded ones."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from kangbot.model.data import Bar, MarketData, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Side
from kangbot.ports import Channel, Data, Gap, Topic
from kangbot.venues.binance_usdm.decode import INTERVALS, decoder_of
from kangbot.venues.reading import UNREADABLE
from tests.support.binance_frames import AGGREGATE, BOOK_TICKER, CLOSED_BAR, OPEN_BAR, TRADE

MARKET = MarketId("binance_usdm:BTC-USDT:USDT")

STREAMS = {"bookTicker": BOOK_TICKER, "trade": TRADE, "aggTrade": AGGREGATE, "kline_1m": CLOSED_BAR}


def topic(stream: str) -> Topic:
    """Return a topic of the market; its channel does not matter to the decoder."""
    return Topic(market=MARKET, channel=Channel.QUOTE, native=f"btcusdt@{stream}")


def events(stream: str, frame: bytes) -> Sequence[MarketData]:
    """Return what a frame of the stream tells."""
    (message,) = decoder_of(topic(stream))(frame)
    assert isinstance(message, Data)
    assert message.native == f"btcusdt@{stream}"
    return [event for event in message.events if isinstance(event, Trade | Quote | Bar)]


def test_a_book_ticker_is_a_quote() -> None:
    """At the time of the transaction, under the venue's update id."""
    assert events("bookTicker", BOOK_TICKER) == [
        Quote(
            market=MARKET,
            bid=Decimal("28145.10"),
            bid_quantity=Decimal("3.868"),
            ask=Decimal("28145.20"),
            ask_quantity=Decimal("6.887"),
            at_ns=1680652700430_000_000,
            sequence=2710246762461,
        )
    ]


@pytest.mark.parametrize(
    ("stream", "trade_id", "side", "quantity"),
    [("trade", "3535186032", Side.SELL, "0.002"), ("aggTrade", "1523", Side.BUY, "0.050")],
)
def test_a_trade_is_told_from_the_takers_side(stream: str, trade_id: str, side: Side, quantity: str) -> None:
    """Where the buyer was the maker, the taker sold."""
    assert events(stream, STREAMS[stream]) == [
        Trade(
            market=MARKET,
            trade_id=trade_id,
            side=side,
            price=Decimal("28145.10"),
            quantity=Decimal(quantity),
            at_ns=1680652700452_000_000,
        )
    ]


@pytest.mark.parametrize(("stream", "number"), [("trade", 3535186032), ("aggTrade", 1523)])
def test_a_hole_in_the_numbers_is_told_before_what_follows_it(stream: str, number: int) -> None:
    """Binance numbers trades without a hole; an old one that comes late is no hole, and neither is a placeholder."""
    decode, frame = decoder_of(topic(stream)), STREAMS[stream]

    def said(later: int) -> list[type]:
        return [type(message) for message in decode(frame.replace(str(number).encode(), str(number + later).encode()))]

    assert said(0) == said(1) == [Data]
    assert said(5) == [Gap, Data]
    assert said(2) == said(6) == [Data]
    (gap, _) = decode(frame.replace(str(number).encode(), str(number + 10).encode()))
    assert gap == Gap(native=f"btcusdt@{stream}", missing=3)


def test_a_placeholder_of_a_trade_is_no_event() -> None:
    """Binance sends trades of nothing at price 0, which have their number like any other."""
    nothing = TRADE.replace(b'"28145.10"', b'"0"').replace(b'"0.002"', b'"0"').replace(b"MARKET", b"NA")
    assert events("trade", nothing) == []
    decode = decoder_of(topic("trade"))
    numbered = [
        frame.replace(b"3535186032", str(3535186032 + later).encode())
        for later, frame in enumerate((TRADE, nothing, TRADE))
    ]
    assert [len(decode(frame)) for frame in numbered] == [1, 1, 1]


@pytest.mark.parametrize(
    "zeros", [(b"28145.10", b"3.868"), (b"28145.20", b"6.887"), (b"28145.10",), (b"3.868",), (b"6.887",)]
)
def test_an_empty_side_is_no_event(zeros: tuple[bytes, ...]) -> None:
    """A book without bids has no top, and neither has one without asks."""
    empty = BOOK_TICKER
    for number in zeros:
        empty = empty.replace(b'"%b"' % number, b'"0.000"')
    assert events("bookTicker", empty) == []


def test_only_a_closed_bar_is_told() -> None:
    """The bar that is still open proves that the stream lives, no more."""
    assert events("kline_1m", OPEN_BAR) == []
    (bar,) = events("kline_1m", CLOSED_BAR)
    assert isinstance(bar, Bar)
    assert (bar.timeframe_s, bar.open_ns) == (60, 1626992700000_000_000)
    assert [str(value) for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)] == [
        "1.01000",
        "1.01100",
        "1.01000",
        "1.01100",
        "3917",
    ]


@pytest.mark.parametrize(("seconds", "word"), INTERVALS.items())
def test_each_interval_is_read_from_the_streams_name(seconds: int, word: str) -> None:
    """The bar's timeframe is that of its stream."""
    (bar,) = events(f"kline_{word}", CLOSED_BAR)
    assert isinstance(bar, Bar)
    assert bar.timeframe_s == seconds


@pytest.mark.parametrize(
    ("stream", "old", "new"),
    [
        ("bookTicker", b'"28145.20"', b'"28145.00"'),  # crossed
        ("bookTicker", b'"28145.20"', b'"28145.10"'),  # locked
        ("bookTicker", b'"28145.20"', b'"1e18"'),
        ("bookTicker", b'"3.868"', b'"1e18"'),
        ("bookTicker", b'"6.887"', b'"1e18"'),
        ("bookTicker", b'"28145.20"', b'"NaN"'),
        ("bookTicker", b'"6.887"', b'"-1"'),
        ("bookTicker", b'"u":2710246762461', b'"u":"x"'),
        ("trade", b'"28145.10"', b'"0"'),
        ("trade", b'"28145.10"', b'"1e18"'),
        ("trade", b'"0.002"', b'"Infinity"'),
        ("aggTrade", b'"0.050"', b'"sNaN"'),
        ("aggTrade", b'"T":1680652700452', b'"T":-1'),
        ("kline_1m", b'"l":"1.01000"', b'"l":"2"'),
        ("kline_1m", b'"v":"3917"', b'"v":"-1"'),
        ("kline_1m", b'"t":1626992700000', b'"t":-60000'),
    ],
)
def test_what_makes_no_sense_is_unreadable(stream: str, old: bytes, new: bytes) -> None:
    """No impossible number passes the edge."""
    frame = STREAMS[stream]
    assert old in frame
    with pytest.raises(UNREADABLE):
        decoder_of(topic(stream))(frame.replace(old, new))


@pytest.mark.parametrize("stream", ["depth@100ms", "kline_1M", "kline", "markPrice@1s", ""])
def test_a_stream_that_we_do_not_use_has_no_decoder(stream: str) -> None:
    """A programming error shows at once, not as silence."""
    with pytest.raises(ValueError, match="no such stream"):
        decoder_of(topic(stream))


def test_a_stream_needs_a_market() -> None:
    """There is no account here."""
    with pytest.raises(ValueError, match="no market"):
        decoder_of(Topic(market=None, channel=Channel.QUOTE, native="btcusdt@bookTicker"))
