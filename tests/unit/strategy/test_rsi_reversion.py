"""Trade against exaggeration: in beyond a level, out in the middle, one trade for each fall or rise."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from kangbot.model.data import Bar
from kangbot.model.orders import Side
from kangbot.model.position import RoundTrip
from kangbot.model.target import Target
from kangbot.strategy.base import View
from kangbot.strategy.parameters import StrategyInvalid
from kangbot.strategy.rsi_reversion import RsiReversion, RsiReversionParameters

D = Decimal
Bars = Callable[..., list[Bar]]
Views = Callable[..., View[Any]]
Trips = Callable[[Side, int], RoundTrip]

CALM = [100, 101, 100, 101, 100, 101]  # the index stands between the levels
FALL = [*CALM, 99, 97, 95, 93]
RISE = [*CALM, 103, 105, 107, 109]


def reversion(**fields: Any) -> RsiReversion:
    """An index of four bars."""
    return RsiReversion(RsiReversionParameters(period=4, **fields))


@pytest.fixture
def answer(bars_of: Bars, view_of: Views) -> Callable[..., Target | None]:
    """Decide once on closes, position and the rest of the view."""

    def decide(strategy: RsiReversion, closes: list[int], net: int = 0, **fields: object) -> Target | None:
        view = view_of(strategy, bars_of(closes), net, **fields)
        target = strategy.decide(view)
        assert strategy.decide(view) == target
        return target

    return decide


Answer = Callable[..., Target | None]


def test_too_few_bars_give_no_opinion(answer: Answer) -> None:
    """The index needs one bar more than its period."""
    assert answer(reversion(), [100, 101, 102, 103]) is None


@pytest.mark.parametrize(
    ("closes", "net", "exposure", "stop", "reason"),
    [
        (CALM, 0, 0, None, "RSI 4 (62.50) is between low 30 and high 70"),
        (FALL, 0, 1, "91.14", "RSI 4 (11.75) is below low 30"),
        (RISE, 0, -1, "111.18", "RSI 4 (92.95) is above high 70"),
        (FALL, 1, 1, "98", "RSI 4 (11.75) is still below exit 50"),
        (RISE, -1, -1, "102", "RSI 4 (92.95) is still above exit 50"),
        (CALM, 1, 0, None, "RSI 4 (62.50) is at or above exit 50"),
        ([101, 100, 101, 100, 101, 100], -1, 0, None, "RSI 4 (37.50) is at or below exit 50"),
        (RISE, 1, -1, "111.18", "RSI 4 (92.95) is above high 70"),
        (FALL, -1, 1, "91.14", "RSI 4 (11.75) is below low 30"),
    ],
)
def test_what_is_wanted(  # noqa: PLR0917 -- a row of the table and a fixture
    answer: Answer, closes: list[int], net: int, exposure: int, stop: str | None, reason: str
) -> None:
    """Flat, in, held, out and over, each with its figures (their values by TA-Lib) and its stop."""
    target = answer(reversion(), closes, net)
    assert target is not None
    assert target == Target(exposure=D(exposure), stop=None if stop is None else D(stop), reason=reason)


def test_the_exit_level_itself_is_an_exit(answer: Answer) -> None:
    """An index that stands on it has come back."""
    target = answer(reversion(exit=62.5), CALM, 1)
    assert target is not None
    assert target.exposure == 0


@pytest.mark.parametrize(("closes", "net"), [(RISE, 0), (RISE, 1), (RISE, -1), (CALM, -1)])
def test_without_shorts_a_short_is_never_wanted(answer: Answer, closes: list[int], net: int) -> None:
    """Neither a new one, nor one after a long, nor one that is there already."""
    target = answer(reversion(allow_short=False), closes, net)
    assert target is not None
    assert target.exposure == 0
    assert target.reason.endswith("short positions are not allowed")


def test_one_fall_is_one_trade(answer: Answer, trip: Trips) -> None:
    """After its stop the next fall is waited for; the trade of an earlier fall says nothing."""
    stopped = answer(reversion(), FALL, last_trip=trip(Side.BUY, 8))
    again = answer(reversion(), FALL, last_trip=trip(Side.BUY, 3))
    assert stopped is not None
    assert again is not None
    assert (stopped.exposure, again.exposure) == (D(0), D(1))
    assert stopped.reason.endswith("this signal has had its trade")


def test_levels_in_the_wrong_order_are_named() -> None:
    """Low below exit below high, and a stop that is one."""
    with pytest.raises(StrategyInvalid) as caught:
        RsiReversionParameters(low=60.0, high=40.0, stop_percent=D(100))
    assert [problem.key for problem in caught.value.problems] == ["low", "high", "stop_percent"]
    with pytest.raises(
        StrategyInvalid, match=r"low: must be below exit.*\n.*high: must be above exit.*\n.*stop_percent"
    ):
        RsiReversionParameters(low=50.0, high=50.0, stop_percent=D(0))


def test_the_lookback_follows_the_period() -> None:
    """Long enough that the seed no longer matters."""
    assert reversion().lookback == 40
