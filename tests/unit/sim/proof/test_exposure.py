"""What is held against what is at risk at the venue, by the limits of now and of before."""

from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec

from kangbot.model.ids import ClientId, MarketId, client_id
from kangbot.model.orders import Intent, OrderStatus, Side
from kangbot.risk.limits import Limits
from kangbot.sim.exchange.events import Executed
from kangbot.sim.proof.exposure import ExposureWatch
from kangbot.sim.proof.hands import HandWatch
from tests.support import trade_words
from tests.support.sim_bench import Bench

D = Decimal


class Story:
    """A watch over a venue of three markets, and what it objected to."""

    def __init__(self, bench: Bench, **limits: Any) -> None:
        self.bench = bench
        self.said: list[str] = []
        self.intents: dict[ClientId, Intent] = {}
        self.statuses: dict[ClientId, OrderStatus] = {}
        self.hands = HandWatch(self.said.append, Counter())
        self.watch = ExposureWatch(
            engine=bench.venue,
            hands=self.hands,
            limits=Limits(**limits),
            intents=self.intents,
            statuses=self.statuses,
            fail=self.said.append,
        )
        self.number = 0

    def intends(self, quantity: str, market: MarketId | None = None) -> ClientId:
        """Have the daemon make an entry, at 1000."""
        self.number += 1
        name = client_id("journal1", self.number)
        intent = msgspec.structs.replace(
            trade_words.intent(),
            client_id=name,
            market=market or self.bench.btc,
            quantity=D(quantity),
            reference=D(1000),
        )
        self.intents[name], self.statuses[name] = intent, OrderStatus.INTENT
        self.watch.intended(intent)
        return name

    def enters(self, quantity: str, side: Side = Side.BUY) -> None:
        """Have an order of the daemon's filled, and look."""
        self.number += 1
        name = self.intends(quantity) if side is Side.BUY else client_id("exit", self.number)
        self.bench.submit(side, quantity, client_id=name, reduce_only=side is Side.SELL)
        for event in self.bench.told(Executed):
            self.hands.executed(event.fill, event.order)
        self.statuses[name] = OrderStatus.FILLED
        self.watch.look()


def test_more_than_the_limit_is_told(bench: Bench) -> None:
    """Of one market, and of all; a little more is what prices do."""
    story = Story(bench, market_notional=D(500))
    story.enters("0.5")
    assert story.said == []
    story.enters("0.1")
    assert [words.split(" is ")[0] for words in story.said] == [f"exposure of {bench.btc}"]
    other = Story(Bench(), total_notional=D(500), leverage=D("0.04"))
    other.enters("0.6")
    assert [words.split(" is ")[0] for words in other.said] == ["exposure", "exposure by equity"]


def test_a_lowered_limit_sells_nothing(bench: Bench) -> None:
    """What is held may stay above it. Once it was kept, it holds as any."""
    story = Story(bench, market_notional=D(1000))
    story.enters("0.8")
    assert story.watch.limited(Limits(market_notional=D(500)))
    story.watch.look()
    story.enters("0.5", Side.SELL)
    story.watch.look()
    assert story.said == []
    story.enters("0.5")
    assert [words.split(", ")[0] for words in story.said] == [f"exposure of {bench.btc} is 800.16 at the venue"]


def test_an_entry_beyond_a_lowered_limit_is_told_as_it_is_made(bench: Bench) -> None:
    """Before the venue has it."""
    story = Story(bench, market_notional=D(1000))
    story.enters("0.8")
    assert story.watch.limited(Limits(market_notional=D(500)))
    name = story.intends("0.1")
    assert [words.split(" is ")[:2] for words in story.said] == [
        [f"entry {name}", f"intended, and with it exposure of {bench.btc}"]
    ]


def test_what_was_under_way_when_a_limit_was_lowered_may_arrive(bench: Bench) -> None:
    """It was admitted by the old one; once it has ended, the new one holds."""
    story = Story(bench, market_notional=D(1000))
    name = story.intends("0.8")
    assert not story.watch.limited(Limits(market_notional=D(500)))
    story.watch.look()
    bench.submit(Side.BUY, "0.8", client_id=name)
    for event in bench.told(Executed):
        story.hands.executed(event.fill, event.order)
    story.watch.look()
    assert story.said == []
    story.statuses[name] = OrderStatus.FILLED
    story.enters("0.5", Side.SELL)
    assert story.said == []
    story.enters("0.5")
    assert len(story.said) == 1


def test_an_intent_that_was_not_written_before_a_crash_never_happened(bench: Bench) -> None:
    """So nothing waits for its end."""
    story = Story(bench, market_notional=D(1000))
    lost = story.intends("0.8")
    assert not story.watch.still(bench.btc)
    del story.intents[lost], story.statuses[lost]
    story.watch.begins(bench.venue.desks, Limits(market_notional=D(1000)))
    assert story.watch.still(bench.btc)


def test_a_market_that_nobody_looks_after_does_not_count(bench: Bench) -> None:
    """Once it is back it may be above the limit with the others, and again nothing is added."""
    limits = Limits(total_notional=D(500))
    story = Story(bench, total_notional=D(500))
    story.enters("0.5")
    story.watch.begins([bench.eth, bench.spot], limits)
    bench.quote(bench.btc, "2000")
    story.watch.look()
    assert story.said == []
    story.watch.joins(bench.btc)
    story.watch.look()
    assert story.said == []
    story.intends("0.1")
    assert len(story.said) == 1


def test_a_market_is_still_where_nothing_is_held_and_nothing_under_way(bench: Bench) -> None:
    """An order that rests, one that is on its way, and what is held: each alone disturbs it."""
    story = Story(bench)
    assert story.watch.still(bench.btc)
    name = story.intends("0.5")
    assert not story.watch.still(bench.btc)
    assert story.watch.still(bench.eth)
    story.statuses[name] = OrderStatus.REJECTED
    assert story.watch.still(bench.btc)
    story.enters("0.5")
    assert not story.watch.still(bench.btc)


def test_orders_that_have_ended_are_forgotten(bench: Bench) -> None:
    """A session has thousands."""
    story = Story(bench)
    for _ in range(100):
        story.statuses[story.intends("0.1")] = OrderStatus.CANCELED
    assert len(story.watch._made) < 40
