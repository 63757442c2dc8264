"""Bybit's dialects: what is sent, and who decodes what comes."""

import hashlib
import hmac

import msgspec
import pytest

from kangbot.errors import Refused
from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.ports import Acked, Channel, Data, Dialect, Garbled, Ignored, LoggedIn, Pong, Topic
from kangbot.venues.bybit.feed import BybitPrivate, BybitPublic
from tests.support.bybit_frames import (
    AUTH_ACCEPTED,
    BOOK_SNAPSHOT,
    EXECUTION,
    PONG_LINEAR,
    SUBSCRIBED_LINEAR,
    SUBSCRIBED_PRIVATE,
    TRADES,
)
from tests.support.instruments import instrument_of

NOW_NS = 1_662_350_390_000 * 1_000_000


def instrument(kind: InstrumentKind = InstrumentKind.LINEAR) -> Instrument:
    """Return Bitcoin against Tether."""
    return instrument_of(kind=kind)


def public() -> BybitPublic:
    """Return a dialect of linear public topics."""
    return BybitPublic(url="wss://stream.bybit.com/v5/public/linear", category="linear")


def private(secret: str = "s") -> BybitPrivate:
    """Return a dialect of the account, in which every symbol is one market."""
    return BybitPrivate(
        url="wss://stream.bybit.com/v5/private",
        key="k",
        secret=secret,
        markets=lambda category, symbol: MarketId(f"bybit:{category}:{symbol}"),
    )


def topic(channel: Channel, native: str) -> Topic:
    """Return a topic of the market."""
    return Topic(market=instrument().market, channel=channel, native=native)


@pytest.mark.parametrize(
    ("channel", "timeframe_s", "native"),
    [
        (Channel.QUOTE, None, "orderbook.1.BTCUSDT"),
        (Channel.TRADE, None, "publicTrade.BTCUSDT"),
        (Channel.BAR, 60, "kline.1.BTCUSDT"),
        (Channel.BAR, 86400, "kline.D.BTCUSDT"),
    ],
)
def test_each_channel_has_its_topic(channel: Channel, timeframe_s: int | None, native: str) -> None:
    """One topic a channel, under Bybit's word for it."""
    assert public().topics(instrument(), channel, timeframe_s) == (topic(channel, native),)


def test_what_bybit_does_not_carry_is_refused() -> None:
    """Bars of seconds, the account on a public connection, spot on a linear one."""
    with pytest.raises(Refused, match="no bars of 1 s"):
        public().topics(instrument(), Channel.BAR, 1)
    with pytest.raises(Refused):
        public().topics(instrument(), Channel.BAR, None)
    with pytest.raises(Refused):
        public().topics(None, Channel.ACCOUNT, None)
    with pytest.raises(Refused):
        public().topics(instrument(InstrumentKind.SPOT), Channel.QUOTE, None)
    with pytest.raises(Refused):
        private().topics(instrument(), Channel.QUOTE, None)


def test_spot_takes_ten_topics_a_request() -> None:
    """Bybit's own limit there."""
    spot = BybitPublic(url="wss://stream.bybit.com/v5/public/spot", category="spot")
    assert spot.topics_a_request == 10
    assert spot.topics(instrument(InstrumentKind.SPOT), Channel.TRADE, None)[0].market == "bybit:BTC-USDT"


def test_pushes_of_subscribed_topics_are_told_to_their_market() -> None:
    """The dialect learns a topic's market when it is subscribed."""
    dialect = public()
    dialect.subscribe("1", (topic(Channel.QUOTE, "orderbook.1.BTCUSDT"), topic(Channel.TRADE, "publicTrade.BTCUSDT")))
    events: list[object] = []
    for frame in (BOOK_SNAPSHOT, TRADES):
        (message,) = dialect.decode(frame)
        assert isinstance(message, Data)
        events.extend(message.events)
    assert [type(event) for event in events] == [Quote, Trade]
    assert isinstance(events[0], Quote)
    assert events[0].market == instrument().market


