"""What trading came to, held against figures worked out by hand."""

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from itertools import pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.performance import DAYS, ClosedTrade, Equity, EquityFigures, Marked, TradeFigures

DAY_NS = 24 * 3600 * 1_000_000_000


def trade(profit: str, fees: str = "0.1") -> ClosedTrade:
    """Return a trade."""
    return ClosedTrade(market="v:A", strategy="s", net_profit=Decimal(profit), fees=Decimal(fees), closed_ns=1)


def marks(*equities: str, every_ns: int = DAY_NS) -> list[Marked]:
    """Return the equity at equal distances."""
    return [Marked(at_ns=number * every_ns, equity=Decimal(equity)) for number, equity in enumerate(equities)]


def trade_figures(trades: Sequence[ClosedTrade]) -> TradeFigures:
    """Return what they came to."""
    return reduce(TradeFigures.plus, trades, TradeFigures())


def equity_figures(oldest_first: Sequence[Marked]) -> EquityFigures | None:
    """Return what the equity did, read as a history is."""
    equity = Equity()
    for mark in reversed(oldest_first):
        equity.add(mark)
    return equity.figures()


def test_trades_are_summed_to_the_last_digit() -> None:
    """Three wins of five, twice as much won as lost; a trade that came to nothing is no win."""
    figures = trade_figures([trade("1.5"), trade("0.000000000000000001"), trade("-1"), trade("0"), trade("0.5")])
    assert figures.net_profit == Decimal("1.000000000000000001")
    assert (figures.trades, figures.wins, figures.win_rate) == (5, 3, 0.6)
    assert (figures.best, figures.worst, figures.fees) == (Decimal("1.5"), Decimal(-1), Decimal("0.5"))
    assert figures.profit_factor == pytest.approx(2.0)


def test_the_best_of_losses_is_a_loss_and_the_worst_of_wins_a_win() -> None:
    """There was no trade of nought to measure them by."""
    lost, won = trade_figures([trade("-3"), trade("-2")]), trade_figures([trade("2"), trade("3")])
    assert [lost.best, lost.worst, won.best, won.worst] == [-2, -3, 3, 2]
    assert trade_figures([trade("6"), trade("-4")]).profit_factor == pytest.approx(1.5)


def test_without_trades_or_losses_there_is_no_ratio() -> None:
    """Nothing is divided by nought."""
    assert trade_figures([]).win_rate is None
    assert trade_figures([trade("1")]).profit_factor is None


def test_drawdown_is_the_deepest_fall_below_the_peak_before_it() -> None:
    """From 120 to 90: not from the highest of all to the lowest of all."""
    figures = equity_figures(marks("100", "120", "90", "200", "180"))
    assert figures is not None
    assert (figures.first, figures.last) == (Decimal(100), Decimal(180))
    assert (figures.drawdown, figures.drawdown_percent) == (Decimal(30), 25.0)


def test_of_two_falls_as_deep_the_first_counts() -> None:
    """In percent of the peak that it was from."""
    figures = equity_figures(marks("100", "90", "200", "190"))
    assert figures is not None
    assert (figures.drawdown, figures.drawdown_percent) == (Decimal(10), 10.0)


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=30))
def test_the_drawdown_is_that_of_every_pair(equities: list[Decimal]) -> None:
    """The deepest fall from any mark to a later one."""
    figures = equity_figures([Marked(at_ns=at_ns, equity=equity) for at_ns, equity in enumerate(equities)])
    assert figures is not None
    assert figures.drawdown == max(before - after for at, before in enumerate(equities) for after in equities[at:])


def test_equity_that_only_rises_has_no_drawdown() -> None:
    """And an account without a mark has no figures; one that was always empty none that divides."""
    rising = equity_figures(marks("1", "2"))
    assert rising is not None
    assert rising.drawdown == 0
    assert equity_figures([]) is None
    empty = equity_figures(marks("0", "-1"))
    assert empty is not None
    assert empty.drawdown_percent == 0.0


def test_the_sharpe_ratio_is_of_daily_returns() -> None:
    """As the textbook has it; a day without a mark keeps the equity of the day before."""
    equities = ["100", "101", "100.5", "102", "103", "102.2", "104", "104.4", "105", "104", "106", "107"]
    figures = equity_figures(marks(*equities))
    assert figures is not None
    values = [float(equity) for equity in equities]
    returns = [after / before - 1 for before, after in pairwise(values)]
    assert figures.sharpe == pytest.approx(fmean(returns) / stdev(returns) * 365**0.5)
    gap = [mark for mark in marks(*equities) if mark.at_ns != 5 * DAY_NS]
    held = equity_figures(gap)
    filled = equity_figures(marks(*equities[:5], equities[4], *equities[6:]))
    assert held is not None
    assert filled is not None
    assert held.sharpe == pytest.approx(filled.sharpe)


def test_money_that_was_given_or_taken_is_neither_won_nor_lost() -> None:
    """The drawdown begins anew from there, whichever way it went; what was lost before and after it stays lost."""
    for taken in ("40", "400"):
        equity = Equity()
        for mark in reversed(marks(taken, "35", "38")):
            equity.add(mark)
        equity.moved()
        for mark in reversed(marks("100", "110", "104")):
            equity.add(mark)
        figures = equity.figures()
        assert figures is not None
        assert (figures.first, figures.last) == (Decimal(100), Decimal(38))
        assert figures.drawdown == max(Decimal(6), Decimal(taken) - 35)
    untouched = Equity()
    untouched.moved()
    assert untouched.figures() is None


def test_the_return_of_a_day_in_which_money_was_given_or_taken_is_no_return() -> None:
    """Whether the day had marks before it or not; the other days count as ever."""
    equities = ["100", "101", "100.5", "102", "103", "102.2", "1040", "1044", "1050", "1040", "1060", "1070"]
    equity = Equity()
    for number, mark in reversed(list(enumerate(marks(*equities)))):
        equity.add(mark)
        if number == 6:
            equity.moved()
    values = [float(value) for value in equities]
    returns = [after / before - 1 for before, after in pairwise(values) if after / before < 2]
    assert len(returns) == len(equities) - 2
    figures = equity.figures()
    assert figures is not None
    assert figures.sharpe == pytest.approx(fmean(returns) / stdev(returns) * 365**0.5)


def test_few_days_or_a_flat_line_have_no_sharpe_ratio() -> None:
    """A figure that means nothing is not given."""
    few = equity_figures(marks(*["100", "101"] * (DAYS // 2)))
    flat = equity_figures(marks(*["100"] * (DAYS + 5)))
    assert few is not None
    assert flat is not None
    assert (few.sharpe, flat.sharpe) == (None, None)
