"""Positions without their stops, and people beside the daemon, in real processes."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from kangbot.errors import NeedsHuman
from kangbot.health.report import Report
from kangbot.model.ids import Symbol
from kangbot.model.market import Instrument
from kangbot.model.money import floor_to
from kangbot.runtime.world import SECOND_NS
from kangbot.venues.bybit.venue import BybitVenue
from tests.support.processes import MARKETS, World, known, net
from tests.support.steady import Steady

pytestmark = pytest.mark.process


Hand = Callable[[BybitVenue, Mapping[Symbol, Instrument]], Coroutine[Any, Any, None]]


def somebody(world: World, hand: Hand) -> None:
    """Do something at the exchange, with the daemon's own key and past it."""

    async def main() -> None:
        venue = BybitVenue(
            key="sandbox",
            secret="sandbox",
            rest_url=world.sandbox.rest_url,
            now_ns=time.time_ns,
            venue_now_ms=lambda: time.time_ns() // 1_000_000,
        )
        try:
            await hand(venue, await venue.instruments([Symbol(f"{base}/USDT:USDT") for base in MARKETS]))
        finally:
            await venue.aclose()

    asyncio.run(main())


def set_stops(world: World, share: Decimal | None) -> None:
    """Move the stops of every position at the exchange to that share of its entry, or take them away (None)."""

    async def hand(venue: BybitVenue, instruments: Mapping[Symbol, Instrument]) -> None:
        for position in await venue.positions():
            (instrument,) = [one for one in instruments.values() if one.market == position.market]
            stop = None
            if share is not None and position.entry is not None:
                stop = floor_to(position.entry * (1 - share * (1 if position.net > 0 else -1)), instrument.tick)
            await venue.protect(instrument, stop)

    somebody(world, hand)


def set_leverage(world: World, leverage: int) -> None:
    """Set another leverage in every market, held or not."""

    async def hand(venue: BybitVenue, instruments: Mapping[Symbol, Instrument]) -> None:
        for instrument in instruments.values():
            await venue.prepare(instrument, leverage)

    somebody(world, hand)


def leverages(world: World) -> set[Decimal | None]:
    """Return which leverage the markets in which something is held have at the exchange."""
    found: set[Decimal | None] = set()

    async def hand(venue: BybitVenue, _: Mapping[Symbol, Instrument]) -> None:
        found.update([position.leverage for position in await venue.positions()])

    somebody(world, hand)
    return found


def stops(world: World) -> dict[str, Decimal]:
    """Return where the stops rest at the exchange."""
    return {symbol: Decimal(price) for symbol, price in world.sandbox.truth()["stops"].items()}


def calm(world: World) -> dict[str, Decimal]:
    """Freeze prices, wait until no bar changes anything any more, and return where the stops rest."""
    return {symbol: Decimal(price) for symbol, price in world.at_rest()["stops"].items()}


def near(some: dict[str, Decimal], others: dict[str, Decimal]) -> bool:
    """Whether they are the same, but for what a strategy leaves as it is."""
    return some.keys() == others.keys() and all(abs(some[one] / others[one] - 1) < Decimal("0.001") for one in some)


def notes(world: World, kind: str) -> list[str]:
    """Return the markets of which the history has a note of that kind."""
    with closing(sqlite3.connect(world.state / "history.sqlite")) as database:
        return [market for (market,) in database.execute("SELECT market FROM events WHERE kind = ?", (kind,))]


def test_a_stop_that_was_lost_is_back_after_a_restart(world: World) -> None:
    """`kill -9`, the stops taken away meanwhile, markets that nobody starts: every position has its old stop again."""
    world.start()
    world.live()
    world.until(lambda report: sum(bool(market.net) for market in report.markets) >= 3)
    world.sandbox.pause()
    for base in MARKETS:
        world.client.tell(f"/markets/bybit:{base}-USDT:USDT/stop")
    world.until(lambda report: all(market.state == "stopped" for market in report.markets))
    before = world.sandbox.truth()
    assert before["stops"].keys() == before["positions"].keys() != set()
    world.daemon.kill()
    set_stops(world, None)
    assert world.sandbox.truth()["stops"] == {}
    world.start()
    world.until(lambda _: world.sandbox.truth()["stops"] == before["stops"])
    report = world.until(lambda report: not any(market.unprotected for market in report.markets))
    assert report.live == 0
    assert world.sandbox.truth()["positions"] == before["positions"]


