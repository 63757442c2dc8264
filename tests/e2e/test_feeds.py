"""The feeds of a real daemon: what it owes a host over kills and restarts, and what a mute topic does to it."""

import os
import signal
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kangbot.feed.kept import Counted
from kangbot.health.report import MarketReport, Report
from kangbot.model.events import OrderIntended
from kangbot.model.ids import MarketId
from kangbot.model.orders import Purpose
from kangbot.modes import CONNECTS
from tests.support.agreement import Journalled
from tests.support.processes import MARKETS, World, net
from tests.support.resolver import HOST, Resolver
from tests.support.steady import Steady

pytestmark = pytest.mark.process


def connects(world: World) -> int:
    """Return how often the exchange was connected to."""
    return int(sum(world.sandbox.truth()["connects"].values()))


def test_a_daemon_that_is_killed_again_and_again_stays_within_its_connects(world: World) -> None:
    """Two connects a life, five allowed in five minutes: the third life gets one of its two."""
    world.environment["KANGBOT_VENUES__BYBIT__CONNECTS_PER_5_MINUTES"] = "5"
    for life in (1, 2):
        world.start()
        world.live()
        world.daemon.kill()
        assert connects(world) == 2 * life
    world.start()
    world.until(lambda report: report.frames > 0 or connects(world) == 5)
    time.sleep(5.0)
    assert connects(world) == 5
    counted = msgspec.json.decode((world.state / CONNECTS).read_bytes(), type=Counted)
    assert len(counted.stamps) == 5


@pytest.mark.parametrize("seconds", [15, pytest.param(45, marks=pytest.mark.sweep)])
def test_a_loop_that_stood_still_reconnects_nothing(world: World, seconds: int) -> None:
    """The process is stopped and goes on: no socket is taken for dead and no topic for silent, however long it was."""
    world.start()
    world.live()
    before = world.until(lambda report: report.frames > 300)
    dialled = connects(world)
    os.kill(world.daemon.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(world.daemon.pid, signal.SIGCONT)
    world.until(lambda report: report.frames > before.frames + 300)
    after = world.until(lambda report: all(not market.stale for market in report.markets))
    assert after.reconnects == before.reconnects
    assert connects(world) == dialled
    assert [market.troubles for market in after.markets] == [market.troubles for market in before.markets]


def test_most_private_events_lost_while_heartbeats_flow_are_noticed_by_asking(world: World) -> None:
    """Four frames of five never come: within a minute positions agree with the exchange, and nothing is doubled."""
    world.start()
    world.live()
    world.sandbox.fault({"fault": "mute_private_events", "fraction": 0.8, "for_s": 600})
    before = world.client.report()
    world.until(lambda report: report.orders.sent >= before.orders.sent + 15)
    world.sandbox.pause()  # prices stand still: what is in flight settles
    given_up = time.monotonic() + 120
    while (ours := held(world.client.report())) != (theirs := net(world.sandbox.truth()["positions"])):
        assert time.monotonic() < given_up, (ours, theirs)
        time.sleep(0.5)
    after = world.client.report()
    assert after.reconnects == before.reconnects  # the socket was well all the while
    assert world.sandbox.truth()["duplicates"]["accepted"] == 0


def test_a_resolver_that_takes_eight_seconds_leaves_nobody_deaf(world: World, tmp_path: Path) -> None:
    """No connect waits for so long: the answer is there for the next one, and for all after a connection is lost."""
    resolver = Resolver(tmp_path / "site")
    resolver.work(after_s=8.0)
    found = {name: value.replace("127.0.0.1", HOST) for name, value in world.environment.items() if "URL" in name}
    world.environment |= {**found, **resolver.environment}
    world.start()
    world.live()
    world.orders(more_than=0)
    before = world.client.report()
    with Steady() as steady:
        lost_s = time.time()
        world.sandbox.fault({"fault": "drop_sockets", "which": "all"})
        after = world.until(lambda report: report.reconnects >= before.reconnects + 2)
        assert steady.since(lost_s, after.at_ns / 1e9) < 30
        heard = world.until(lambda report: report.frames > after.frames + 100)
        assert steady.since(after.at_ns / 1e9, heard.at_ns / 1e9) < 30


def held(report: Report) -> dict[str, Decimal]:
    """Return what the daemon believes to hold, by base currency."""
    return {market.symbol.partition("/")[0]: market.net for market in report.markets if market.net}


def test_one_mute_topic_holds_its_own_market_only(world: World) -> None:
    """Its quotes cease while all else flows: nothing is entered there, and it heals alone."""
    world.start()
    world.live()
    mute = f"{MARKETS[0]}/USDT:USDT"
    # By then the usual gap of each topic is learned; a topic that was only just subscribed has 10 s.
    world.until(lambda report: all(market.orders.filled and market.ticks > 150 for market in report.markets))
    before = world.client.report()
    world.sandbox.fault({"fault": "mute_topic", "topic": f"orderbook.1.{MARKETS[0]}USDT", "for_s": 600})
    with Steady() as steady:
        began_s = time.time()
        stale = world.until(lambda report: one(report, mute).stale != "")
        noticed_s = steady.since(began_s, stale.at_ns / 1e9)
    assert noticed_s < 25, noticed_s  # 4 s, or four times its longest gap, which a busy machine draws out
    assert [market.symbol for market in stale.markets if market.stale] == [mute]
    assert "the quote stream is down: silent" in one(stale, mute).stale
    world.until(lambda report: report.orders.filled >= stale.orders.filled + 10)
    last = world.client.report()
    assert one(last, mute).stale
    world.sandbox.heal()
    report = world.until(lambda report: not one(report, mute).stale)
    assert one(report, mute).troubles["silent"] >= 1
    others = [market for market in report.markets if market.symbol != mute]
    assert all(market.troubles == {} and not market.stale for market in others)
    assert report.reconnects == before.reconnects
    filled = one(report, mute).orders.filled
    world.until(lambda report: one(report, mute).orders.filled > filled)
    world.stop()
    assert entries(world, one(last, mute).market, stale.at_ns, last.at_ns) == 0
    assert sum(entries(world, market.market, stale.at_ns, last.at_ns) for market in others) > 0


def entries(world: World, market: MarketId, since_ns: int, until_ns: int) -> int:
    """Return how many entries the market was to send in that time, by the journal."""
    events = [record.event for record in Journalled(world.state).records]
    intents = [event.intent for event in events if isinstance(event, OrderIntended)]
    return sum(
        intent.market == market and intent.purpose is Purpose.ENTRY and since_ns <= intent.at_ns <= until_ns
        for intent in intents
    )


def one(report: Report, symbol: str) -> MarketReport:
    """Return the market's part."""
    return next(market for market in report.markets if market.symbol == symbol)
