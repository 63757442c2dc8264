"""What trading came to, held against figures worked out by hand."""

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.performance import DAYS, ClosedTrade, Equity, EquityFigures, Marked, Moved, TradeFigures
from kangbot.machines.transfers import UNSURE_NS

MINUTE_NS = 60 * 1_000_000_000
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS


def trade(profit: str, fees: str = "0.1") -> ClosedTrade:
    """Return a trade."""
    return ClosedTrade(market="v:A", strategy="s", net_profit=Decimal(profit), fees=Decimal(fees), closed_ns=1)


def marks(*equities: str, every_ns: int = DAY_NS) -> list[Marked]:
    """Return the equity at equal distances."""
    return [Marked(at_ns=number * every_ns, equity=Decimal(equity)) for number, equity in enumerate(equities)]


def trade_figures(trades: Sequence[ClosedTrade]) -> TradeFigures:
    """Return what they came to."""
    return reduce(TradeFigures.plus, trades, TradeFigures())


def equity_figures(oldest_first: Sequence[Marked], moves: Sequence[Moved] = ()) -> EquityFigures | None:
    """Return what the equity did, read as a history is; what was moved is oldest first, too."""
    equity = Equity(moves[::-1])
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


def moved(at_ns: int, amount: str | None) -> Moved:
    """Return money that was brought, or taken where it is negative."""
    return Moved(at_ns=at_ns, amount=None if amount is None else Decimal(amount))


def sharpe(returns: Sequence[float]) -> float:
    """Return the ratio as the textbook has it."""
    return fmean(returns) / stdev(returns) * sqrt(365)


