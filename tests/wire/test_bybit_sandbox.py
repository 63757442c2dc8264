"""Bybit's dialects on the sandbox exchange's wire, through the feed as the daemon runs it.

What is expected is computed here from the raw frames by `json` and `Decimal` alone.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.machines.bars import BarBuilder
from kangbot.model.data import MarketData, Quote
from kangbot.model.ids import ClientId, MarketId, Symbol, client_id
from kangbot.model.market import Instrument
from kangbot.model.money import floor_to
from kangbot.model.orders import (
    AccountEvent,
    Balance,
    Fill,
    FillCause,
    Intent,
    OrderKind,
    OrderReport,
    OrderStatus,
    Purpose,
    Side,
    VenuePosition,
)
from kangbot.ports import Channel, Denied, Dialect, LoginDenied, Message, Topic
from kangbot.runtime.world import Clock, World
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import Sandbox, serve
from kangbot.venues.bybit.feed import BybitPrivate, BybitPublic
from kangbot.venues.bybit.venue import BybitVenue
from tests.wire.conftest import Everything, garbled, ignored, until

MINUTE_NS = 60_000_000_000
E = TypeVar("E")
NAMES = (Symbol("BTC/USDT:USDT"), Symbol("ETH/USDT:USDT"), Symbol("BTC/USDT"))


class Tapped(BybitPublic):
    """A public dialect that keeps the frames it decodes."""

    frames: list[bytes]

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Keep the frame, then decode it."""
        self.frames.append(frame)
        return super().decode(frame)


@dataclass(slots=True)
class Account:
    """A sink that keeps what the account is told."""

    events: list[AccountEvent | MarketData] = field(default_factory=list)
    live: set[str] = field(default_factory=set)

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Keep the event."""
        self.events.append(event)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Keep which topics are live."""
        (self.live.add if live else self.live.discard)(topic.native)

    def garbled(self, topic: Topic) -> None:
        """Forget it: the hub counts them."""

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


@dataclass(slots=True)
class Bench:
    """A sandbox, an adapter and a hub on it."""

    sandbox: Sandbox
    venue: BybitVenue
    hub: FeedHub
    clock: Clock
    frames: list[bytes]
    instruments: dict[Symbol, Instrument]
    number: int = 0

    def intent(self, instrument: Instrument, **changes: Any) -> Intent:
        """Return a market order under a new client id."""
        self.number += 1
        values: dict[str, Any] = {
            "client_id": client_id("wiretest", self.number),
            "number": self.number,
            "market": instrument.market,
            "purpose": Purpose.ENTRY,
            "side": Side.BUY,
            "kind": OrderKind.MARKET,
            "quantity": Decimal("0.01"),
            "reference": self.price(instrument),
            "reason": "test",
            "at_ns": self.clock.now_ns(),
            "deadline_ns": self.clock.now_ns() + 5_000_000_000,
        }
        return Intent(**(values | changes))

    def price(self, instrument: Instrument) -> Decimal:
        """Return the best bid at the venue."""
        return self.sandbox.exchange.desk(instrument.kind.value, instrument.native).book.best(Side.SELL)

    async def control(self, path: str, body: object) -> None:
        """Ask the sandbox's control interface."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.sandbox.rest_url}/sandbox/{path}", json=body) as answer,
        ):
            assert answer.status == 200, await answer.text()


@asynccontextmanager
async def bench_at(anchor_ns: int | None = None) -> AsyncIterator[Bench]:
    """Open a bench whose clock begins at `anchor_ns`; now where it is None."""
    clock = Clock(anchor_ns=anchor_ns)
    options = ServeOptions(
        symbols=("BTCUSDT", "ETHUSDT"), spot_symbols=("BTCUSDT",), history_minutes=10, rate=40.0, enforce_limits=False
    )
    frames: list[bytes] = []

    async with await serve(options, clock) as sandbox:
        venue = BybitVenue(
            key="sandbox",
            secret="sandbox",
            rest_url=sandbox.rest_url,
            now_ns=clock.now_ns,
            venue_now_ms=lambda: clock.now_ns() // 1_000_000,
        )

        def tapped(url: str, category: Any) -> Dialect:
            dialect = Tapped(url=url, category=category)
            dialect.frames = frames
            return dialect

        hub = FeedHub(
            world=World(clock=clock, seed=b"wire"),
            name="bybit",
            public=[lambda: tapped(sandbox.ws_public_url, "linear"), lambda: tapped(sandbox.ws_spot_url, "spot")],
            private=lambda: private(sandbox, venue.market_of),
            connects=ConnectBudget(clock),
            on_note=lambda *_: None,
        )
        try:
            instruments = dict(await venue.instruments(NAMES))
            async with hub:
                yield Bench(sandbox, venue, hub, clock, frames, instruments)
        finally:
            await venue.aclose()


def private(
    sandbox: Sandbox, markets: Callable[[str, str], MarketId | None] = lambda *_: None, secret: str = "sandbox"
) -> BybitPrivate:
    """Return the private dialect for a sandbox."""
    return BybitPrivate(url=sandbox.ws_private_url, key="sandbox", secret=secret, markets=markets)


# ------------------------------------------------------------------------------------------------------ public topics
def pushes(frames: Sequence[bytes], topic: str) -> list[dict[str, Any]]:
    """Return the pushes of one topic, straight from the wire."""
    return [push for push in map(json.loads, frames) if push.get("topic") == topic]


def tops(frames: Sequence[bytes], topic: str) -> list[tuple[int, Decimal, Decimal, Decimal, Decimal]]:
    """Return (update id, bid, its quantity, ask, its quantity) after each push of the topic."""
    out = []
    sides: dict[str, dict[Decimal, Decimal]] = {"b": {}, "a": {}}
    for push in pushes(frames, topic):
        for side, levels in sides.items():
            if push["type"] == "snapshot":
                levels.clear()
            levels.update({Decimal(price): Decimal(quantity) for price, quantity in push["data"][side]})
            for price in [price for price, quantity in levels.items() if not quantity]:
                del levels[price]
        bid, ask = max(sides["b"]), min(sides["a"])
        out.append((push["data"]["u"], bid, sides["b"][bid], ask, sides["a"][ask]))
    return out


def top(quote: Quote) -> tuple[int, Decimal, Decimal, Decimal, Decimal]:
    """Return a quote in the form of `tops`."""
    return (quote.sequence, quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity)


def seconds(rows: Sequence[dict[str, Any]]) -> dict[int, tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Return open, high, low, close and volume of the raw trades, second by second."""
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["T"] // 1000, []).append(row)
    return {
        second: (
            Decimal(group[0]["p"]),
            max(Decimal(row["p"]) for row in group),
            min(Decimal(row["p"]) for row in group),
            Decimal(group[-1]["p"]),
            sum((Decimal(row["v"]) for row in group), Decimal(0)),
        )
        for second, group in groups.items()
    }


