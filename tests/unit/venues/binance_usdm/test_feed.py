"""Binance USD-M's dialect: what is sent on which path, and who decodes what comes."""

import msgspec
import pytest

from kangbot.errors import Refused
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.ports import Acked, Channel, Data, Denied, Garbled, Ignored, Pong, Topic
from kangbot.venues.binance_usdm.feed import BinancePublic, Path
from tests.support.binance_frames import TRADE
from tests.support.instruments import instrument_of


def instrument(kind: InstrumentKind = InstrumentKind.LINEAR) -> Instrument:
    """Return Bitcoin against Tether."""
    return msgspec.structs.replace(instrument_of(venue="binance_usdm"), kind=kind)


def dialect(path: Path = "public") -> BinancePublic:
    """Return the dialect of a path, with single trades."""
    return BinancePublic(url="wss://fstream.binance.com", path=path, trades="trade")


def topics(*natives: str) -> tuple[Topic, ...]:
    """Return these streams as topics of the market."""
    return tuple(Topic(market=instrument().market, channel=Channel.TRADE, native=native) for native in natives)


def test_each_path_has_its_address() -> None:
    """The combined form, since streams are asked for by message."""
    assert dialect("public").url == "wss://fstream.binance.com/public/stream"
    assert (
        BinancePublic(url="wss://fstream.binance.com/", path="market").url == "wss://fstream.binance.com/market/stream"
    )


def test_a_dialect_carries_the_channels_of_its_path_and_refuses_the_others() -> None:
    """On the other path a subscription would be acknowledged and stay mute. Stream names are lower case."""
    public = BinancePublic(url="wss://x", path="public")
    market = BinancePublic(url="wss://x", path="market")
    assert public.topics(instrument(), Channel.QUOTE, None)[0].native == "btcusdt@bookTicker"
    assert market.topics(instrument(), Channel.TRADE, None)[0].native == "btcusdt@aggTrade"
    assert market.topics(instrument(), Channel.BAR, 3600)[0].native == "btcusdt@kline_1h"
    assert dialect("public").topics(instrument(), Channel.TRADE, None)[0].native == "btcusdt@trade"
    with pytest.raises(Refused, match="/market does"):
        public.topics(instrument(), Channel.BAR, 60)
    with pytest.raises(Refused, match="/public does"):
        market.topics(instrument(), Channel.QUOTE, None)


def test_what_binance_does_not_carry_is_refused() -> None:
    """Bars of seconds, spot instruments, the account."""
    market = BinancePublic(url="wss://x", path="market")
    with pytest.raises(Refused, match="no bars of 1 s"):
        market.topics(instrument(), Channel.BAR, 1)
    with pytest.raises(Refused):
        market.topics(instrument(InstrumentKind.SPOT), Channel.TRADE, None)
    with pytest.raises(Refused):
        market.topics(None, Channel.ACCOUNT, None)
    with pytest.raises(Refused, match="public streams only"):
        market.topics(instrument(), Channel.ACCOUNT, None)


