"""Binance USD-M's public websockets as a dialect: what to send, and who decodes what comes.

Since 2026-04-23 each stream is served on one of two paths and is silent on the other, although the other acknowledges
its subscription: `/public` carries the book (`bookTicker`, `depth`) and single trades, `/market` carries the rest
(`aggTrade`, `kline`, mark prices). So one dialect speaks one path, and refuses a channel that the other serves.

Limits that whoever composes the sockets must keep: 1,024 streams a connection, 10 messages a second towards the venue,
300 connects in 5 minutes an IP, and a connection is cut after 24 hours. Binance acknowledges streams that do not exist.
Source: Binance, "Websocket Market Streams" and "Important WebSocket Change Notice".
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from kangbot.errors import Refused
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.ports import Acked, Channel, Denied, Garbled, Ignored, Message, Pong, Topic
from kangbot.venues.binance_usdm.decode import INTERVALS, decoder_of
from kangbot.venues.reading import UNREADABLE, Decode

Path = Literal["public", "market"]
TradeStream = Literal["aggTrade", "trade"]

_PUSH = b'{"stream":"'  # how every push begins
_PATHS: dict[str, Path] = {"bookTicker": "public", "trade": "public", "aggTrade": "market", "kline": "market"}


def _stream_of(channel: Channel, trades: TradeStream) -> str:
    match channel:
        case Channel.QUOTE:
            return "bookTicker"
        case Channel.TRADE:
            return trades
        case Channel.BAR:
            return "kline"
        case Channel.ACCOUNT:
            raise Refused("binance_usdm has public streams only")


class _Problem(msgspec.Struct, frozen=True):
    code: int = 0
    msg: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    """What tells the frames apart: a push has a stream, an answer an id, a refusal an error or a code."""

    stream: str = ""
    id: int | None = None
    error: _Problem | None = None
    code: int | None = None
    msg: str = ""


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class BinancePublic:
    """The streams of one path. `url` is the host's: "wss://fstream.binance.com".

    `trades` is the stream that carries trades: `aggTrade`, or `trade` as in recordings of single trades.
    """

    ping_every_s: float | None = None  # Binance pings by the transport; so do we
    topics_a_request = 100  # a frame of about 2 kB

    def __init__(self, *, url: str, path: Path, trades: TradeStream = "aggTrade") -> None:
        self.name = f"binance_usdm.{path}"
        self.url = f"{url.rstrip('/')}/{path}/stream"
        self._path = path
        self._trades: TradeStream = trades
        self._decoders: dict[bytes, Decode] = {}
        self._waiting: dict[int, str] = {}  # Binance's request ids are integers → ours; oldest first
        self._pings: dict[int, None] = {}
        self._last_id = 0

    def topics(self, instrument: Instrument | None, channel: Channel, timeframe_s: int | None) -> Sequence[Topic]:
        """Return the one stream that carries the channel; Refused where this path does not serve it."""
        if instrument is None or instrument.kind is not InstrumentKind.LINEAR:
            raise Refused(f"{self.name} carries no {channel.value} of {instrument and instrument.symbol}")
        stream = _stream_of(channel, self._trades)
        if _PATHS[stream] != self._path:
            raise Refused(f"{self.name} does not serve {stream}: /{_PATHS[stream]} does")
        if channel is Channel.BAR:
            if timeframe_s not in INTERVALS:
                raise Refused(f"{self.name} has no bars of {timeframe_s} s; it has {sorted(INTERVALS)}")
            stream = f"kline_{INTERVALS[timeframe_s]}"
        native = f"{instrument.native.lower()}@{stream}"
        return (Topic(market=instrument.market, channel=channel, native=native),)

    def reset(self) -> None:
        """Forget the streams and the requests of the old connection."""
        self._decoders.clear()
        self._waiting.clear()
        self._pings.clear()

    def login(self, now_ns: int) -> str | None:  # noqa: ARG002 -- the port's signature; nothing to sign here
        """Return None: public streams need no authentication."""
        return None

    def subscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that subscribes these streams; from now on their pushes are decoded."""
        for topic in topics:
            self._decoders[topic.native.encode()] = decoder_of(topic)
        return self._request("SUBSCRIBE", request, topics)

    def unsubscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that ends them; pushes still under way are ignored."""
        for topic in topics:
            self._decoders.pop(topic.native.encode(), None)
        return self._request("UNSUBSCRIBE", request, topics)

    def ping(self, request: str) -> str:  # noqa: ARG002 -- the answer needs no name of ours
        """Return a question that costs nothing and is answered: Binance has no heartbeat of its own in JSON."""
        self._last_id += 1
        self._pings[self._last_id] = None
        return msgspec.json.encode({"method": "LIST_SUBSCRIPTIONS", "id": self._last_id}).decode()

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return what the frame says. Looking at the stream first saves decoding a push twice."""
        stream = b""
        try:
            if frame.startswith(_PUSH):
                stream = frame[11 : frame.find(b'"', 11)]
                if decode := self._decoders.get(stream):
                    return decode(frame)
            return self._decode_slowly(frame)
        except UNREADABLE as error:
            native = stream.decode() if stream in self._decoders else ""
            return (Garbled(reason=f"{type(error).__name__}: {error}"[:200], native=native),)

    def _decode_slowly(self, frame: bytes) -> Sequence[Message]:
        """Decode an answer, a push of a stream that is not ours, or a push written in another order of keys."""
        read = _ENVELOPE.decode(frame)
        if not read.stream:
            return (self._answer(read),)
        decode = self._decoders.get(read.stream.encode())
        if decode is None:
            return (Ignored(kind=f"stream.{read.stream.partition('@')[2][:24]}"),)
        return decode(frame)

    def _answer(self, read: _Envelope) -> Message:
        problem = read.error or (_Problem(code=read.code, msg=read.msg) if read.code is not None else None)
        if problem is not None:
            request = self._answered(read.id)
            return Denied(request=request, native="", message=f"{problem.code} {problem.msg}")
        if read.id is None:
            raise ValueError("neither a push nor an answer")
        if read.id in self._pings:
            del self._pings[read.id]
            return Pong()
        return Acked(request=self._answered(read.id))

    def _answered(self, number: int | None) -> str:
        """Return our name of the request that is answered: the oldest where the venue could not read its id."""
        if number is None and self._waiting:
            number = next(iter(self._waiting))
        return "" if number is None else self._waiting.pop(number, "")

    def _request(self, method: str, request: str, topics: Sequence[Topic]) -> str:
        self._last_id += 1
        self._waiting[self._last_id] = request
        params = [topic.native for topic in topics]
        return msgspec.json.encode({"method": method, "params": params, "id": self._last_id}).decode()
