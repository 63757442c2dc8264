"""Follow the trend: a state, its stop, its reason, and one trade for one crossing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kangbot.model.data import Bar
from kangbot.model.orders import Side
from kangbot.model.position import RoundTrip
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossParameters
from kangbot.strategy.parameters import StrategyInvalid

D = Decimal
Bars = Callable[..., list[Bar]]
Views = Callable[..., View[Any]]
Trips = Callable[[Side, int], RoundTrip]

FALL_THEN_RISE = [100, 99, 98, 97, 96, 104]  # the averages cross on the last bar, number 5


def cross(**fields: Any) -> EmaCross:
    """A fast pair of averages."""
    return EmaCross(EmaCrossParameters(fast=2, slow=3, stop_percent=D(2), **fields))


def test_too_few_bars_give_no_opinion(bars_of: Bars, view_of: Views) -> None:
    """Nor do averages that have never differed."""
    strategy = cross()
    assert strategy.decide(view_of(strategy, bars_of([100, 101]))) is None
    assert strategy.decide(view_of(strategy, bars_of([100] * 9))) is None


def test_a_crossing_is_entered_with_its_figures(bars_of: Bars, view_of: Views) -> None:
    """The reason names both averages, with their values by TA-Lib; the bar after, it is another."""
    strategy, bars = cross(), bars_of([*FALL_THEN_RISE, 105])
    target = strategy.decide(view_of(strategy, bars[:-1]))
    assert target is not None
    assert (target.exposure, target.stop) == (D(1), D("101.92"))
    assert target.reason == "EMA 2 crossed above EMA 3 (101.5 > 100.5)"
    later = strategy.decide(view_of(strategy, bars))
    assert later is not None
    assert later.reason.startswith("EMA 2 is above EMA 3 (")
    assert later.exposure == 1


def test_small_prices_are_said_as_they_are_written(bars_of: Bars, view_of: Views) -> None:
    """A coin at a millionth of a dollar, or less."""
    strategy = cross()
    bars = bars_of([close / 1e8 for close in (*FALL_THEN_RISE,)])
    target = strategy.decide(view_of(strategy, bars))
    assert target is not None
    assert target.reason == "EMA 2 crossed above EMA 3 (0.000001015 > 0.000001005)"


def test_the_other_side_is_short_or_flat(bars_of: Bars, view_of: Views) -> None:
    """As the parameters say; the stop of a short is above."""
    bars = bars_of([96, 97, 98, 99, 100, 92])
    short, flat = cross(), cross(allow_short=False)
    target, away = short.decide(view_of(short, bars)), flat.decide(view_of(flat, bars, 3))
    assert target is not None
    assert away is not None
    assert (target.exposure, target.stop) == (D(-1), D("93.84"))
    assert target.reason == "EMA 2 crossed below EMA 3 (94.5 < 95.5)"
    assert (away.exposure, away.stop, away.reason) == (D(0), None, target.reason)


def test_equal_averages_leave_things_as_they_were(bars_of: Bars, view_of: Views) -> None:
    """Neither above nor below is no crossing."""
    strategy = cross()
    view = view_of(strategy, bars_of([100, 100, 100, 101, *[101] * 90]))
    assert view.indicators.fast.value == view.indicators.slow.value
    target = strategy.decide(view)
    assert target is not None
    assert target.exposure == 1


def test_the_stop_follows_from_the_entry_of_what_is_held(bars_of: Bars, view_of: Views) -> None:
    """Not from the newest close, so that it rests where it rested; a position to be flipped has no say in it."""
    strategy, bars = cross(), bars_of(FALL_THEN_RISE)
    held, flip = strategy.decide(view_of(strategy, bars, 3)), strategy.decide(view_of(strategy, bars, -3))
    assert held is not None
    assert flip is not None
    assert (held.stop, flip.stop) == (D(98), D("101.92"))


def test_one_crossing_is_one_trade(bars_of: Bars, view_of: Views, trip: Trips) -> None:
    """After its stop the market stays flat; trips of an earlier crossing or of the other side say nothing."""
    strategy, bars = cross(), bars_of([*FALL_THEN_RISE, 105, 106, 107])
    stopped = strategy.decide(view_of(strategy, bars, last_trip=trip(Side.BUY, 5)))
    assert stopped is not None
    assert stopped.exposure == 0
    assert stopped.reason.endswith("; this crossing has had its trade")
    for earlier in (trip(Side.BUY, 3), trip(Side.SELL, 5), None):
        target = strategy.decide(view_of(strategy, bars, last_trip=earlier))
        assert target is not None
        assert target.exposure == 1
    kept = strategy.decide(view_of(strategy, bars, 2, last_trip=trip(Side.BUY, 5)))
    assert kept is not None
    assert kept.exposure == 1


def test_a_crossing_older_than_memory_is_not_traded_twice(bars_of: Bars, view_of: Views, trip: Trips) -> None:
    """After a restart far into a trend: entered when the last trip went the other way, not when it was this one."""
    strategy, bars = cross(), bars_of(range(100, 130))
    again = strategy.decide(view_of(strategy, bars, last_trip=trip(Side.BUY, -50)))
    fresh = strategy.decide(view_of(strategy, bars, last_trip=trip(Side.SELL, -50)))
    assert again is not None
    assert fresh is not None
    assert (again.exposure, fresh.exposure) == (D(0), D(1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(seed=st.integers(0, 10**6), net=st.integers(-2, 2), extra=st.integers(0, 200))
def test_a_restart_wants_the_same(
    walk: Callable[[int, int], list[Bar]], view_of: Views, seed: int, net: int, extra: int
) -> None:
    """Deciding twice gives one target, and so does a memory that begins `lookback` bars back, but for near ties."""
    strategy = EmaCross(EmaCrossParameters(fast=3, slow=8))
    bars = walk(strategy.lookback * 3 + extra, seed)
    view = view_of(strategy, bars, net)
    target = strategy.decide(view)
    assert target is not None
    assert strategy.decide(view) == target
    fast, slow = view.indicators.fast.value, view.indicators.slow.value
    restarted = strategy.decide(view_of(strategy, bars[-strategy.lookback :], net))
    assert restarted is not None
    if abs(fast - slow) > 0.2:  # the seed of the younger memory still weighs 0.3 %
        assert (restarted.exposure, restarted.stop) == (target.exposure, target.stop)


@pytest.mark.parametrize(
    ("fields", "keys"),
    [({"fast": 20}, ["fast"]), ({"fast": 9, "slow": 5, "stop_percent": D(0)}, ["fast", "stop_percent"])],
)
def test_parameters_that_contradict_each_other_are_named(fields: dict[str, Any], keys: list[str]) -> None:
    """All of them."""
    with pytest.raises(StrategyInvalid) as caught:
        EmaCrossParameters(**fields)
    assert [problem.key for problem in caught.value.problems] == keys


def test_the_lookback_follows_the_slow_average() -> None:
    """Long enough that the seed no longer matters."""
    assert EmaCross(EmaCrossParameters()).lookback == 80