def test_the_order_of_keys_and_spaces_does_not_matter() -> None:
    """Looking at the topic first is a shortcut, not a condition."""
    dialect = public()
    dialect.subscribe("1", (topic(Channel.TRADE, "publicTrade.BTCUSDT"),))
    content = msgspec.json.decode(TRADES)
    turned = msgspec.json.format(msgspec.json.encode(dict(reversed(content.items()))))
    assert dialect.decode(turned) == dialect.decode(TRADES)


def test_a_push_of_a_topic_that_ended_is_ignored() -> None:
    """It may still be under way when the unsubscription leaves, and belongs to nobody after a reconnect."""
    dialect = public()
    topics = (topic(Channel.TRADE, "publicTrade.BTCUSDT"),)
    dialect.subscribe("1", topics)
    assert dialect.unsubscribe("2", topics) == '{"req_id":"2","op":"unsubscribe","args":["publicTrade.BTCUSDT"]}'
    assert dialect.decode(TRADES) == (Ignored(kind="topic.not_subscribed"),)
    dialect.subscribe("3", topics)
    dialect.reset()
    assert dialect.decode(TRADES) == (Ignored(kind="topic.not_subscribed"),)


def test_answers_reach_their_requests() -> None:
    """Both dialects answer for their own connection."""
    dialect, account = public(), private()
    dialect.subscribe("4", (topic(Channel.TRADE, "publicTrade.BTCUSDT"),))
    assert dialect.decode(SUBSCRIBED_LINEAR) == (Acked(request="4"),)
    account.subscribe("5", account.topics(None, Channel.ACCOUNT, None))
    assert account.decode(SUBSCRIBED_PRIVATE) == (Acked(request="5"),)
    assert account.decode(AUTH_ACCEPTED) == (LoggedIn(),)
    assert dialect.decode(PONG_LINEAR) == (Pong(),)


def test_after_a_reset_old_requests_are_answered_no_more() -> None:
    """An answer on the new connection belongs to the new connection's requests."""
    account = private()
    account.subscribe("1", ())
    account.unsubscribe("2", ())
    account.reset()
    account.subscribe("3", ())
    assert account.decode(SUBSCRIBED_PRIVATE) == (Acked(request="3"),)


@pytest.mark.parametrize("dialect", [public(), private()], ids=["public", "private"])
def test_heartbeats_are_bybits_own(dialect: Dialect) -> None:
    """Every 20 s, as documented."""
    assert dialect.ping("100001") == '{"req_id":"100001","op":"ping"}'
    assert dialect.ping_every_s == 20


def test_public_topics_need_no_login() -> None:
    """There is nothing to sign."""
    assert public().login(NOW_NS) is None


def test_the_login_is_signed_for_its_expiry() -> None:
    """HMAC-SHA256 of `GET/realtime{expires}` under the secret, expires 10 s from now."""
    frame = private("top secret").login(NOW_NS)
    assert frame is not None
    signature = hmac.new(b"top secret", b"GET/realtime1662350400000", hashlib.sha256).hexdigest()
    assert msgspec.json.decode(frame) == {"op": "auth", "args": ["k", 1662350400000, signature]}


def test_the_account_has_four_topics() -> None:
    """All categories in each."""
    topics = private().topics(None, Channel.ACCOUNT, None)
    assert [one.native for one in topics] == ["order", "execution", "position", "wallet"]
    assert all(one.market is None for one in topics)


def test_private_pushes_are_told() -> None:
    """The market is asked for by category and symbol."""
    (message,) = private().decode(EXECUTION)
    assert isinstance(message, Data)
    assert message.native == "execution"
    assert len(message.events) == 1


@pytest.mark.parametrize("dialect", [public(), private()], ids=["public", "private"])
@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"hello",
        b"{}",
        b"[]",
        b"null",
        b'{"topic":5}',
        b'{"topic":"',
        b"[" * 100_000,
        b'{"op":"\xff"}',
        TRADES[:-9],
    ],
)
def test_what_cannot_be_understood_is_garbled_and_never_raised(dialect: Dialect, frame: bytes) -> None:
    """One message, with a short reason."""
    dialect.reset()
    if dialect.name == "bybit.linear.public":
        dialect.subscribe("1", (topic(Channel.TRADE, "publicTrade.BTCUSDT"),))
    (message,) = dialect.decode(frame)
    assert isinstance(message, Garbled)
    assert 0 < len(message.reason) <= 200
