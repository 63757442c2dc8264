"""What trading came to: profit, fees, win rate, drawdown and Sharpe ratio, out of closed trades and marked equity.

Money stays Decimal; ratios, which are estimates anyway, are floats. Formulas:

- win rate: trades with a profit after fees, of all trades; profit factor: what was won, by what was lost.
- drawdown: the deepest fall of the equity below the highest it had before, in money, and in percent of what the equity
  would have been at the lowest without it; where nothing was moved in between, that is the height it fell from.
- Sharpe ratio: mean by standard deviation of the daily returns of the equity, times the root of 365, since these
  markets have no holidays; the riskless rate is taken as nought (W. F. Sharpe, "The Sharpe Ratio", Journal of
  Portfolio Management 21, 1994). With fewer than `DAYS` daily returns it is no figure.

Money that somebody moved into the account or out of it is neither won nor lost. The drawdown goes on across it: every
equity of before counts as if it had been there already, or never been there. A day's return is that of the stretches
between what was moved, one after another, each by what was there in it (the time-weighted return); what was won from
the last equity before to the first after is by what there was before, and what was brought. Where it is not known how
much it was, drawdown begins anew, and the day's return is left out.

A mark that is as old as what was moved, give or take two clocks, may be of either side, and counts for neither.

Both are folds: what two years of trading left, some million marks, is looked at one by one and never held.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

import msgspec

from kangbot.machines.transfers import UNSURE_NS
from kangbot.model.money import ZERO

DAYS = 10
_DAYS_A_YEAR = 365
_DAY_NS = 24 * 3600 * 1_000_000_000
_ONE = Decimal(1)


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A position from flat to flat."""

    market: str
    strategy: str
    net_profit: Decimal  # after fees
    fees: Decimal
    closed_ns: int


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """The account's equity at a moment."""

    at_ns: int
    equity: Decimal


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Money that was moved into the account, or out of it where it is negative; None where nobody knows how much.

    That one is known by the clock of the marks; another by a venue's, and is not sure to lie between two close marks.
    """

    at_ns: int
    amount: Decimal | None

    @property
    def before_ns(self) -> int:
        """A mark that is older is of before."""
        return self.at_ns if self.amount is None else self.at_ns - UNSURE_NS

    @property
    def after_ns(self) -> int:
        """A mark that is not older is of after."""
        return self.at_ns if self.amount is None else self.at_ns + UNSURE_NS


class TradeFigures(msgspec.Struct, frozen=True, kw_only=True):
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
        return msgspec.structs.replace(
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


class Fall(NamedTuple):
    """A drawdown: in money, not negative, and in percent of the height it fell from."""

    amount: Decimal
    percent: float


class EquityFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the equity did."""

    first: Decimal
    last: Decimal
    drawdown: Decimal  # in money, from the peak; not negative
    drawdown_percent: float  # of the peak, as what was moved since leaves it
    since: Fall | None  # the deepest since a person accepted one last; None where nobody did
    sharpe: float | None


class Equity:
    """Takes the marks in, newest first, as a history is read; `moves` are newest first, too.

    `accepted_ns` is of the mark from which the drawdown was counted anew last; None where nobody had it done.
    """

    def __init__(self, moves: Sequence[Moved] = (), accepted_ns: int | None = None) -> None:
        self._moves = list(reversed(moves))  # those that no mark before was seen of
        self._first: Decimal | None = None
        self._last = ZERO
        # The drawdown: `since` is what was moved after the next mark, `lowest` counts it in, `left` does not.
        self._since = self._left = ZERO
        self._lowest: Decimal | None = None  # None where the next mark has none after it to be compared with
        self._fall, self._percent = ZERO, 0.0
        self._accepted_ns = accepted_ns  # None once it was passed, too
        self._fallen: Fall | None = None  # by then
        # The daily returns: a stretch is of one day, and nothing was moved in it; `growth` is that of the day's others.
        # A flow and a growth that nobody knows are None.
        self._day: int | None = None  # None until the first mark
        self._top = self._bottom = ZERO  # the newest and the oldest equity of the stretch
        self._flow: Decimal | None = ZERO  # what was moved between its oldest mark and the next
        self._growth: Decimal | None = _ONE
        self._returns: list[float] = []

    def add(self, mark: Marked) -> None:
        """Take in a mark from before the last one."""
        if self._first is None:
            self._last = mark.equity
        self._first = mark.equity
        if self._accepted_ns is not None and mark.at_ns < self._accepted_ns:
            self._accept()
        while self._moves and mark.at_ns < self._moves[-1].before_ns:
            self._pass(self._moves.pop().amount)
        if self._moves and mark.at_ns < self._moves[-1].after_ns:
            return  # of either side
        self._fell(mark.equity)
        self._grew(mark.at_ns // _DAY_NS, mark.equity)

    def _accept(self) -> None:
        self._fallen, self._accepted_ns = Fall(self._fall, self._percent), None

    def _pass(self, amount: Decimal | None) -> None:
        if amount is None:
            self._lowest = None
        else:
            self._since += amount
        if self._day is not None:
            self._flow = None if amount is None or self._flow is None else self._flow + amount

    def _fell(self, equity: Decimal) -> None:
        worth = equity + self._since
        if self._lowest is None or worth <= self._lowest:
            self._lowest, self._left = worth, equity
        fall = worth - self._lowest
        if fall >= self._fall:
            self._fall = fall
            height = self._left + fall
            self._percent = float(fall / height * 100) if height > 0 else 0.0

    def _grew(self, day: int, equity: Decimal) -> None:
        if self._day is None:
            self._day, self._top = day, equity
        elif day < self._day or self._flow != 0:
            factor = self._factor(equity)
            self._growth = None if factor is None or self._growth is None else self._growth * factor
            self._top, self._flow = equity, ZERO
        if day < self._day:
            if self._growth is not None:
                self._returns.append(float(self._growth - 1))
            if equity > 0:  # a day without a mark kept the equity of the one before
                self._returns += [0.0] * (self._day - day - 1)
            self._day, self._growth = day, _ONE
        self._bottom = equity

    def _factor(self, equity: Decimal) -> Decimal | None:
        """Return by how much the money grew from that equity on to the top of the stretch; None: nobody can say."""
        if not self._flow:
            return self._top / equity if self._flow is not None and equity > 0 else None
        there = equity + max(self._flow, ZERO)
        if there <= 0:
            return None
        stretch = self._top / self._bottom if self._bottom > 0 else _ONE  # where all was taken, nothing is won or lost
        return stretch * (1 + (self._bottom - self._flow - equity) / there)

    def figures(self) -> EquityFigures | None:
        """Return what the equity did; None without any mark."""
        if self._first is None:
            return None
        if self._accepted_ns is not None:
            self._accept()
        return EquityFigures(
            first=self._first,
            last=self._last,
            drawdown=self._fall,
            drawdown_percent=self._percent,
            since=self._fallen,
            sharpe=_sharpe(self._returns),
        )


def _sharpe(returns: Sequence[float]) -> float | None:
    """Return the ratio of the daily returns."""
    if len(returns) < DAYS:
        return None
    spread = stdev(returns)
    return fmean(returns) / spread * sqrt(_DAYS_A_YEAR) if spread > 0 else None