async def test_every_public_frame_is_read_and_told_as_it_was_said() -> None:
    """Quotes, trades and a minute's bar of two contracts and a spot market; bars of seconds from the trades."""
    minute_ns = 1_700_000_040_000_000_000 // MINUTE_NS * MINUTE_NS + MINUTE_NS
    async with bench_at(minute_ns - 3_000_000_000) as bench:
        sinks = {symbol: Everything() for symbol in NAMES}
        for symbol, sink in sinks.items():
            channels = {Channel.QUOTE: None, Channel.TRADE: None, Channel.BAR: 60}
            bench.hub.subscribe(bench.instruments[symbol], channels, sink)
        await until(lambda: all(sink.bars and len(sink.trades) > 30 for sink in sinks.values()), 30)
        await bench.hub.aclose()
        assert garbled(bench.hub) == 0
        assert not ignored(bench.hub)

    # Both categories call their Bitcoin market BTCUSDT, so their frames are told apart by what only one sink was told.
    eth, native = sinks[NAMES[1]], "ETHUSDT"
    assert [top(quote) for quote in eth.quotes] == tops(bench.frames, f"orderbook.1.{native}")
    rows = [row for push in pushes(bench.frames, f"publicTrade.{native}") for row in push["data"]]
    assert [(trade.trade_id, str(trade.price), str(trade.quantity)) for trade in eth.trades] == [
        (row["i"], row["p"], row["v"]) for row in rows
    ]
    assert [trade.side for trade in eth.trades] == [Side(row["S"].lower()) for row in rows]
    (bar,) = eth.bars
    (said,) = [row for push in pushes(bench.frames, f"kline.1.{native}") for row in push["data"] if row["confirm"]]
    assert bar.open_ns == said["start"] * 1_000_000 == minute_ns - MINUTE_NS
    assert [str(value) for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)] == [
        said[key] for key in ("open", "high", "low", "close", "volume")
    ]
    ids = {row["i"] for push in pushes(bench.frames, "publicTrade.BTCUSDT") for row in push["data"]}
    assert ids == {trade.trade_id for name in (NAMES[0], NAMES[2]) for trade in sinks[name].trades}

    builder = BarBuilder(market=bench.instruments[NAMES[1]].market, timeframe_s=1, fill_empty=False)
    built = [one for trade in eth.trades for one in builder.add(trade)]
    expected = seconds(rows)
    for second in (min(expected), max(expected)):  # the first began before, the last has not ended
        del expected[second]
    assert {
        one.open_ns // 1_000_000_000: (one.open, one.high, one.low, one.close, one.volume) for one in built
    } == expected


