"""What trading came to: profit, fees, win rate, drawdown and Sharpe ratio, out of closed trades and marked equity.

Money stays Decimal; ratios, which are estimates anyway, are floats. Formulas:

- win rate: trades with a profit after fees, of all trades; profit factor: what was won, by what was lost.
- drawdown: the deepest fall of the equity below the highest it had before, in money and in percent of that height.
- Sharpe ratio: mean by standard deviation of the daily returns of the equity, times the root of 365, since these
  markets have no holidays; the riskless rate is taken as nought (W. F. Sharpe, "The Sharpe Ratio", Journal of
  Portfolio Management 21, 1994). With fewer than `DAYS` daily returns it is no figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """What some trades came to."""

    trades: int
    wins: int
    net_profit: Decimal
    fees: Decimal
    best: Decimal
    worst: Decimal
    profit_factor: float | None  # None where nothing was lost

    @property
    def win_rate(self) -> float | None:
        """Wins of all trades, from 0 to 1; None without trades."""
        return self.wins / self.trades if self.trades else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityFigures:
    """What the equity did."""

    first: Decimal
    last: Decimal
    drawdown: Decimal  # in money, from the peak; not negative
    drawdown_percent: float  # of the peak
    sharpe: float | None


def trade_figures(trades: Iterable[ClosedTrade]) -> TradeFigures:
    """Return what the trades came to."""
    profits: list[Decimal] = []
    fees = ZERO
    for trade in trades:
        profits.append(trade.net_profit)
        fees += trade.fees
    won = sum((profit for profit in profits if profit > 0), ZERO)
    lost = -sum((profit for profit in profits if profit < 0), ZERO)
    return TradeFigures(
        trades=len(profits),
        wins=sum(profit > 0 for profit in profits),
        net_profit=won - lost,
        fees=fees,
        best=max(profits, default=ZERO),
        worst=min(profits, default=ZERO),
        profit_factor=float(won / lost) if lost else None,
    )


def equity_figures(marks: Sequence[Marked]) -> EquityFigures | None:
    """Return what the equity did; `marks` oldest first. None without any."""
    if not marks:
        return None
    peak, fall, percent = marks[0].equity, ZERO, 0.0
    for mark in marks:
        peak = max(peak, mark.equity)
        if peak - mark.equity > fall:
            fall = peak - mark.equity
            percent = float(fall / peak * 100) if peak > 0 else 0.0
    return EquityFigures(
        first=marks[0].equity, last=marks[-1].equity, drawdown=fall, drawdown_percent=percent, sharpe=_sharpe(marks)
    )


def _sharpe(marks: Sequence[Marked]) -> float | None:
    """Return the ratio of the daily returns; a day without a mark kept the equity of the one before."""
    last_of_day = {mark.at_ns // _DAY_NS: mark.equity for mark in marks}
    first, last = min(last_of_day), max(last_of_day)
    closes: list[Decimal] = []
    for day in range(first, last + 1):
        closes.append(last_of_day.get(day, closes[-1] if closes else ZERO))
    returns = [float(after / before - 1) for before, after in pairwise(closes) if before > 0]
    if len(returns) < DAYS:
        return None
    spread = stdev(returns)
    return fmean(returns) / spread * sqrt(_DAYS_A_YEAR) if spread > 0 else None
