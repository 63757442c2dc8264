"""What every strategy is made from."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kangbot.model.data import Bar
from kangbot.strategy.base import Parameters, Strategy, View
from kangbot.strategy.ema_cross import EmaCross


def test_the_bar_of_a_view_is_the_newest(
    walk: Callable[[int, int], list[Bar]], view_of: Callable[..., View[Any]]
) -> None:
    """However many it may look at."""
    bars = walk(3, 1)
    strategy = EmaCross(EmaCross.parameters_type())
    view = msgspec.structs.replace(view_of(strategy, bars), bars=tuple(bars))
    assert view.bar is bars[-1]


def test_one_that_does_not_decide_is_none() -> None:
    """It is refused where it would be made, by what it lacks, and not at its first bar."""

    class Undecided(Strategy[Parameters, Any]):
        lookback = 1

        def indicators(self) -> None:
            return None

    with pytest.raises(TypeError, match="decide"):
        Undecided(Parameters())  # type: ignore[abstract]