# ------------------------------------------------------------------------------------------------------- the account
async def test_an_entry_its_stop_and_its_exit_are_told_by_the_account() -> None:
    """Our orders under our ids, the venue's stop as protective, fills that sum to the position, balances."""
    async with bench_at() as bench:
        instrument, told = bench.instruments[NAMES[0]], Account()
        await bench.hub.account(told).live()
        assert told.live == {"order", "execution", "position", "wallet"}
        price = bench.price(instrument)
        stop = floor_to(price * Decimal("0.8"), instrument.tick)
        entry = bench.intent(instrument, stop=stop)
        await bench.venue.submit(instrument, entry)
        await until(lambda: any(report.protective for report in told.of(OrderReport)), 10)
        await until(lambda: any(position.stop == stop for position in told.of(VenuePosition)), 10)

        ours = [report for report in told.of(OrderReport) if report.client_id == entry.client_id]
        assert ours[-1].status is OrderStatus.FILLED
        assert ours[-1].filled == entry.quantity
        (guard, *_) = [report for report in told.of(OrderReport) if report.protective]
        assert guard.client_id is None
        assert (guard.status, guard.side, guard.trigger) == (OrderStatus.ACKED, Side.SELL, stop)
        assert sum(fill.signed for fill in told.of(Fill)) == told.of(VenuePosition)[-1].net == entry.quantity

        leave = bench.intent(instrument, purpose=Purpose.EXIT, side=Side.SELL, reduce_only=True)
        await bench.venue.submit(instrument, leave)
        await until(lambda: any(not position.net for position in told.of(VenuePosition)), 10)
        await until(lambda: any(r.protective and r.status is OrderStatus.CANCELED for r in told.of(OrderReport)), 10)
        assert not sum(fill.signed for fill in told.of(Fill))
        by_id: dict[ClientId | None, Decimal] = {}
        for fill in told.of(Fill):
            by_id[fill.client_id] = by_id.get(fill.client_id, Decimal(0)) + fill.quantity
            assert fill.cause is FillCause.TRADE
            assert (fill.fee > 0, fill.fee_currency) == (True, "USDT")
        assert by_id == {entry.client_id: entry.quantity, leave.client_id: leave.quantity}
        balances = told.of(Balance)
        assert {balance.currency for balance in balances} == {"USDT"}
        assert any(balance.available < balance.equity for balance in balances)  # while the position was held
        assert balances[-1].available == balances[-1].equity
        assert garbled(bench.hub) == 0
        assert not ignored(bench.hub)


async def test_a_triggered_stop_is_a_fill_of_no_order_of_ours() -> None:
    """The venue closes the position; the fill's cause is the stop."""
    async with bench_at() as bench:
        instrument, told = bench.instruments[NAMES[0]], Account()
        await bench.hub.account(told).live()
        stop = floor_to(bench.price(instrument) * Decimal("0.97"), instrument.tick)
        await bench.venue.submit(instrument, bench.intent(instrument, stop=stop))
        await until(lambda: any(position.stop == stop for position in told.of(VenuePosition)), 10)
        await bench.control("jump", {"symbol": "BTCUSDT", "ratio": 0.95})
        await until(lambda: not told.of(VenuePosition)[-1].net, 10)
        stopped = [fill for fill in told.of(Fill) if fill.cause is FillCause.STOP]
        assert sum(fill.signed for fill in stopped) == Decimal("-0.01")
        assert all(fill.client_id is None for fill in stopped)
        assert garbled(bench.hub) == 0


# ---------------------------------------------------------------------------------------------------------- refusals
async def answer(socket: ClientConnection, dialect: Dialect, frame: str) -> Message:
    """Send one frame and return the one message that answers it."""
    await socket.send(frame)
    (message,) = dialect.decode(await socket.recv(decode=False))
    return message


async def test_a_login_under_a_wrong_secret_is_denied() -> None:
    """The refusal is the venue's; a person must look at the key."""
    async with bench_at() as bench:
        dialect = private(bench.sandbox, secret="wrong")
        frame = dialect.login(bench.clock.now_ns())
        assert frame is not None
        async with connect(dialect.url, proxy=None) as socket:
            assert isinstance(await answer(socket, dialect, frame), LoginDenied)


@pytest.mark.parametrize("others", [0, 2])
async def test_an_unknown_topic_is_denied_by_its_name(others: int) -> None:
    """Alone, and among topics that exist; the venue then subscribes none of them."""
    async with bench_at() as bench:
        dialect = BybitPublic(url=bench.sandbox.ws_public_url, category="linear")
        market = bench.instruments[NAMES[0]].market
        natives = [*["orderbook.1.BTCUSDT", "publicTrade.BTCUSDT"][:others], "publicTrade.NOPEUSDT"]
        channel = Channel.TRADE
        topics = [Topic(market=market, channel=channel, native=native) for native in natives]
        async with connect(dialect.url, proxy=None) as socket:
            denied = await answer(socket, dialect, dialect.subscribe("7", topics))
        assert isinstance(denied, Denied)
        assert (denied.request, denied.native) == ("7", "publicTrade.NOPEUSDT")
