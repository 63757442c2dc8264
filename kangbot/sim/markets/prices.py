"""Seeded prices: a mean-reverting walk of the log price, a book around it and trades on that book.

Floats are used for the walk only; what leaves is whole ticks and whole steps as Decimal. Every market draws from its
own generator, so adding a market does not shift the others.
"""

from math import exp, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from kangbot.model.data import Quote, Trade
from kangbot.model.orders import Side
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS, MarketSpec

if TYPE_CHECKING:
    import random  # noqa: TID251 -- the type only; the generator is forked by the caller's world

_HISTORY_STEP_S = 10.0
_HISTORY_STEP_NS = int(_HISTORY_STEP_S) * SECOND_NS
_REGIME_S = 20.0  # a trend lasts this long on average
_USUAL_S = 0.1  # the pace for which trade sizes are meant; slower frames carry more volume
_TREND = 0.3  # its drift, in units of the volatility a second


class Frame(NamedTuple):
    """What a market says at one instant: its quote, then the trades on it."""

    quote: Quote
    trades: tuple[Trade, ...]


class PriceProcess:
    """The price of one market. `frame` must be called with times that do not run backwards."""

    def __init__(self, spec: MarketSpec, rng: "random.Random", id_prefix: str) -> None:
        self._spec = spec
        self._rng = rng
        self._random = rng.random
        self._id_prefix = id_prefix
        self._tick = spec.instrument.tick
        self._step = spec.instrument.step
        self._centre = float(spec.price / self._tick)
        self._level = int(spec.level / self._step)
        self._deviation = 0.0  # of the log price from the centre
        self._trend = 0.0
        self._sequence = 0
        self._trades = 0

    def frame(self, at_ns: int, dt_s: float) -> Frame:
        """Return the market at `at_ns`, `dt_s` seconds after the last frame."""
        bid, ask, bid_lots, ask_lots = self._top(dt_s)
        tick, step = self._tick, self._step
        quote = Quote(
            market=self._spec.market,
            bid=bid * tick,
            bid_quantity=bid_lots * step,
            ask=ask * tick,
            ask_quantity=ask_lots * step,
            at_ns=at_ns,
            sequence=self._sequence,
        )
        return Frame(quote, self._prints(bid, ask, at_ns, dt_s))

    def ruled(self, spec: MarketSpec) -> None:
        """Keep to these rules from the next frame on; the price stays where it is."""
        self._centre *= float(self._tick / spec.instrument.tick)
        self._spec, self._tick, self._step = spec, spec.instrument.tick, spec.instrument.step
        self._level = int(spec.level / self._step)

    def jump(self, ratio: float) -> None:
        """Move the price by a factor at once; the next frame shows it, and it reverts as any deviation does."""
        self._deviation += log(ratio)

    def history(self, end_ns: int, minutes: int) -> list[Trade]:
        """Return the trades of the `minutes` before `end_ns`, oldest first; the next frame continues from them."""
        trades: list[Trade] = []
        at_ns = end_ns - minutes * MINUTE_NS
        while at_ns < end_ns:
            bid, ask, _, _ = self._top(_HISTORY_STEP_S)  # nobody asks for the quotes of that time
            trades.extend(self._prints(bid, ask, at_ns, _HISTORY_STEP_S))
            at_ns += _HISTORY_STEP_NS
        return trades

    def _top(self, dt_s: float) -> tuple[int, int, int, int]:
        """Move the price; return bid and ask in ticks, and what is quoted there in lots."""
        self._walk(dt_s)
        spread = self._spec.spread_ticks + (self._random() < 0.2)
        bid = max(1, int(self._centre * exp(self._deviation) - spread / 2))
        self._sequence += 1
        return bid, bid + spread, self._size(self._level), self._size(self._level)

    def _prints(self, bid: int, ask: int, at_ns: int, dt_s: float) -> tuple[Trade, ...]:
        """Return the trades that come with a quote: none, one or two."""
        draw = self._random()
        if draw < 0.4:
            return ()
        lots = max(1, round(dt_s / _USUAL_S))
        one = self._trade(bid, ask, at_ns, lots)
        return (one,) if draw < 0.8 else (one, self._trade(bid, ask, at_ns, lots))

    def _walk(self, dt_s: float) -> None:
        if self._random() < dt_s / _REGIME_S:
            self._trend = self._rng.gauss(0.0, _TREND) * self._spec.volatility
        pull = self._deviation * min(1.0, dt_s / self._spec.reversion_s)
        drift = self._trend * min(dt_s, _REGIME_S)
        self._deviation += drift - pull + self._rng.gauss(0.0, self._spec.volatility * sqrt(dt_s))

    def _size(self, typical: int) -> int:
        return int(typical * (0.25 + 1.5 * self._random())) or 1

    def _trade(self, bid: int, ask: int, at_ns: int, lots: int) -> Trade:
        buys = self._random() < 0.5
        self._trades += 1
        return Trade(
            market=self._spec.market,
            trade_id=f"{self._id_prefix}-{self._trades:012x}",
            side=Side.BUY if buys else Side.SELL,
            price=(ask if buys else bid) * self._tick,
            quantity=lots * self._size(self._level // 10) * self._step,
            at_ns=at_ns,
        )
