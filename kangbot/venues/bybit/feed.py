"""Bybit v5's websockets as dialects: what to send, and who decodes what comes.

One connection carries either public topics of one category or the account's. Limits that whoever composes the sockets
must keep: at most 21,000 characters of topics a public connection, 500 connects in 5 minutes a domain. A subscribe
frame that names one unknown topic subscribes none of its topics. Source: Bybit v5, "Connect".
"""

import hmac
from collections.abc import Sequence
from typing import Literal

from kangbot.errors import Refused
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.ports import Channel, Garbled, Ignored, Message, Topic
from kangbot.venues.bybit.account import TOPICS, AccountFrames, Markets
from kangbot.venues.bybit.decode import decoder_of
from kangbot.venues.bybit.intervals import STREAMED
from kangbot.venues.bybit.replies import Requests, encode, read_envelope
from kangbot.venues.reading import MILLISECOND_NS, UNREADABLE, Decode

Category = Literal["linear", "spot"]

PING_EVERY_S = 20.0  # as Bybit recommends; it cuts a silent connection after 10 minutes

_KINDS: dict[Category, InstrumentKind] = {"linear": InstrumentKind.LINEAR, "spot": InstrumentKind.SPOT}
_TOPICS_A_REQUEST: dict[Category, int] = {"linear": 100, "spot": 10}  # spot's limit is Bybit's; linear has none
_PUSH = b'{"topic":"'  # how every public push begins


class BybitPublic:
    """Public topics of one category: quotes (`orderbook.1`), trades (`publicTrade`), bars (`kline`)."""

    def __init__(self, *, url: str, category: Category) -> None:
        self.name = f"bybit.{category}.public"
        self.url = url
        self.ping_every_s: float | None = PING_EVERY_S
        self.topics_a_request = _TOPICS_A_REQUEST[category]
        self._kind = _KINDS[category]
        self._decoders: dict[bytes, Decode] = {}
        self._requests = Requests()

    def topics(self, instrument: Instrument | None, channel: Channel, timeframe_s: int | None) -> Sequence[Topic]:
        """Return the one topic that carries the channel; Refused for the account's and for other timeframes."""
        if instrument is None or instrument.kind is not self._kind or channel is Channel.ACCOUNT:
            raise Refused(f"{self.name} carries no {channel.value} of {instrument and instrument.symbol}")
        match channel:
            case Channel.QUOTE:
                stem = "orderbook.1"
            case Channel.TRADE:
                stem = "publicTrade"
            case Channel.BAR:
                if timeframe_s not in STREAMED:
                    raise Refused(f"{self.name} has no bars of {timeframe_s} s; it has {sorted(STREAMED)}")
                stem = f"kline.{STREAMED[timeframe_s]}"
        return (Topic(market=instrument.market, channel=channel, native=f"{stem}.{instrument.native}"),)

    def reset(self) -> None:
        """Forget the books, the topics and the requests of the old connection."""
        self._decoders.clear()
        self._requests.reset()

    def login(self, now_ns: int) -> str | None:  # noqa: ARG002 -- the port's signature; nothing to sign here
        """Return None: public topics need no authentication."""
        return None

    def subscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that subscribes these topics; from now on their pushes are decoded."""
        for topic in topics:
            self._decoders[topic.native.encode()] = decoder_of(topic)
        return self._requests.frame("subscribe", request, topics)

    def unsubscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that ends them; pushes still under way are ignored."""
        for topic in topics:
            self._decoders.pop(topic.native.encode(), None)
        return self._requests.frame("unsubscribe", request, topics)

    def ping(self, request: str) -> str:
        """Return Bybit's own heartbeat."""
        return encode({"req_id": request, "op": "ping"})

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return what the frame says. Looking at the topic first saves decoding a push twice."""
        topic = b""
        try:
            if frame.startswith(_PUSH):
                topic = frame[10 : frame.find(b'"', 10)]
                if decode := self._decoders.get(topic):
                    return decode(frame)
            return self._decode_slowly(frame)
        except UNREADABLE as error:
            native = topic.decode() if topic in self._decoders else ""
            return (Garbled(reason=f"{type(error).__name__}: {error}"[:200], native=native),)

    def _decode_slowly(self, frame: bytes) -> Sequence[Message]:
        """Decode an answer, a push of a topic that is not ours, or a push written in another order of keys."""
        read = read_envelope(frame)
        if not read.topic:
            return self._requests.answer(read)
        decode = self._decoders.get(read.topic.encode())
        return decode(frame) if decode else (Ignored(kind="topic.not_subscribed"),)


class BybitPrivate:
    """The account's topics: `order`, `execution`, `position`, `wallet`.

    `markets` tells which market a row's (category, native symbol) is, None where it is none of ours. A login expires
    `expiry_s` after it was signed, by the venue's clock.
    """

    def __init__(
        self,
        *,
        url: str,
        key: str,
        secret: str,
        markets: Markets,
        expiry_s: float = 10.0,
    ) -> None:
        self.name = "bybit.private"
        self.url = url
        self.ping_every_s: float | None = PING_EVERY_S
        self.topics_a_request = 10
        self._key = key
        self._secret = secret
        self._expiry_ms = round(expiry_s * 1000)
        self._frames = AccountFrames(markets)
        self._requests = Requests()

    def topics(self, instrument: Instrument | None, channel: Channel, timeframe_s: int | None) -> Sequence[Topic]:  # noqa: ARG002 -- the account's topics have no timeframe
        """Return the account's topics; Refused for a market's channels."""
        if instrument is not None or channel is not Channel.ACCOUNT:
            raise Refused(f"{self.name} carries the account only, no {channel.value}")
        return tuple(Topic(market=None, channel=channel, native=native) for native in TOPICS)

    def reset(self) -> None:
        """Forget the requests of the old connection."""
        self._requests.reset()

    def login(self, now_ns: int) -> str | None:
        """Return the authentication frame: HMAC-SHA256 over `GET/realtime{expires}`, expires in milliseconds."""
        expires = now_ns // MILLISECOND_NS + self._expiry_ms
        signature = hmac.new(self._secret.encode(), f"GET/realtime{expires}".encode(), "sha256").hexdigest()
        return encode({"op": "auth", "args": [self._key, expires, signature]})

    def subscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that subscribes these topics."""
        return self._requests.frame("subscribe", request, topics)

    def unsubscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that ends them."""
        return self._requests.frame("unsubscribe", request, topics)

    def ping(self, request: str) -> str:
        """Return Bybit's own heartbeat."""
        return encode({"req_id": request, "op": "ping"})

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return what the frame says."""
        try:
            read = read_envelope(frame)
            return self._frames.decode(read) if read.topic else self._requests.answer(read)
        except UNREADABLE as error:
            return (Garbled(reason=f"{type(error).__name__}: {error}"[:200]),)
