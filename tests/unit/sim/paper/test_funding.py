"""Funding on paper: by the rates that the venue has settled, for what was held when they were due."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from kangbot.errors import RateLimited, Retryable
from kangbot.machines.memory import Memory
from kangbot.model.data import FundingRate, Quote
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.orders import CashFlow, OrderKind, Side
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.exchange.front import Front
from kangbot.sim.exchange.orders import OrderRequest
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.funding import PaperFunding
from kangbot.sim.paper.ledger import Ledger
from tests.support.instruments import instrument_of
from tests.support.paper_story import BALANCE, HOUR_NS, MarketVenue

D = Decimal
BTC = instrument_of("BTC")
NOON_NS = 1_700_000_000 * SECOND_NS // HOUR_NS * HOUR_NS + HOUR_NS  # a whole hour


class Rig:
    """An account, a venue that settles what `rates` has, and a clock that is set by hand: at half past, at first."""

    def __init__(self, *instruments: Instrument) -> None:
        self.now_ns = NOON_NS - HOUR_NS // 2
        clock = Clock(monotonic_ns=lambda: self.now_ns, anchor_ns=self.now_ns)
        ledger = Ledger(BTC.venue, "USDT")
        world = World(clock=clock, seed=b"f")
        self.account = PaperAccount(world=world, balance=BALANCE, memory=Memory(), ledger=ledger)
        self.rates: list[FundingRate] = []
        self.asked: list[Instrument] = []
        self.error: Exception | None = None
        self.generous = False  # whether it gives more than was asked for
        self.venue = MarketVenue(clock=clock)
        self._funding = PaperFunding(self.account, self.venue, self._settled, clock)
        for instrument in instruments:
            self.account.add_market(instrument, D(100))
            self.quote(instrument)
        self.now_ns += SECOND_NS

    async def _settled(self, instrument: Instrument, since_ns: int) -> Sequence[FundingRate]:
        self.asked.append(instrument)
        if self.error is not None:
            raise self.error
        return [rate for rate in self.rates if (since_ns < rate.at_ns or self.generous) and rate.at_ns <= self.now_ns]

    def quote(self, instrument: Instrument) -> None:
        """Have it cost 100."""
        quote = Quote(
            market=instrument.market,
            bid=D(100),
            bid_quantity=D(99),
            ask=D(100) + instrument.tick,
            ask_quantity=D(99),
            at_ns=self.now_ns,
        )
        self.account.offer(quote, 0)

    def trade(self, instrument: Instrument, side: Side, quantity: str) -> None:
        """Buy or sell at the market."""
        request = OrderRequest(market=instrument.market, side=side, kind=OrderKind.MARKET, quantity=D(quantity))
        self.account.engine.submit(request, self.now_ns)

    def settle(self, *, at_s: int) -> Decimal:
        """Look so many seconds after noon, and return what was ever received."""
        self.now_ns = NOON_NS + at_s * SECOND_NS
        asyncio.run(self._funding.settle())
        return self.account.engine.account.funding


@pytest.mark.parametrize("rate", ["0.0003", "-0.0007"])
def test_what_was_held_when_it_was_due_pays_the_rate_of_the_venue(rate: str) -> None:
    """Whatever is held by now; and once, at the price that the hour had closed at."""
    rig = Rig(BTC)
    rig.trade(BTC, Side.BUY, "2")
    rig.rates = [FundingRate(at_ns=NOON_NS, rate=D(rate))]
    rig.now_ns = NOON_NS + 20 * SECOND_NS
    rig.trade(BTC, Side.SELL, "3")
    owed = -2 * 100 * D(rate)
    assert rig.settle(at_s=30) == 0  # the venue may not know it yet
    assert rig.settle(at_s=90) == rig.settle(at_s=150) == rig.settle(at_s=3600 + 90) == owed
    events = Front(rig.account.engine).executions(0, rig.now_ns)
    assert [(event.at_ns, event.amount) for event in events if isinstance(event, CashFlow)] == [(NOON_NS, owed)]
    assert [event.at_ns for event in events] == [NOON_NS - HOUR_NS // 2 + SECOND_NS, NOON_NS, NOON_NS + 20 * SECOND_NS]


def test_a_rate_that_is_told_late_is_found_an_hour_later() -> None:
    """The venue is asked once an hour, and only about what was held."""
    spot = instrument_of("BTC", InstrumentKind.SPOT)
    rig = Rig(BTC, instrument_of("ETH"), spot)
    rig.trade(BTC, Side.SELL, "1")
    for at_s in (90, 150, 210):
        assert rig.settle(at_s=at_s) == 0
    assert rig.asked == [BTC]
    rig.rates = [FundingRate(at_ns=NOON_NS + 5_000_000, rate=D("0.0001"))]  # as Binance has them
    assert rig.settle(at_s=3600 + 90) == D("0.01")
    assert rig.asked == [BTC, BTC]


def test_a_candle_that_the_venue_does_not_have_yet_keeps_no_rate_from_being_booked() -> None:
    """The hour before it says what the market was at."""
    rig = Rig(BTC)
    rig.trade(BTC, Side.SELL, "1")
    rig.venue.late_hours = 1
    rig.rates = [FundingRate(at_ns=NOON_NS, rate=D("0.0001"))]
    assert rig.settle(at_s=90) == D("0.01")


def test_one_that_was_sold_before_it_was_due_owes_nothing_then() -> None:
    """It is asked about once, for it was held in that hour."""
    rig = Rig(BTC)
    rig.trade(BTC, Side.BUY, "2")
    rig.trade(BTC, Side.SELL, "2")
    rig.rates = [FundingRate(at_ns=NOON_NS, rate=D("0.0001"))]
    assert rig.settle(at_s=90) == rig.settle(at_s=3600 + 90) == rig.settle(at_s=7200 + 90) == 0
    assert rig.asked == [BTC]
    events = Front(rig.account.engine).executions(0, rig.now_ns)
    assert not any(isinstance(event, CashFlow) for event in events), "a payment of nothing is none"


def test_a_rate_is_booked_once_whatever_the_venue_gives_again_and_told_at_once() -> None:
    """What was settled before is paid for."""
    rig = Rig(BTC)
    told: list[object] = []

    class Heard:
        """Whoever listens to the account."""

        def offer(self, event: object, received_ns: int) -> None:
            del received_ns
            told.append(event)

        def feed_changed(self, *_: object) -> None:
            """Nothing to learn of it."""

        def garbled(self, topic: object) -> None:
            """Nothing to learn of it."""

    rig.trade(BTC, Side.SELL, "1")
    rig.account.listen(Heard())
    rig.generous = True
    rig.rates = [FundingRate(at_ns=NOON_NS + hour * HOUR_NS, rate=D("0.0001")) for hour in (-1, 0, 1)]
    for at_s, paid in ((90, "0.01"), (3600 + 90, "0.02"), (7200 + 90, "0.02")):
        assert rig.settle(at_s=at_s) == D(paid)
        assert sum(event.amount for event in told if isinstance(event, CashFlow)) == D(paid)


def test_a_venue_that_does_not_tell_is_asked_again_and_nothing_is_lost() -> None:
    """It is said once. Whoever asks too often is told so, as everywhere."""
    rig = Rig(BTC)
    rig.trade(BTC, Side.BUY, "1")
    rig.rates = [FundingRate(at_ns=NOON_NS, rate=D("0.0001"))]
    rig.error = Retryable("away")
    with capture_logs() as logs:
        assert rig.settle(at_s=90) == rig.settle(at_s=150) == 0
    assert [entry["event"] for entry in logs] == ["paper.funding_unread"]
    rig.error = RateLimited("too many", retry_after_ns=SECOND_NS)
    with pytest.raises(RateLimited):
        rig.settle(at_s=210)
    rig.error = None
    assert rig.settle(at_s=270) == D("-0.01")
    rig.error = Retryable("away")
    with capture_logs() as logs:
        rig.settle(at_s=3600 + 90)
    assert [entry["event"] for entry in logs] == ["paper.funding_unread"], "it is said anew once it was well"


def test_so_many_markets_are_asked_about_at_a_time() -> None:
    """The comparison of the account does not wait for all of them; each has its turn within minutes."""
    markets = [instrument_of(f"C{number}") for number in range(12)]
    rig = Rig(*markets)
    for market in markets:
        rig.trade(market, Side.BUY, "1")
    counts = []
    for minute in range(1, 5):
        rig.settle(at_s=minute * 60 + 30)
        counts.append(len(rig.asked))
    assert counts == [5, 10, 12, 12]
    assert set(rig.asked) == set(markets)