def test_a_stop_that_is_taken_away_is_put_back_while_running(world: World) -> None:
    """The position's next push says that it is gone."""
    world.start()
    world.live()
    world.until(lambda report: any(market.net for market in report.markets))
    calm(world)
    held = net(world.sandbox.truth()["positions"])
    set_stops(world, None)
    world.until(lambda _: (truth := world.sandbox.truth())["stops"].keys() == truth["positions"].keys())
    world.until(lambda report: not report.unprotected)  # once the exchange has answered, too
    world.stop()
    assert set(notes(world, "stop.missing")) >= {f"bybit:{base}-USDT:USDT" for base in held}


def test_a_stop_that_is_moved_by_hand_is_told_and_put_back(world: World) -> None:
    """Each once, with where it stood, and that it is there again. None of our own moves is taken for a hand's."""
    world.start()
    world.live()
    world.orders(more_than=10)
    world.until(lambda report: any(market.net for market in report.markets))
    before = calm(world)
    moved = {f"bybit:{base}-USDT:USDT" for base in net(world.sandbox.truth()["positions"])}
    set_stops(world, Decimal("0.2"))
    world.until(lambda report: any(e.kind == "stop.settled" and e.total >= len(moved) for e in report.events))
    assert near(stops(world), before)
    world.stop()
    told = notes(world, "stop.moved")
    assert set(told) == set(notes(world, "stop.settled")) == moved
    assert len(told) == len(moved)


def test_a_leverage_that_is_changed_by_hand_is_told_and_put_back(world: World) -> None:
    """Once in each market, held or not; a position keeps it until it is closed, and what is entered then has ours."""
    world.start()
    world.live()
    world.orders(more_than=10)
    world.until(lambda report: any(market.net for market in report.markets))
    calm(world)
    # What the exchange says of it within five seconds of the start may be from before.
    world.until(lambda report: report.at_ns > max(market.since_ns for market in report.markets) + 6 * SECOND_NS)
    set_leverage(world, 7)
    world.until(lambda report: any(e.kind == "leverage.changed" and e.total == len(MARKETS) for e in report.events))
    assert leverages(world) == {Decimal(7)}
    world.sandbox.go_on()
    world.until(lambda report: any(e.kind == "leverage.settled" and e.total == len(MARKETS) for e in report.events))
    before = world.client.report().orders.filled
    world.orders(more_than=before + 10)
    report = world.until(lambda _: leverages(world) == {Decimal(2)})
    world.stop()
    every = sorted(market.market for market in report.markets)
    assert sorted(notes(world, "leverage.changed")) == sorted(notes(world, "leverage.settled")) == every


def test_a_margin_mode_that_is_changed_by_hand_is_told_and_left_as_it_is(world: World) -> None:
    """Changed while the daemon is away; it trades on in it, by what each currency has for itself."""

    async def hand(venue: BybitVenue, _: Mapping[Symbol, Instrument]) -> None:
        await venue._client.change("privatePostV5AccountSetMarginMode", {"setMarginMode": "ISOLATED_MARGIN"})

    world.start()
    world.live()
    assert world.until(lambda report: bool(report.margin)).margin == "cross"
    assert "margin is" not in world.kangbot("status")
    world.stop()
    somebody(world, hand)
    world.sandbox.go_on()
    world.start()
    report = world.until(lambda report: any(event.kind == "margin.changed" for event in report.events))
    assert report.margin == "isolated"
    assert "margin is isolated, for the whole account" in world.kangbot("status")
    world.orders(more_than=report.orders.filled + 5)
    world.stop()
    assert len(notes(world, "margin.changed")) == len(notes(world, "margin.known")) == 1


def test_hedge_mode_that_is_set_by_hand_holds_one_market_until_it_is_left(world: World) -> None:
    """The first entry is refused there; the others trade on. One-way again, `kangbot resume` lets it enter."""
    world.start()
    world.live()

    def mode(mode: int) -> bool:
        async def hand(venue: BybitVenue, _: Mapping[Symbol, Instrument]) -> None:
            await venue._client.change(
                "privatePostV5PositionSwitchMode", {"category": "linear", "symbol": "SOLUSDT", "mode": mode}
            )

        try:
            somebody(world, hand)
        except NeedsHuman:  # something is held there
            return False
        return True

    def settled(report: Report) -> bool:
        (sol,) = (market for market in report.markets if "SOL" in market.symbol)
        return sol.state == "paused" and known(sol.orders) == sol.orders.sent

    world.kangbot("pause", "SOL/USDT:USDT")  # in which it leaves and does not enter
    world.until(settled)  # an entry that had left before would be refused as well, and told of
    world.until(lambda _: mode(3))
    world.kangbot("resume", "SOL/USDT:USDT")
    report = world.until(lambda report: any("one-way" in market.blocked for market in report.markets))
    assert ["SOL" in market.symbol for market in report.markets] == ["one-way" in m.blocked for m in report.markets]
    world.orders(more_than=report.orders.filled + 10)
    assert "SOLUSDT" not in world.sandbox.truth()["positions"]
    assert mode(0)
    world.kangbot("resume", "SOL/USDT:USDT")
    world.until(lambda _: "SOLUSDT" in world.sandbox.truth()["positions"])
    world.stop()
    assert notes(world, "entries.paused") == ["bybit:SOL-USDT:USDT"]


