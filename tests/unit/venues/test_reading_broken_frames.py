"""Whatever comes over the wire, a dialect answers with messages and never with an exception.

Every decoder is fed known frames truncated, repeated, in any order, with bytes and values changed, and frames of pure
chance. What it tells is checked too: no impossible price may pass, however broken the frame was.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Fill
from kangbot.ports import Channel, Data, Dialect, Message, Topic
from kangbot.venues.binance_usdm.feed import BinancePublic
from kangbot.venues.bybit.feed import BybitPrivate, BybitPublic
from tests.support.binance_frames import ANSWERS as BINANCE_ANSWERS
from tests.support.binance_frames import PUSHES
from tests.support.bybit_frames import ANSWERS, PRIVATE, PUBLIC

MARKET = MarketId("venue:BTC-USDT:USDT")
_DELTA = (
    b'{"topic":"orderbook.1.BTCUSDT","ts":1672304484979,"type":"delta","data":{"s":"BTCUSDT","b":[["16493.50","0"],'
    b'["16493.00","1"]],"a":[["16610.50","0.5"]],"u":18521289,"seq":7961638725},"cts":1672304484977}'
)


def bybit_public() -> tuple[Dialect, Sequence[bytes]]:
    """Return a dialect with each of its topics subscribed, and frames for it."""
    dialect = BybitPublic(url="wss://x", category="linear")
    natives = (
        (Channel.QUOTE, "orderbook.1.BTCUSDT"),
        (Channel.TRADE, "publicTrade.BTCUSDT"),
        (Channel.BAR, "kline.5.BTCUSDT"),
    )
    dialect.subscribe("1", [Topic(market=MARKET, channel=channel, native=native) for channel, native in natives])
    return dialect, (*PUBLIC, _DELTA, *ANSWERS)


def bybit_private() -> tuple[Dialect, Sequence[bytes]]:
    """Return a dialect to which every market is known, and frames for it."""
    dialect = BybitPrivate(url="wss://x", key="k", secret="s", markets=lambda *_: MARKET)
    return dialect, (*PRIVATE, *ANSWERS)


def binance() -> tuple[Dialect, Sequence[bytes]]:
    """Return a dialect with streams of both paths subscribed, and frames for it."""
    dialect = BinancePublic(url="wss://x", path="market")
    natives = ("btcusdt@bookTicker", "btcusdt@trade", "btcusdt@aggTrade", "btcusdt@kline_1m")
    dialect.subscribe("1", [Topic(market=MARKET, channel=Channel.TRADE, native=native) for native in natives])
    return dialect, (*PUSHES, *BINANCE_ANSWERS)


Made = Callable[[], tuple[Dialect, Sequence[bytes]]]
DIALECTS = pytest.mark.parametrize("made", [bybit_public, bybit_private, binance])

# Values that a broken or hostile venue might put in the place of any other.
_ODD: st.SearchStrategy[object] = st.one_of(
    st.sampled_from(["", "NaN", "sNaN", "-Infinity", "-1", "0", "1E+999999", "1E-999999", "Buy", "UNKNOWN", "é"]),
    st.sampled_from([None, True, [], [None], {}]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)


def check(messages: Sequence[Message]) -> None:
    """Assert that these are messages, and that what they tell is possible."""
    assert messages
    for message in messages:
        assert isinstance(message, get_args(Message))
        for event in message.events if isinstance(message, Data) else ():
            match event:
                case Quote():
                    assert 0 < event.bid < event.ask < Decimal(10) ** 18
                    assert event.bid_quantity > 0
                    assert event.ask_quantity > 0
                case Trade() | Fill():
                    assert 0 < event.price < Decimal(10) ** 31
                    assert 0 < event.quantity < Decimal(10) ** 31
                case Bar():
                    assert 0 < event.low <= event.open <= event.high
                    assert event.low <= event.close <= event.high
                    assert event.volume >= 0
                case _:
                    pass


def changed(value: object, path: Sequence[int], odd: object) -> object:
    """Return the JSON value with one of its parts, chosen by `path`, replaced by `odd`."""
    if not path or not isinstance(value, dict | list) or not value:
        return odd
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = value.copy()
    copy[key] = changed(value[key], path[1:], odd)
    return copy


@DIALECTS
@given(chance=st.data())
def test_known_frames_in_any_order_and_number_are_read(made: Made, chance: st.DataObject) -> None:
    """Reordered and repeated frames are data or are ignored."""
    dialect, frames = made()
    for frame in chance.draw(st.lists(st.sampled_from(frames), max_size=12)):
        check(dialect.decode(frame))


@DIALECTS
@given(chance=st.data())
def test_truncated_frames_are_survived(made: Made, chance: st.DataObject) -> None:
    """Cut anywhere, at the front and at the end."""
    dialect, frames = made()
    frame = chance.draw(st.sampled_from(frames))
    begin, end = sorted(chance.draw(st.tuples(st.integers(0, len(frame)), st.integers(0, len(frame)))))
    check(dialect.decode(frame[begin:end]))
    check(dialect.decode(frame))


@DIALECTS
@given(chance=st.data())
def test_frames_with_changed_bytes_are_survived(made: Made, chance: st.DataObject) -> None:
    """Any byte may become any other."""
    dialect, frames = made()
    frame = bytearray(chance.draw(st.sampled_from(frames)))
    places = st.dictionaries(st.integers(0, len(frame) - 1), st.integers(0, 255), min_size=1, max_size=8)
    for place, byte in chance.draw(places).items():
        frame[place] = byte
    check(dialect.decode(bytes(frame)))


@DIALECTS
@given(chance=st.data())
def test_frames_with_changed_values_are_survived(made: Made, chance: st.DataObject) -> None:
    """Well-formed JSON with an absurd value anywhere; state is not spoilt for what follows."""
    dialect, frames = made()
    for _ in range(4):
        content = msgspec.json.decode(chance.draw(st.sampled_from(frames)))
        path = chance.draw(st.lists(st.integers(0, 40), min_size=1, max_size=5))
        check(dialect.decode(msgspec.json.encode(changed(content, path, chance.draw(_ODD)))))
    for frame in frames:
        check(dialect.decode(frame))


@DIALECTS
@given(frame=st.binary(max_size=200))
def test_random_bytes_are_survived(made: Made, frame: bytes) -> None:
    """Also behind the words with which a push begins."""
    dialect, frames = made()
    check(dialect.decode(frame))
    check(dialect.decode(frames[0][:40] + frame))
