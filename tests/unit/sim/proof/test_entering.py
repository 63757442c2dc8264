"""What is held against entries for their market: it is not live, nothing is heard, it rests, or too many are open."""

from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kangbot.model.events import FillApplied, OrderIntended, RoundTripClosed, RunState, RunStateChanged
from kangbot.model.ids import ClientId, MarketId, client_id
from kangbot.model.orders import FillCause, Intent, Purpose, Side
from kangbot.model.position import RoundTrip
from kangbot.risk.limits import Limits
from kangbot.sim.exchange.events import Executed
from kangbot.sim.proof.entering import EntryWatch
from kangbot.sim.proof.hands import HandWatch
from tests.support import trade_words
from tests.support.sim_bench import Bench
from tests.support.trade_words import SECOND, START

D = Decimal


class Story:
    """A watch over a venue of three markets, and what it objected to."""

    def __init__(self, **limits: Any) -> None:
        self.bench = Bench()
        self.said: list[str] = []
        self.intents: dict[ClientId, Intent] = {}
        self.hands = HandWatch(self.said.append, Counter())
        self.watch = EntryWatch(
            engine=self.bench.venue,
            hands=self.hands,
            limits=Limits(**limits),
            intents=self.intents,
            fail=self.said.append,
        )
        self.now_ns = START
        self.number = 0

    def turns(self, state: RunState, market: MarketId = Bench.btc) -> None:
        """Have a market come into that state."""
        before = RunState.STARTING
        event = RunStateChanged(market=market, before=before, after=state, reason="a test", at_ns=self.now_ns)
        self.watch.announced(event)

    def intends(self, market: MarketId = Bench.btc, purpose: Purpose = Purpose.ENTRY) -> Intent:
        """Have the daemon make an order, which is on disk at once."""
        self.number += 1
        intent = msgspec.structs.replace(
            trade_words.intent(at_ns=self.now_ns, purpose=purpose),
            client_id=client_id("journal1", self.number),
            market=market,
        )
        event = OrderIntended(intent=intent, at_ns=self.now_ns)
        self.watch.announced(event)
        self.watch.synced(event)
        self.intents[intent.client_id] = intent
        return intent

    def enters(self, market: MarketId, quantity: str = "0.5") -> None:
        """Have an entry of the daemon's filled."""
        self.bench.submit(Side.BUY, quantity, market=market, client_id=self.intends(market).client_id)
        self.heard()

    def heard(self) -> None:
        """Have the judge of hands learn what the venue has executed."""
        for event in self.bench.told(Executed):
            self.hands.executed(event.fill, event.order)

    def loses(self, *, on_disk: bool = True, profit: int = -1) -> None:
        """Have a round trip end so."""
        trip = RoundTrip(
            market=Bench.btc,
            side=Side.BUY,
            quantity=D(1),
            entry=D(100),
            exit=D(99),
            profit=D(profit),
            fees=D(0),
            opened_ns=self.now_ns,
            closed_ns=self.now_ns,
        )
        event = RoundTripClosed(trip=trip, strategy="test", at_ns=self.now_ns)
        self.watch.announced(event)
        if on_disk:
            self.watch.synced(event)

    def stopped(self, cause: FillCause = FillCause.STOP) -> None:
        """Have its stop sell the position."""
        fill = msgspec.structs.replace(trade_words.fill("e1", 1, cause=cause), market=Bench.btc)
        event = FillApplied(fill=fill, net=D(0), entry=None, at_ns=self.now_ns)
        self.watch.announced(event)
        self.watch.synced(event)

    @property
    def why(self) -> list[str]:
        """What was objected to, without the names."""
        return [words.partition("intended: ")[2] for words in self.said]


@pytest.fixture
def story() -> Story:
    """A session in which all markets are live, and nothing is limited."""
    told = Story()
    for market in told.bench.venue.desks:
        told.turns(RunState.LIVE, market)
    return told


def limited(story: Story, **limits: Any) -> None:
    """Have these limits hold from now on."""
    story.watch.limited(Limits(**limits))


def test_a_market_enters_while_it_is_live(story: Story) -> None:
    """Exits leave in any state; a new life knows of no state yet."""
    story.intends()
    assert story.said == []
    story.turns(RunState.PAUSED)
    story.intends(purpose=Purpose.EXIT)
    assert story.said == []
    story.intends()
    story.turns(RunState.LIVE)
    story.watch.begins()
    story.intends()
    assert story.why == ["the market is paused", "the market is stopped"]