def test_what_somebody_does_by_hand_is_told_and_left_alone(world: World) -> None:
    """An order and a position by hand: told within a minute, nothing entered beside them, neither touched."""
    world.sandbox.by_hand(
        {"category": "linear", "symbol": "SOLUSDT", "side": "Buy", "orderType": "Limit", "qty": "1", "price": "50"}
    )
    world.start()
    world.live()
    by_hand = {"category": "linear", "symbol": "XRPUSDT", "side": "Buy", "orderType": "Market", "qty": "3333"}
    world.sandbox.by_hand(by_hand)
    with Steady() as steady:
        at_s = time.time()
        told = world.until(
            lambda report: {one.symbol.split("/")[0] for one in report.markets if one.by_hand} >= {"SOL", "XRP"}
        )
        assert steady.since(at_s, told.at_ns / SECOND_NS) < 60
    (xrp,) = (one for one in world.orders(more_than=4).markets if "XRP" in one.symbol)
    assert xrp.price is not None
    world.until(lambda report: all(m.blocked.startswith("by_hand") for m in report.markets if "SOL" in m.symbol))
    truth = world.stop()
    assert "SOLUSDT" not in truth["positions"]
    ours = 500 / xrp.price * Decimal("1.05")  # at most: 500 USDT, of which the price has not moved by a twentieth since
    assert Decimal(truth["positions"]["XRPUSDT"]) >= 3333 - ours  # comes and goes
    assert notes(world, "order.foreign") == ["bybit:SOL-USDT:USDT"]
    assert "bybit:XRP-USDT:USDT" in notes(world, "position.by_hand")
    assert [row["orderStatus"] for row in world.sandbox.orders() if row["symbol"] == "SOLUSDT"] == ["New"]


def test_an_orphan_is_cancelled_and_a_strangers_order_is_not(world: World) -> None:
    """Under our prefix, and unknown to the journal: gone within a minute, and told."""
    order = {"category": "linear", "symbol": "ETHUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.1"}
    world.start()
    world.live()
    world.sandbox.by_hand(order | {"price": "1000", "orderLinkId": "kbzzzzzzzz1"})
    world.sandbox.by_hand(order | {"price": "1001", "orderLinkId": "my-own"})

    def status(client_id: str) -> list[str]:
        return [row["orderStatus"] for row in world.sandbox.orders() if row["orderLinkId"] == client_id]

    world.until(lambda _: status("kbzzzzzzzz1") == ["Cancelled"])
    world.stop()
    assert status("my-own") == ["New"]
    assert notes(world, "order.orphan") == ["bybit:ETH-USDT:USDT"]


def test_a_quarantine_is_lifted_by_a_person(world: World) -> None:
    """With the policy to quarantine, a trade by hand stops entries until `release`, whatever dies meanwhile."""
    world.config.write_text(world.config.read_text().replace("[risk]", '[risk]\nforeign = "quarantine"'))
    world.start()
    world.live()
    trade = {"category": "linear", "symbol": "DOGEUSDT", "side": "Buy", "orderType": "Market", "qty": "100"}
    world.sandbox.by_hand(trade)
    market = "bybit:DOGE-USDT:USDT"
    world.until(lambda report: any(m.market == market and "by no order of ours" in m.blocked for m in report.markets))
    for _ in range(2):
        world.daemon.kill()
        world.start()
        report = world.live()
        assert [m.market for m in report.markets if "by no order of ours" in m.blocked] == [market]
    world.client.release_market(market)
    world.daemon.kill()  # what was answered is on disk
    world.start()
    report = world.live()
    assert not any("no order" in m.blocked for m in report.markets)
    with pytest.raises(ValueError, match="no market"):
        world.client.release_market("bybit:NO-SUCH")
    world.stop()
    assert notes(world, "market.quarantine") == [market]
    assert notes(world, "market.released") == [market]
