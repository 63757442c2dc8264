"""What trading came to: profit, fees, win rate, drawdown and Sharpe ratio, out of closed trades and marked equity.

Money stays Decimal; ratios, which are estimates anyway, are floats. Formulas:

- win rate: trades with a profit after fees, of all trades; profit factor: what was won, by what was lost.
- drawdown: the deepest fall of the equity below the highest it had before, in money and in percent of that height.
- Sharpe ratio: mean by standard deviation of the daily returns of the equity, times the root of 365, since these
  markets have no holidays; the riskless rate is taken as nought (W. F. Sharpe, "The Sharpe Ratio", Journal of
  Portfolio Management 21, 1994). With fewer than `DAYS` daily returns it is no figure.

Money that somebody gave or took is neither won nor lost. Where it is known when, drawdown begins anew from there, and
the day's return is left out of the ratio.

Both are folds: what two years of trading left, some million marks, is looked at one by one and never held.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

from kangbot.model.money import ZERO

DAYS = 10
_DAYS_A_YEAR = 365
_DAY_NS = 24 * 3600 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A position from flat to flat."""

    market: str
    strategy: str
    net_profit: Decimal  # after fees
    fees: Decimal
    closed_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The account's equity at a moment."""

    at_ns: int
    equity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFigures:
    """What some trades came to; returns its successor."""

    trades: int = 0
    wins: int = 0
    won: Decimal = ZERO
    lost: Decimal = ZERO  # not negative
    fees: Decimal = ZERO
    best: Decimal = ZERO
    worst: Decimal = ZERO

    def plus(self, trade: ClosedTrade) -> "TradeFigures":
        """Return them with one trade more."""
        profit = trade.net_profit
        return replace(
            self,
            trades=self.trades + 1,
            wins=self.wins + (profit > 0),
            won=self.won + max(profit, ZERO),
            lost=self.lost - min(profit, ZERO),
            fees=self.fees + trade.fees,
            best=max(profit, self.best) if self.trades else profit,
            worst=min(profit, self.worst) if self.trades else profit,
        )

    @property
    def net_profit(self) -> Decimal:
        """After fees."""
        return self.won - self.lost

    @property
    def win_rate(self) -> float | None:
        """Wins of all trades, from 0 to 1; None without trades."""
        return self.wins / self.trades if self.trades else None

    @property
    def profit_factor(self) -> float | None:
        """What was won by what was lost; None where nothing was lost."""
        return float(self.won / self.lost) if self.lost else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityFigures:
    """What the equity did."""

    first: Decimal
    last: Decimal
    drawdown: Decimal  # in money, from the peak; not negative
    drawdown_percent: float  # of the peak
    sharpe: float | None


class Equity:
    """Takes the marks in, newest first, as a history is read."""

    def __init__(self) -> None:
        self._first = self._last = self._lowest = ZERO
        self._fall, self._percent = ZERO, 0.0
        self._closes: dict[int, Decimal] = {}  # by day, the newest day first
        self._moved: set[int] = set()  # days since whose day before money was given or taken
        self._anew = True  # the next mark has none after it to be compared with

    def add(self, mark: Marked) -> None:
        """Take in a mark from before the last one."""
        equity = mark.equity
        if not self._closes:
            self._last = equity
        if self._anew:
            self._lowest, self._anew = equity, False
        self._first = equity
        self._lowest = min(self._lowest, equity)  # of all that came after
        if equity - self._lowest >= self._fall:
            self._fall = equity - self._lowest
            self._percent = float(self._fall / equity * 100) if equity > 0 else 0.0
        self._closes.setdefault(mark.at_ns // _DAY_NS, equity)

    def moved(self) -> None:
        """Learn that money was given or taken between the last mark and the one before it."""
        self._anew = True
        if self._closes:
            self._moved.add(min(self._closes))

    def figures(self) -> EquityFigures | None:
        """Return what the equity did; None without any mark."""
        if not self._closes:
            return None
        return EquityFigures(
            first=self._first,
            last=self._last,
            drawdown=self._fall,
            drawdown_percent=self._percent,
            sharpe=_sharpe(self._closes, self._moved),
        )


def _sharpe(last_of_day: Mapping[int, Decimal], moved: Collection[int]) -> float | None:
    """Return the ratio of the daily returns, but of the days in `moved`.

    A day without a mark kept the equity of the one before.
    """
    first, last = min(last_of_day), max(last_of_day)
    closes: list[Decimal] = []
    for day in range(first, last + 1):
        closes.append(last_of_day.get(day, closes[-1] if closes else ZERO))
    returns = [
        float(after / before - 1)
        for day, (before, after) in enumerate(pairwise(closes), first + 1)
        if before > 0 and day not in moved
    ]
    if len(returns) < DAYS:
        return None
    spread = stdev(returns)
    return fmean(returns) / spread * sqrt(_DAYS_A_YEAR) if spread > 0 else None
