"""Public frames: what the venue tells, as Bybit's topics tell it. Nothing is encoded that nobody listens to."""

from typing import Any

import msgspec

from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.money import Price, Quantity
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.faults import Faults
from kangbot.sandbox.hub import Hub, Listener
from kangbot.sandbox.rows_market import INTERVALS, moving, statistics
from kangbot.sandbox.rows_order import SIDES, number, short
from kangbot.sim.markets.klines import Candle, bucket_ns

_encode = msgspec.json.Encoder().encode
_KLINE_EVERY_NS = 1_000_000_000
_STATISTICS_EVERY_NS = 5_000_000_000
_REPEAT_BOOK_NS = 3_000_000_000  # level 1 is sent again as a snapshot after three quiet seconds
Level = tuple[Price, Quantity]


class PublicPublisher:
    """Books, tickers, trades and candles of every market that is listened to."""

    def __init__(self, exchange: Exchange, hub: Hub, faults: Faults) -> None:
        self._exchange = exchange
        self._hub = hub
        self._faults = faults
        self._books: dict[MarketId, Quote] = {}  # as last sent
        self._tickers: dict[MarketId, dict[str, Any]] = {}  # as last sent
        self._statistics_ns: dict[MarketId, int] = {}
        self._klines_ns: dict[tuple[str, str], int] = {}
        self._prints: dict[MarketId, tuple[Price, str]] = {}
        self._updates: dict[MarketId, int] = {}
        self._names = {
            market: (desk.spec.instrument.kind.value, desk.spec.instrument.native)
            for market, desk in exchange.venue.desks.items()
        }

    # ------------------------------------------------------------------------------------------------ subscriptions
    def known(self, stream: str, topic: str) -> bool:
        """Whether the stream has such a topic."""
        kind, _, rest = topic.partition(".")
        if kind in {"tickers", "publicTrade"}:
            return self._listed(stream, rest)
        level, _, symbol = rest.partition(".")
        if kind == "orderbook":
            return level == "1" and self._listed(stream, symbol)
        return kind == "kline" and level in INTERVALS and self._listed(stream, symbol)

    def greet(self, stream: str, topic: str, listener: Listener) -> None:
        """Send the snapshot that a new subscription begins with, where the topic has one."""
        kind, _, symbol = topic.partition(".")
        now_ns = self._exchange.now_ns()
        if self._faults.mutes(topic, now_ns):
            return
        if kind == "tickers":
            market = self._exchange.desk(stream, symbol).spec.market
            row = self._tickers.get(market) or self._ticker(market, now_ns)  # what others have, that deltas fit both
            listener.push(self._ticker_frame(topic, "snapshot", row, now_ns))
        elif kind == "orderbook":
            market = self._exchange.desk(stream, symbol.partition(".")[2]).spec.market
            quote = self._books.setdefault(market, self._exchange.venue.desks[market].book.quote)
            listener.push(self._book_frame(topic, "snapshot", quote, _side(quote, bids=True), _side(quote, bids=False)))
        elif kind == "kline":
            interval, _, native = symbol.partition(".")
            klines = self._exchange.desk(stream, native).klines
            listener.push(_kline_frame(topic, interval, klines.current(INTERVALS[interval]), now_ns))

    # ------------------------------------------------------------------------------------------------------- events
    def quote(self, quote: Quote) -> None:
        """Publish a new top of the book."""
        stream, symbol = self._names[quote.market]
        topic = f"orderbook.1.{symbol}"
        if self._live(stream, topic, quote.at_ns):
            self._book(stream, topic, quote)
        else:
            self._books.pop(quote.market, None)
        self._tick(quote.market, quote.at_ns)

    def trades(self, trades: list[Trade]) -> None:
        """Publish the trades of one market, in one frame."""
        last = trades[-1]
        stream, symbol = self._names[last.market]
        topic = f"publicTrade.{symbol}"
        if self._live(stream, topic, last.at_ns):
            stamp = last.at_ns // 1_000_000
            rows = [_trade(symbol, trade, self._direction(trade)) for trade in trades]
            frame = {"topic": topic, "type": "snapshot", "ts": stamp, "data": rows}
            self._hub.publish(stream, topic, _encode(frame))
        self._tick(last.market, last.at_ns)

    def closed(self, candle: Candle) -> None:
        """Publish the final candle of every timeframe that ended with this minute."""
        stream, symbol = self._names[candle.market]
        end_ns = candle.open_ns + 60_000_000_000
        klines = self._exchange.venue.desks[candle.market].klines
        for interval, seconds in INTERVALS.items():
            topic = f"kline.{interval}.{symbol}"
            if bucket_ns(end_ns, seconds) != end_ns or not self._live(stream, topic, end_ns):
                continue
            last = klines.last(seconds)
            if last is not None:
                self._hub.publish(stream, topic, _kline_frame(topic, interval, last, end_ns))

    def candles(self, now_ns: int) -> None:
        """Publish the open candles that are listened to, once a second each."""
        for key in self._hub.topics():
            stream, topic = key
            if topic[:6] != "kline." or now_ns - self._klines_ns.get(key, 0) < _KLINE_EVERY_NS:
                continue
            self._klines_ns[key] = now_ns
            if not self._faults.mutes(topic, now_ns):
                _, interval, symbol = topic.split(".")
                candle = self._exchange.desk(stream, symbol).klines.current(INTERVALS[interval])
                self._hub.publish(stream, topic, _kline_frame(topic, interval, candle, now_ns))

    # ------------------------------------------------------------------------------------------------------- inside
    def _direction(self, trade: Trade) -> str:
        """Return how the price stands to the trade before; an unchanged one keeps the last direction."""
        price, direction = self._prints.get(trade.market, (trade.price, "ZeroPlusTick"))
        if trade.price != price:
            direction = "PlusTick" if trade.price > price else "MinusTick"
        elif not direction.startswith("Zero"):
            direction = f"Zero{direction}"
        self._prints[trade.market] = (trade.price, direction)
        return direction

    def _listed(self, stream: str, symbol: str) -> bool:
        return (stream, symbol) in self._names.values()

    def _live(self, stream: str, topic: str, now_ns: int) -> bool:
        return self._hub.wanted(stream, topic) and not self._faults.mutes(topic, now_ns)

    def _book(self, stream: str, topic: str, quote: Quote) -> None:
        before = self._books.get(quote.market)
        self._books[quote.market] = quote
        if before is None or quote.at_ns - before.at_ns > _REPEAT_BOOK_NS:
            kind, bids, asks = "snapshot", _side(quote, bids=True), _side(quote, bids=False)
        else:
            kind = "delta"
            bids = _changes((before.bid, before.bid_quantity), (quote.bid, quote.bid_quantity))
            asks = _changes((before.ask, before.ask_quantity), (quote.ask, quote.ask_quantity))
        if bids or asks:
            self._updates[quote.market] = self._updates.get(quote.market, 0) + 1
            self._hub.publish(stream, topic, self._book_frame(topic, kind, quote, bids, asks))

    def _book_frame(self, topic: str, kind: str, quote: Quote, bids: list[list[str]], asks: list[list[str]]) -> bytes:
        update = self._updates.setdefault(quote.market, 1)
        data = {"s": self._names[quote.market][1], "b": bids, "a": asks, "u": update, "seq": quote.sequence}
        stamp = quote.at_ns // 1_000_000
        return _encode({"topic": topic, "type": kind, "ts": stamp, "data": data, "cts": stamp})

    def _tick(self, market: MarketId, now_ns: int) -> None:
        """Publish what changed in the ticker."""
        stream, symbol = self._names[market]
        topic = f"tickers.{symbol}"
        if not self._live(stream, topic, now_ns):
            self._tickers.pop(market, None)
            return
        before = self._tickers.get(market)
        after = self._ticker(market, now_ns)
        if before is None or stream == "spot":  # spot tickers are always whole
            if before != after:
                self._hub.publish(stream, topic, self._ticker_frame(topic, "snapshot", after, now_ns))
            return
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        if changed:
            row = {"symbol": symbol, **changed}
            self._hub.publish(stream, topic, self._ticker_frame(topic, "delta", row, now_ns))

    def _ticker(self, market: MarketId, now_ns: int) -> dict[str, Any]:
        """Return the ticker as it is now and keep it as sent; the day's statistics are renewed every few seconds."""
        desk = self._exchange.venue.desks[market]
        row = self._tickers.get(market)
        if row is None or now_ns - self._statistics_ns.get(market, 0) >= _STATISTICS_EVERY_NS:
            self._statistics_ns[market] = now_ns
            row = {"symbol": desk.spec.instrument.native, **statistics(self._exchange, desk)}
        row = row | moving(desk)
        if self._names[market][0] == "spot":
            row = {name: value for name, value in row.items() if name[:3] not in {"bid", "ask"}}
        self._tickers[market] = row
        return row

    def _ticker_frame(self, topic: str, kind: str, row: dict[str, Any], now_ns: int) -> bytes:
        stamp = now_ns // 1_000_000
        return _encode({"topic": topic, "type": kind, "data": row, "cs": now_ns // 1000, "ts": stamp})


def _side(quote: Quote, *, bids: bool) -> list[list[str]]:
    price, quantity = (quote.bid, quote.bid_quantity) if bids else (quote.ask, quote.ask_quantity)
    return [[number(price), number(quantity)]] if quantity else []


def _changes(before: Level, after: Level) -> list[list[str]]:
    """Return the delta of one side: a level that went has size "0"."""
    if before == after:
        return []
    gone = [[number(before[0]), "0"]] if before[1] and (before[0] != after[0] or not after[1]) else []
    return [*gone, [number(after[0]), number(after[1])]] if after[1] else gone


def _trade(symbol: str, trade: Trade, direction: str) -> dict[str, Any]:
    return {
        "T": trade.at_ns // 1_000_000,
        "s": symbol,
        "S": SIDES[trade.side],
        "v": number(trade.quantity),
        "p": number(trade.price),
        "L": direction,
        "i": trade.trade_id,
        "BT": False,
        "RPI": False,
        "seq": trade.at_ns // 1000,
    }


def _kline_frame(topic: str, interval: str, candle: Candle, now_ns: int) -> bytes:
    start = candle.open_ns // 1_000_000
    row = {
        "start": start,
        "end": start + candle.timeframe_s * 1000 - 1,
        "interval": interval,
        "open": number(candle.open),
        "close": number(candle.close),
        "high": number(candle.high),
        "low": number(candle.low),
        "volume": short(candle.volume),
        "turnover": short(candle.turnover),
        "confirm": candle.closed,
        "timestamp": candle.at_ns // 1_000_000,
    }
    return _encode({"topic": topic, "data": [row], "ts": now_ns // 1_000_000, "type": "snapshot"})