def test_requests_are_numbered_and_answers_find_them() -> None:
    """Binance's ids are integers, ours are words."""
    one = dialect()
    frame = one.subscribe("first", topics("btcusdt@trade"))
    assert msgspec.json.decode(frame) == {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}
    frame = one.unsubscribe("second", topics("btcusdt@trade"))
    assert msgspec.json.decode(frame) == {"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 2}
    assert one.decode(b'{"result":null,"id":2}') == (Acked(request="second"),)
    assert one.decode(b'{"id":1,"result":null}') == (Acked(request="first"),)
    assert one.decode(b'{"result":null,"id":9}') == (Acked(request=""),)


@pytest.mark.parametrize(
    ("frame", "request_id"),
    [
        (b'{"error":{"code":2,"msg":"Invalid request: no streams"},"id":2}', "second"),
        (b'{"code":2,"msg":"Invalid request: no streams","id":2}', "second"),
        (b'{"error":{"code":2,"msg":"Invalid request: no streams"}}', "first"),
        (b'{"code":2,"msg":"Invalid request: no streams"}', "first"),  # the venue could not read the id
    ],
)
def test_refusals_in_each_form_are_of_their_request(frame: bytes, request_id: str) -> None:
    """Without an id it is the oldest request that waits."""
    one = dialect()
    one.subscribe("first", topics("btcusdt@trade"))
    one.subscribe("second", topics("btcusdt@bookTicker"))
    assert one.decode(frame) == (Denied(request=request_id, native="", message="2 Invalid request: no streams"),)
    number = {"first": 1, "second": 2}[request_id]
    assert one.decode(b'{"result":null,"id":%d}' % number) == (Acked(request=""),)  # it waits no longer


def test_a_refusal_is_one_whatever_its_number() -> None:
    """Also 0, and where there is none."""
    one = dialect()
    for request, frame in (("a", b'{"error":{"msg":"no"},"id":1}'), ("b", b'{"code":0,"msg":"no","id":2}')):
        one.subscribe(request, topics("btcusdt@trade"))
        assert one.decode(frame) == (Denied(request=request, native="", message="0 no"),)


def test_a_refusal_while_nothing_waits_is_of_no_request() -> None:
    """It is told all the same."""
    assert dialect().decode(b'{"code":3,"msg":"Invalid JSON"}') == (
        Denied(request="", native="", message="3 Invalid JSON"),
    )


def test_a_heartbeat_is_a_question_that_is_answered() -> None:
    """Listing the subscriptions proves the socket; the transport's own ping is enough otherwise."""
    one = dialect()
    assert one.ping_every_s is None
    assert msgspec.json.decode(one.ping("p")) == {"method": "LIST_SUBSCRIPTIONS", "id": 1}
    assert one.decode(b'{"result":["btcusdt@trade"],"id":1}') == (Pong(),)
    assert one.decode(b'{"result":["btcusdt@trade"],"id":1}') == (Acked(request=""),)  # it was answered already
    assert one.login(0) is None


def test_pushes_of_subscribed_streams_are_told() -> None:
    """In whatever order the keys are written."""
    one = dialect()
    one.subscribe("1", topics("btcusdt@trade"))
    content = msgspec.json.decode(TRADE)
    turned = msgspec.json.format(msgspec.json.encode(dict(reversed(content.items()))))
    (message,) = one.decode(TRADE)
    assert isinstance(message, Data)
    assert len(message.events) == 1
    assert one.decode(turned) == (message,)


def test_pushes_of_other_streams_are_counted_by_kind() -> None:
    """Those that ended, those that were never ours, and those of an old connection."""
    one = dialect()
    assert one.decode(b'{"stream":"btcusdt@depth@0ms","data":{}}') == (Ignored(kind="stream.depth@0ms"),)
    assert one.decode(b'{"stream":"x@' + b"y" * 99 + b'","data":{}}') == (Ignored(kind=f"stream.{'y' * 24}"),)
    one.subscribe("1", topics("btcusdt@trade"))
    one.unsubscribe("2", topics("btcusdt@trade"))
    assert one.decode(TRADE) == (Ignored(kind="stream.trade"),)
    one.subscribe("3", topics("btcusdt@trade"))
    one.ping("4")
    one.reset()
    assert one.decode(TRADE) == (Ignored(kind="stream.trade"),)
    assert one.decode(b'{"code":2,"msg":"no"}') == (Denied(request="", native="", message="2 no"),)
    one.unsubscribe("5", topics("btcusdt@trade"))  # which ended with its connection
    assert one.decode(b'{"result":[],"id":4}') == (Acked(request=""),)


@pytest.mark.parametrize(
    "frame",
    [b"", b"hello", b"{}", b"[]", b'{"stream":5}', b'{"stream":"', b"[" * 100_000, b'{"id":"\xff"}', TRADE[:-9]],
)
def test_what_cannot_be_understood_is_garbled_and_never_raised(frame: bytes) -> None:
    """One message, with a short reason."""
    one = dialect()
    one.subscribe("1", topics("btcusdt@trade"))
    (message,) = one.decode(frame)
    assert isinstance(message, Garbled)
    assert 0 < len(message.reason) <= 200
    assert message.native == ("btcusdt@trade" if frame == TRADE[:-9] else "")


def test_the_reason_of_a_garbled_frame_is_short_however_long_its_numbers_are() -> None:
    """It is logged and shown; what a stream sends is not ours to bound."""
    one = dialect()
    one.subscribe("1", topics("btcusdt@trade"))
    (message,) = one.decode(TRADE.replace(b"28145.10", b"9" * 5000))
    assert isinstance(message, Garbled)
    assert message.native == "btcusdt@trade"
    assert len(message.reason) == 200
