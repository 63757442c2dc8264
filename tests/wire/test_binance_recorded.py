"""What Binance USD-M once said, over real websockets, through the feed as the daemon runs it.

What is expected is computed here from the raw files by `json` and `Decimal` alone.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from kangbot.machines.bars import BarBuilder
from kangbot.model.data import Bar, Quote
from kangbot.ports import Channel
from tests.wire.conftest import Everything, Hubs, events, garbled, ignored, instrument, until
from tests.wire.recorded import Frame, four_markets, stream_files
from tests.wire.replay import Replay, path_of

pytestmark = pytest.mark.recorded

BITCOIN = instrument("BTCUSDT")
NEEDED = ("btcusdt@bookTicker", "btcusdt@trade")
Shape = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]


def raw(frames: Sequence[Frame], kind: str) -> list[dict[str, Any]]:
    """Return the payloads of one kind of stream, straight from the file."""
    return [json.loads(frame.data)["data"] for frame in frames if frame.stream.partition("@")[2] == kind]


def minutes(trades: Sequence[Mapping[str, Any]]) -> list[Shape]:
    """Return the 1-minute bars of raw trades as (minute, open, high, low, close, volume)."""
    groups: dict[int, list[Mapping[str, Any]]] = {}
    for row in trades:
        groups.setdefault(row["T"] // 60_000, []).append(row)
    bars = []
    for minute, rows in sorted(groups.items()):
        prices = [Decimal(row["p"]) for row in rows]
        volume = sum((Decimal(row["q"]) for row in rows), Decimal(0))
        bars.append((minute, prices[0], max(prices), min(prices), prices[-1], volume))
    return bars


def shape(bar: Bar) -> Shape:
    """Return a bar in the form of `minutes`."""
    return (bar.open_ns // 60_000_000_000, bar.open, bar.high, bar.low, bar.close, bar.volume)


def top(quote: Quote) -> tuple[int, str, str, str, str]:
    """Return a quote as the venue writes it: update id, bid, its quantity, ask, its quantity."""
    return (quote.sequence, str(quote.bid), str(quote.bid_quantity), str(quote.ask), str(quote.ask_quantity))


def raw_tops(frames: Sequence[Frame]) -> list[tuple[int, str, str, str, str]]:
    """Return the book tickers in the form of `top`."""
    return [(row["u"], row["b"], row["B"], row["a"], row["A"]) for row in raw(frames, "bookTicker")]


async def test_across_midnight_at_full_speed_nothing_is_lost(hub_on: Hubs) -> None:
    """73,000 frames: each decoded or left unused on purpose; tops, trades and 1-minute bars are the file's own."""
    frames = stream_files("btcusdt_20230404.dat.gz", "btcusdt_20230405.dat.gz")
    told = Everything()
    needed = (*NEEDED, "btcusdt@kline_1m")  # no bars were recorded; asking for them opens the other path too
    async with Replay(frames, needed=needed) as replay, hub_on(replay, "trade") as hub:
        hub.subscribe(BITCOIN, {Channel.QUOTE: None, Channel.TRADE: None, Channel.BAR: 60}, told)
        expected = Counter(frame.stream.partition("@")[2] for frame in frames)
        used = expected.pop("bookTicker") + expected.pop("trade")
        await until(lambda: events(hub) == used and ignored(hub).total() == expected.total())
        assert garbled(hub) == 0
        assert ignored(hub) == Counter({f"stream.{kind}": count for kind, count in expected.items()})
        assert replay.sent == len(frames)
        assert sum(stream.counters.frames for stream in hub.streams) == len(frames) + len(replay.requests)
        assert told.live == set(NEEDED)

    assert [top(quote) for quote in told.quotes] == raw_tops(frames)
    trades = raw(frames, "trade")
    ids = [int(trade.trade_id) for trade in told.trades]
    assert ids == [row["t"] for row in trades]
    assert all(after == before + 1 for before, after in pairwise(ids))

    builder = BarBuilder(market=BITCOIN.market, timeframe_s=60)
    bars = [bar for trade in told.trades for bar in builder.add(trade)]
    bars += builder.tick(told.trades[-1].at_ns + 120_000_000_000)
    assert [shape(bar) for bar in bars] == minutes(trades)[1:]  # the first minute began before the recording
    assert len(bars) == 8


async def test_at_recorded_speed_frames_come_when_they_came(hub_on: Hubs) -> None:
    """Three seconds of the recording take three seconds, and are told in order as they come."""
    frames = stream_files("btcusdt_20230404.dat.gz")
    frames = [frame for frame in frames if frame.received_us < frames[0].received_us + 3_000_000]
    told = Everything()
    async with Replay(frames, needed=NEEDED, speed=1.0) as replay, hub_on(replay, "trade") as hub:
        subscription = hub.subscribe(BITCOIN, {Channel.QUOTE: None, Channel.TRADE: None}, told)
        await subscription.live()
        began_s = time.monotonic()
        await until(lambda: replay.sent == len(replay.of("public")))
        await until(lambda: len(told.quotes) == len(raw(frames, "bookTicker")))
        assert time.monotonic() - began_s > 2.5
        assert garbled(hub) == 0
    assert [top(quote) for quote in told.quotes] == raw_tops(frames)
    assert [trade.trade_id for trade in told.trades] == [str(row["t"]) for row in raw(frames, "trade")]


async def test_four_markets_on_two_paths_reach_their_own_sinks(hub_on: Hubs) -> None:
    """Quotes from `/public`, aggregate trades and bars from `/market`; depth is left unused."""
    frames = four_markets()
    natives = ("SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT")
    kinds = ("bookTicker", "aggTrade", "kline_1m")
    needed = [f"{native.lower()}@{kind}" for native in natives for kind in kinds]
    sinks = {native: Everything() for native in natives}
    async with Replay(frames, needed=needed) as replay, hub_on(replay, "aggTrade") as hub:
        for native, sink in sinks.items():
            channels = {Channel.QUOTE: None, Channel.TRADE: None, Channel.BAR: 60}
            hub.subscribe(instrument(native), channels, sink)
        await until(lambda: sum(stream.counters.frames for stream in hub.streams) == len(frames) + len(replay.requests))
        assert {path for path, _ in replay.requests} == {"public", "market"}
        assert garbled(hub) == 0
        assert ignored(hub) == {"stream.depth@100ms": sum("depth" in frame.stream for frame in frames)}
        assert set().union(*(sink.live for sink in sinks.values())) == set(needed)

    for native, sink in sinks.items():
        own = [frame for frame in frames if frame.stream.startswith(f"{native.lower()}@")]
        assert [top(quote) for quote in sink.quotes] == raw_tops(own)
        assert [trade.trade_id for trade in sink.trades] == [str(row["a"]) for row in raw(own, "aggTrade")]
        closed = [row["k"] for row in raw(own, "kline_1m") if row["k"]["x"]]
        assert [(bar.open_ns // 1_000_000, str(bar.close), str(bar.volume)) for bar in sink.bars] == [
            (row["t"], row["c"], row["v"]) for row in closed
        ]
        assert len(closed) == 1
        markets = [
            *(quote.market for quote in sink.quotes),
            *(trade.market for trade in sink.trades),
            *(bar.market for bar in sink.bars),
        ]
        assert set(markets) == {instrument(native).market}


def test_the_replay_is_as_strict_about_paths_as_the_venue() -> None:
    """Else the test of the paths could not fail."""
    assert [path_of(f"btcusdt@{kind}") for kind in ("bookTicker", "depth@0ms", "trade", "aggTrade", "kline_1m")] == [
        "public",
        "public",
        "public",
        "market",
        "market",
    ]
