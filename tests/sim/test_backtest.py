"""A day of recorded candles moves the simulated venue, and a shipped strategy trades on it: no task, no clock, no I/O.

The venue is what serves paper trading and the simulation. What its fills must be is worked out here from the file.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
import pytest

from kangbot.machines.plan import Style, plan
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.orders import FillCause, Purpose, Side
from kangbot.model.position import Position, RoundTrip
from kangbot.model.target import Target
from kangbot.sim.exchange.events import Executed
from kangbot.sim.exchange.orders import OrderRequest
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS, VenueSpec
from kangbot.strategy import registry
from kangbot.strategy.base import View
from tests.support.candles import candles
from tests.support.sim_bench import fork

pytestmark = pytest.mark.recorded

D = Decimal
BITCOIN = linear("BTCUSDT")
TICK = BITCOIN.instrument.tick
SIZE = D(7_000)
AMPLE = D(100)  # coins at the top of the book: the size of an order does not move the price


def day() -> Sequence[Bar]:
    """Return the minutes of a day."""
    return candles("bitstamp_btcusd_min_2020_01_01.csv", BITCOIN.market, 60)


def path(bar: Bar) -> Iterator[tuple[int, Decimal]]:
    """Yield when the price was where within a candle: of the extremes the one that is nearer to its open first."""
    low_first = bar.open - bar.low < bar.high - bar.open
    extremes = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    for quarter, price in enumerate((bar.open, *extremes, bar.close)):
        yield bar.open_ns + quarter * 15 * SECOND_NS, price


class Backtest:
    """One run over the candles."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        spec = VenueSpec(
            markets=(msgspec.structs.replace(BITCOIN, level=D(0)),), start_ns=bars[0].open_ns, history_minutes=0
        )
        self.venue = SimVenue(spec, fork, live=False)
        self.executed: list[Executed] = []
        self.trips: list[RoundTrip] = []
        self.position = Position(market=BITCOIN.market)
        self._orders = 0
        strategy = registry.load("ema_cross", {"fast": 5, "slow": 20, "stop_percent": "0.1"})
        memory, target = strategy.indicators(), None
        for number, bar in enumerate(bars):
            for at_ns, price in path(bar):
                quote = self._moved(price, at_ns)
                if target is not None and at_ns == bar.open_ns:
                    self._act(target, quote, at_ns)
            memory.update(bar)
            if number < strategy.lookback:
                continue
            view = View(
                instrument=BITCOIN.instrument,
                now_ns=bar.close_ns,
                bars=(bar,),
                quote=quote,
                position=self.position,
                target=target,
                last_trip=self.trips[-1] if self.trips else None,
                indicators=memory,
            )
            target = strategy.decide(view) or target

    def _moved(self, price: Decimal, at_ns: int) -> Quote:
        trade = Trade(
            market=BITCOIN.market, trade_id=str(at_ns), side=Side.BUY, price=price, quantity=AMPLE, at_ns=at_ns
        )
        quote = Quote(
            market=BITCOIN.market,
            bid=price - TICK,
            bid_quantity=AMPLE,
            ask=price + TICK,
            ask_quantity=AMPLE,
            at_ns=at_ns,
        )
        self.venue.push(quote, (trade,), at_ns)
        self._learn()
        return quote

    def _act(self, target: Target, quote: Quote, at_ns: int) -> None:
        """Take the steps towards the target: a position on the other side is closed before one is opened."""
        for _ in range(2):
            step = plan(
                target=target,
                position=self.position,
                working=(),
                instrument=BITCOIN.instrument,
                quote=quote,
                size=SIZE,
                style=Style(),
                resting_stop=self.venue.stop(BITCOIN.market),
            )
            for proposal in step.proposals:
                self._orders += 1
                request = OrderRequest(
                    market=BITCOIN.market,
                    side=proposal.side,
                    kind=proposal.kind,
                    quantity=proposal.quantity,
                    reduce_only=proposal.purpose is Purpose.EXIT,
                    client_id=f"kb{self._orders}",
                    stop=proposal.stop,
                )
                self.venue.submit(request, at_ns)
                self._learn()

    def _learn(self) -> None:
        for event in self.venue.drain():
            if isinstance(event, Executed):
                self.executed.append(event)
                self.position, trips = self.position.apply(event.fill)
                self.trips.extend(trips)


def test_a_recorded_day_is_traded_at_its_own_prices() -> None:
    """Orders fill where the candle after the decision opened; stops where they stood, or where the price fell past."""
    bars = day()
    run = Backtest(bars)
    of_minute = {bar.open_ns: bar for bar in bars}
    stops = 0
    stop: Decimal | None = None
    for event in run.executed:
        fill = event.fill
        bar = of_minute[fill.at_ns // MINUTE_NS * MINUTE_NS]
        worse = 1 if fill.side is Side.BUY else -1
        if fill.cause is FillCause.STOP:
            stops += 1
            assert stop is not None
            assert bar.low - TICK <= fill.price <= bar.high + TICK
            assert (fill.price - stop) * worse >= -TICK, "no better than where it stood"
        else:
            assert fill.price == bar.open + worse * TICK
            stop = event.order.request.stop
    assert stops > 5
    assert len(run.trips) > 20


def test_the_money_of_a_recorded_day_is_that_of_its_fills() -> None:
    """What the account has at the end is what it had, with what was sold, less what was bought and every fee."""
    bars = day()
    run = Backtest(bars)
    fills = [event.fill for event in run.executed]
    spent = sum((fill.signed * fill.price for fill in fills), D(0))
    held = sum((fill.signed for fill in fills), D(0))
    fees = sum((fill.fee for fill in fills), D(0))
    end_ns = bars[-1].close_ns - 1
    mark = run.venue.desks[BITCOIN.market].mark
    funding = sum((event.flow.amount for event in run.venue.executions if not isinstance(event, Executed)), D(0))
    assert held == run.position.net
    assert run.venue.balance(end_ns).equity == 100_000 - spent - fees + funding + held * mark
    closed = sum((trip.profit for trip in run.trips), D(0))
    assert closed + run.position.unrealised(mark) == pytest.approx(held * mark - spent)
    assert all(fill.fee == fill.quantity * fill.price * D("0.00055") for fill in fills)


def test_the_same_day_is_the_same_twice() -> None:
    """To the execution."""
    bars = day()[:400]
    assert [event.fill for event in Backtest(bars).executed] == [event.fill for event in Backtest(bars).executed]
