"""Strategy, plan and gate together: what is wanted comes to be held, bar by bar, stop by stop."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kangbot.machines.plan import Plan, Style, plan
from kangbot.model.data import Bar, Quote
from kangbot.model.ids import ClientId, ExecutionId, VenueOrderId
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import Fill, FillCause, Side
from kangbot.model.position import Position, RoundTrip
from kangbot.model.target import Target
from kangbot.risk.account import AccountRisk
from kangbot.risk.facts import MarketFacts
from kangbot.risk.gate import Allowed
from kangbot.risk.limits import Limits
from kangbot.strategy import registry
from kangbot.strategy.base import Strategy, View

SIZE = Decimal(1000)
LIMITS = Limits(market_notional=Decimal(1100), leverage=None)


class Market:
    """One market with a venue that fills at the touch and triggers stops inside a bar. Fees are nil."""

    def __init__(self, strategy: Strategy[Any, Any], instrument: Instrument) -> None:
        self.strategy = strategy
        self.instrument = instrument
        self.memory = strategy.indicators()
        self.risk = AccountRisk(LIMITS)
        self.position = Position(market=instrument.market)
        self.stop: Price | None = None
        self.target: Target | None = None
        self.trips: list[RoundTrip] = []
        self.stopped = 0
        self.orders = 0

    def fill(
        self, side: Side, quantity: Quantity, price: Price, at_ns: int, cause: FillCause = FillCause.TRADE
    ) -> None:
        """Take in one execution."""
        one = Fill(
            market=self.instrument.market,
            execution_id=ExecutionId(str(self.orders)),
            client_id=None,
            venue_order_id=VenueOrderId(str(self.orders)),
            side=side,
            price=price,
            quantity=quantity,
            fee_currency="USDT",
            cause=cause,
            at_ns=at_ns,
        )
        self.position, trips = self.position.apply(one)
        self.trips.extend(trips)
        self.risk.position(self.instrument.market, self.position.net, price)
        if not self.position.net:
            self.stop = None

    def trigger(self, bar: Bar) -> None:
        """Let the bar hit the stop that rests."""
        net = self.position.net
        if self.stop is None or not net:
            return
        if (bar.low <= self.stop) if net > 0 else (bar.high >= self.stop):
            self.stopped += 1
            self.fill(Side.SELL if net > 0 else Side.BUY, abs(net), self.stop, bar.close_ns - 1, FillCause.STOP)

    def plan(self, quote: Quote) -> Plan:
        """Plan the next step."""
        return plan(
            target=self.target,
            position=self.position,
            working=(),
            instrument=self.instrument,
            quote=quote,
            size=SIZE,
            style=Style(),
            resting_stop=self.stop,
        )

    def close(self, bar: Bar) -> None:
        """Decide on a closed bar, and act until there is nothing left to do."""
        self.memory.update(bar)
        view: View[Any] = View(
            instrument=self.instrument,
            now_ns=bar.close_ns,
            bars=(bar,),
            quote=None,
            position=self.position,
            target=self.target,
            last_trip=self.trips[-1] if self.trips else None,
            indicators=self.memory,
        )
        self.target = self.strategy.decide(view) or self.target
        quote = Quote(
            market=bar.market,
            bid=bar.close - Decimal("0.01"),
            bid_quantity=Decimal(1),
            ask=bar.close + Decimal("0.01"),
            ask_quantity=Decimal(1),
            at_ns=bar.close_ns,
        )
        for _ in range(4):
            if (step := self.plan(quote)) == Plan():
                return
            self.act(step, quote, bar.close_ns)
        pytest.fail(f"no rest after four passes: {self.target}, {self.position.net}, {self.plan(quote)}")

    def act(self, step: Plan, quote: Quote, now_ns: int) -> None:
        """Do what the plan says, through the gate."""
        self.stop = self.stop if step.stop is None else step.stop
        for proposal in step.proposals:
            self.orders += 1
            client_id = ClientId(f"kb{self.orders}")
            facts = MarketFacts(instrument=self.instrument, quote=quote, quote_age_ns=0, mark=quote.mid)
            assert self.risk.admit(proposal, client_id, facts, now_ns) == Allowed()
            self.stop = proposal.stop or self.stop
            self.fill(proposal.side, proposal.quantity, proposal.reference, now_ns + 1)
            self.risk.settle(client_id)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("ema_cross", {"fast": 5, "slow": 15}),
        ("ema_cross", {"fast": 3, "slow": 8, "allow_short": False}),
        ("rsi_reversion", {"period": 7}),
    ],
)
def test_what_is_wanted_comes_to_be_held(
    walk: Callable[[int, int], list[Bar]], instrument: Instrument, name: str, parameters: dict[str, Any], seed: int
) -> None:
    """After each bar the side is the target's and its stop rests; orders are few; no signal is traded twice."""
    market = Market(registry.load(name, {"stop_percent": 2, **parameters}), instrument)
    for bar in walk(800, seed):
        market.trigger(bar)
        market.close(bar)
        if market.target is None:
            continue
        net = market.position.net
        assert (net > 0) - (net < 0) == market.target.exposure
        assert (market.stop is not None) == bool(net)
        assert abs(net) * bar.close < SIZE * Decimal("1.3")
    assert market.stopped > 0
    assert len(market.trips) > 10
    assert market.orders < 3 * len(market.trips) + 3  # an entry and an exit, or its stop, and a rare adjustment
    entries = [trip.opened_ns for trip in market.trips]
    assert len(set(entries)) == len(entries)


def test_a_daemon_that_starts_again_sends_nothing(
    walk: Callable[[int, int], list[Bar]], instrument: Instrument
) -> None:
    """A fresh memory over the look-back, the same position and stop: the same target, and an empty plan."""
    strategy = registry.load("ema_cross", {"fast": 5, "slow": 15})
    market, bars = Market(strategy, instrument), walk(500, 3)
    for bar in bars:
        market.trigger(bar)
        market.close(bar)
    assert market.position.net
    again = Market(strategy, instrument)
    for bar in bars[-strategy.lookback : -1]:
        again.memory.update(bar)
    again.position, again.stop, again.trips = market.position, market.stop, market.trips
    again.close(bars[-1])
    assert again.orders == 0
    assert again.stop == market.stop
    assert market.target is not None
    assert again.target == msgspec.structs.replace(market.target, reason=again.target.reason if again.target else "")