def test_nothing_is_entered_while_nothing_is_heard(story: Story) -> None:
    """Of that very market, in the life that runs."""
    story.watch.deaf = lambda market: "deaf" if market == Bench.btc else ""
    story.intends(Bench.eth)
    story.intends(purpose=Purpose.EXIT)
    assert story.said == []
    story.intends()
    assert story.why == ["deaf"]


def test_a_market_rests_after_losses_in_a_row(story: Story) -> None:
    """A gain ends the row; clocks that differ a little end the rest a little earlier."""
    limited(story, consecutive_losses=2, losses_pause_ns=60 * SECOND)
    story.loses()
    story.loses(profit=1)
    story.loses()
    story.intends()
    assert story.said == []
    story.loses()
    story.now_ns += 58 * SECOND
    story.intends()
    assert story.why == ["it has lost 2 times in a row, and rests"]
    story.now_ns += SECOND
    story.intends()
    assert len(story.said) == 1


def test_a_restart_forgets_no_rest(story: Story) -> None:
    """But what no disk had has not happened."""
    limited(story, consecutive_losses=1, losses_pause_ns=60 * SECOND)
    story.loses(on_disk=False)
    story.watch.begins()
    story.turns(RunState.LIVE)
    story.intends()
    assert story.said == []
    story.loses()
    story.watch.begins()
    story.turns(RunState.LIVE)
    story.intends()
    assert len(story.said) == 1


@pytest.mark.parametrize(("cause", "objected"), [(FillCause.STOP, 1), (FillCause.LIQUIDATION, 1), (FillCause.TRADE, 0)])
def test_a_market_rests_after_its_stop(story: Story, cause: FillCause, objected: int) -> None:
    """And after a liquidation; an exit of its own is none."""
    limited(story, stop_pause_ns=60 * SECOND)
    story.stopped(cause)
    story.intends(Bench.eth)
    story.intends()
    assert len(story.said) == objected
    story.now_ns += 59 * SECOND
    story.intends()
    assert len(story.said) == objected


def test_no_more_markets_are_open_than_may_be(story: Story) -> None:
    """One that is open may grow; one whose entry is under way is open as well."""
    story.enters(Bench.eth)
    story.intends()
    assert story.said == []
    limited(story, open_positions=1)
    story.intends(Bench.eth)
    story.intends(purpose=Purpose.EXIT)
    assert story.said == []
    story.intends()
    assert story.why == [f"open are {Bench.eth}, the limit is 1"]
    other = Story(open_positions=1)
    other.turns(RunState.LIVE)
    other.turns(RunState.LIVE, Bench.eth)
    resting = other.intends(Bench.eth)
    other.bench.submit(Side.BUY, "0.5", "90", market=Bench.eth, client_id=resting.client_id)
    other.intends()
    assert other.why == [f"open are {Bench.eth}, the limit is 1"]


def test_coins_that_nobody_could_sell_are_not_open(story: Story) -> None:
    """And neither is what somebody holds by hand, or has resting."""
    limited(story, open_positions=1)
    story.bench.submit(Side.BUY, "0.5", market=Bench.eth)
    story.bench.submit(Side.BUY, "0.5", "90", market=Bench.eth)
    story.heard()
    story.enters(Bench.spot, "0.005")
    story.intends()
    assert story.said == []
    story.enters(Bench.spot)
    story.intends()
    assert story.why == [f"open are {Bench.spot}, the limit is 1"]


def test_nothing_is_entered_beside_a_hands_position(story: Story) -> None:
    """Once the disk knows of all that was executed there; unless that is adopted, or meant."""
    story.bench.submit(Side.BUY, "0.5")
    for event in (executed := story.bench.told(Executed)):
        story.hands.executed(event.fill, event.order)
    story.intends()
    assert story.said == []  # nobody has told the daemon yet
    for event in executed:
        story.watch.synced(FillApplied(fill=event.fill, net=D("0.5"), entry=D(1000), at_ns=story.now_ns))
    story.watch.adopts = True
    story.intends()
    story.watch.adopts = False
    limited(story, beside_hand=True)
    story.intends()
    limited(story)
    story.intends(Bench.eth)
    story.intends(purpose=Purpose.EXIT)
    assert story.said == []
    story.intends()
    assert story.why == ["somebody holds 0.5 there by hand"]


def test_an_hour_has_so_many_entries(story: Story) -> None:
    """As `rate.py` counts them, by the limits of now."""
    assert story.watch.limited(Limits(entries_an_hour=1)) == 0
    story.intends()
    assert story.watch.limited(Limits(entries_an_hour=1)) == 1
    story.intends()
    assert [words.split(" is ")[1] for words in story.said] == ["intended after 1 in an hour, the limit"]