def test_a_drawdown_goes_on_across_what_was_moved() -> None:
    """From 110 to 104, and 40 taken: what is left falls by 5 more. Without both falls it would be 70."""
    before, after = marks("100", "110", "104", every_ns=MINUTE_NS), marks("64", "59", "62", every_ns=MINUTE_NS)
    later = [Marked(at_ns=mark.at_ns + 4 * MINUTE_NS, equity=mark.equity) for mark in after]
    figures = equity_figures([*before, *later], [moved(3 * MINUTE_NS, "-40")])
    assert figures is not None
    assert (figures.first, figures.last, figures.drawdown) == (Decimal(100), Decimal(62), Decimal(11))
    assert figures.drawdown_percent == pytest.approx(11 / 70 * 100)


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.sampled_from([None, None, -300, 200])), min_size=1, max_size=30),
    st.sampled_from([MINUTE_NS, DAY_NS // 3]),
)
def test_the_drawdown_is_that_of_trading_alone(steps: list[tuple[int, int | None]], every_ns: int) -> None:
    """Whatever is moved between the marks, and however often."""
    trading, given_so_far, seen, alone, moves = Decimal(0), Decimal(0), list[Marked](), list[Decimal](), list[Moved]()
    for number, (gain, amount) in enumerate(steps):
        if amount is not None:
            moves.append(moved(number * every_ns - every_ns // 2, str(amount)))
            given_so_far += amount
        trading += gain
        alone.append(trading)
        seen.append(Marked(at_ns=number * every_ns, equity=trading + given_so_far))
    figures = equity_figures(seen, moves)
    assert figures is not None
    assert figures.drawdown == max(before - after for at, before in enumerate(alone) for after in alone[at:])
    assert (figures.first, figures.last) == (seen[0].equity, seen[-1].equity)


@pytest.mark.parametrize("beside_ns", [-UNSURE_NS, 1 - UNSURE_NS, 0, UNSURE_NS - 1])
@pytest.mark.parametrize("amount", [-400, 400])
def test_a_mark_that_is_as_old_as_what_was_moved_is_of_neither_side(beside_ns: int, amount: int) -> None:
    """By two clocks nobody knows which; it is no drawdown, whichever it is of. The report's ends are what is known."""
    for equity in (1000, 1000 + amount):
        close = Marked(at_ns=HOUR_NS + beside_ns, equity=Decimal(equity))
        seen = [Marked(at_ns=0, equity=Decimal(1000)), close, Marked(at_ns=2 * HOUR_NS, equity=Decimal(990 + amount))]
        for some, last in ((seen, 990 + amount), (seen[:2], equity)):
            figures = equity_figures(some, [moved(HOUR_NS, str(amount))])
            assert figures is not None
            assert figures.last == last
            assert figures.drawdown == (10 if last == 990 + amount else 0)
        alone = equity_figures([close], [moved(HOUR_NS, str(amount))])
        assert alone is not None
        assert (alone.first, alone.drawdown) == (Decimal(equity), Decimal(0))
        assert alone.sharpe is None


def test_a_mark_that_is_clearly_older_or_newer_counts() -> None:
    """Half a minute after a withdrawal what is lost is lost."""
    seen = [
        Marked(at_ns=HOUR_NS - UNSURE_NS - 1, equity=Decimal(1000)),
        Marked(at_ns=HOUR_NS + UNSURE_NS, equity=Decimal(590)),
    ]
    figures = equity_figures(seen, [moved(HOUR_NS, "-400")])
    assert figures is not None
    assert figures.drawdown == 10


DAILY = ["100", "101", "100.5", "102", "103", "102.2"]
LATER = ["103.2", "103", "104", "104.4", "103", "105", "106"]


@pytest.mark.parametrize(
    ("day", "moves", "growth"),
    [
        ([("6", "110"), ("7", "210"), ("8", "231")], [("6.5", "100")], 110 / 102.2 * 231 / 210),
        ([("6", "110"), ("7", "212"), ("8", "231")], [("6.5", "100")], 110 / 102.2 * 212 / 210 * 231 / 212),
        ([("6", "110"), ("7", "10"), ("8", "5")], [("6.5", "-100")], 110 / 102.2 * 5 / 10),
        ([("6", "110"), ("7", "0"), ("8", "0")], [("6.5", "-110")], 110 / 102.2),
        ([("6", "110"), ("7", "0"), ("8", "50")], [("6.5", "-110"), ("7.5", "50")], 110 / 102.2),
        ([("6", "110"), ("7", "30"), ("8", "33")], [("6.4", "-110"), ("6.5", "30")], 110 / 102.2 * 33 / 30),
        ([("1", "50"), ("8", "55")], [("0", "-52.2")], 1.1),
        ([("8", "210")], [("7", "100")], 1 + 7.8 / 202.2),
        ([("6", "-5"), ("7", "45")], [("6.5", "50")], -5 / 102.2),
        ([("6", "-60"), ("7", "45")], [("6.5", "50")], None),
        ([("6", "-50"), ("7", "3")], [("6.5", "50")], None),
        ([("6", "110"), ("7", "-1"), ("8", "-3")], [("6.5", "-111")], 110 / 102.2),
    ],
)
def test_the_return_of_a_day_in_which_money_was_moved_is_that_of_what_was_there(
    day: list[tuple[str, str]], moves: list[tuple[str, str]], growth: float | None
) -> None:
    """Stretch by stretch, each by its own money; an account that was emptied wins and loses nothing meanwhile."""
    number = len(DAILY)
    seen = [Marked(at_ns=at * DAY_NS, equity=Decimal(equity)) for at, equity in enumerate(DAILY)]
    seen += [Marked(at_ns=in_day(number, hour), equity=Decimal(equity)) for hour, equity in day]
    left = seen[-1].equity
    scale = left / Decimal("102.2") if left > 0 else Decimal(1)
    back = [moved(in_day(number, "10"), str(100 - left))] if left <= 0 else []
    seen += [
        Marked(at_ns=in_day(number + 1 + at, "0"), equity=Decimal(equity) * scale) for at, equity in enumerate(LATER)
    ]
    figures = equity_figures(seen, [*(moved(in_day(number, hour), amount) for hour, amount in moves), *back])
    assert figures is not None
    daily = [float(equity) for equity in DAILY]
    later = [100.0 if back else 102.2, *(float(equity) for equity in LATER)]
    expected = [after / before - 1 for before, after in (*pairwise(daily), *pairwise(later))]
    assert figures.sharpe == pytest.approx(sharpe(expected if growth is None else [*expected, growth - 1]))


def test_days_without_a_mark_and_without_money_have_no_return() -> None:
    """While an account is empty nothing can be won; with money in it, such a day has a return of nought."""
    equities = [*DAILY, *LATER]
    values = [float(equity) for equity in equities]
    returns = [after / before - 1 for before, after in pairwise(values)]
    for emptied in (False, True):
        seen = marks(*equities)
        moves = []
        later = [Marked(at_ns=(len(equities) + 5) * DAY_NS, equity=Decimal(106))]
        if emptied:
            at_ns = (len(equities) - 1) * DAY_NS + HOUR_NS
            seen.append(Marked(at_ns=at_ns + HOUR_NS, equity=Decimal(0)))
            moves = [moved(at_ns, "-106"), moved(later[0].at_ns - HOUR_NS, "106")]
        figures = equity_figures([*seen, *later], moves)
        assert figures is not None
        assert figures.sharpe == pytest.approx(sharpe([*returns, *([0.0] if emptied else [0.0] * 6)]))


def test_of_two_lows_as_deep_the_first_counts() -> None:
    """Half of the money was taken after it: the fall was a tenth of what was there."""
    figures = equity_figures(marks("100", "90", "40", every_ns=MINUTE_NS), [moved(MINUTE_NS * 3 // 2, "-50")])
    assert figures is not None
    assert (figures.drawdown, figures.drawdown_percent) == (Decimal(10), 10.0)


def in_day(day: int, hour: str) -> int:
    """Return the moment."""
    return day * DAY_NS + int(Decimal(hour) * HOUR_NS)


@pytest.mark.parametrize(
    ("accepted_at", "since"),
    [(None, None), (0, ("200", 20.0)), (3, ("150", 15.0)), (4, ("100", 100 / 950 * 100)), (7, ("0", 0.0))],
)
def test_a_drawdown_that_was_accepted_is_told_beside_the_deepest(
    accepted_at: int | None, since: tuple[str, float] | None
) -> None:
    """What fell since is counted from the mark that was accepted, the deepest of all from the highest before it."""
    equity = Equity((), None if accepted_at is None else accepted_at * DAY_NS)
    for mark in reversed(marks("1000", "900", "800", "1000", "950", "900", "850")):
        equity.add(mark)
    figures = equity.figures()
    assert figures is not None
    assert (figures.drawdown, figures.drawdown_percent) == (Decimal(200), 20.0)
    assert (figures.since is None) == (since is None)
    if figures.since is not None and since is not None:
        assert str(figures.since.amount) == since[0]
        assert figures.since.percent == pytest.approx(since[1])


def test_money_of_which_nobody_knows_how_much_begins_the_drawdown_anew() -> None:
    """Whichever way it went; what was lost before and after it stays lost."""
    for taken in ("40", "400"):
        seen = marks("100", "110", "104", taken, "35", "38", every_ns=MINUTE_NS)
        figures = equity_figures(seen, [moved(3 * MINUTE_NS, None)])
        assert figures is not None
        assert (figures.first, figures.last) == (Decimal(100), Decimal(38))
        assert figures.drawdown == max(Decimal(6), Decimal(taken) - 35)
    assert equity_figures([], [moved(1, None)]) is None


def test_the_return_of_a_day_in_which_nobody_knows_how_much_was_moved_is_no_return() -> None:
    """Whether the day had marks before it or not; the other days count as ever, and what was moved after them all."""
    equities = ["100", "101", "100.5", "102", "103", "102.2", "1040", "1044", "1050", "1040", "1060", "1070"]
    values = [float(value) for value in equities]
    returns = [after / before - 1 for before, after in pairwise(values) if after / before < 2]
    assert len(returns) == len(equities) - 2
    within = Marked(at_ns=6 * DAY_NS - HOUR_NS, equity=Decimal(104))
    for seen in (marks(*equities), sorted([*marks(*equities), within], key=lambda mark: mark.at_ns)):
        figures = equity_figures(
            seen,
            [moved(6 * DAY_NS - 1, "7"), moved(6 * DAY_NS, None), moved(99 * DAY_NS, None), moved(99 * DAY_NS, "5")],
        )
        assert figures is not None
        if within in seen:
            returns[4] = 104 / 103 - 1
        assert figures.sharpe == pytest.approx(sharpe(returns))


def test_few_days_or_a_flat_line_have_no_sharpe_ratio() -> None:
    """A figure that means nothing is not given."""
    few = equity_figures(marks(*["100", "101"] * (DAYS // 2)))
    flat = equity_figures(marks(*["100"] * (DAYS + 5)))
    assert few is not None
    assert flat is not None
    assert (few.sharpe, flat.sharpe) == (None, None)
