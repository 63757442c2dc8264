"""Which strategies there are by name; those from a file are in `test_loader.py`."""

from decimal import Decimal

import pytest

from kangbot.errors import Problem
from kangbot.strategy import registry
from kangbot.strategy.ema_cross import EmaCross
from kangbot.strategy.parameters import StrategyInvalid


def problems(name: str) -> list[Problem]:
    """Return what is wrong with a name."""
    with pytest.raises(StrategyInvalid) as caught:
        registry.load(name, {})
    return list(caught.value.problems)


def test_a_name_and_its_parameters_make_a_strategy() -> None:
    """As TOML gives them: floats become exact decimals by what was written."""
    strategy = registry.load("ema_cross", {"fast": 9, "slow": 21, "stop_percent": 0.1})
    assert isinstance(strategy, EmaCross)
    assert (strategy.parameters.fast, strategy.parameters.stop_percent) == (9, Decimal("0.1"))
    assert strategy.parameters.allow_short


def test_an_unknown_name_is_told_the_nearest() -> None:
    """Or all there are."""
    (near,), (far,) = problems("ema_corss"), problems("xyz")
    assert (near.key, near.remedy) == ("strategy", "Did you mean ema_cross?")
    assert far.remedy == "Known are: ema_cross, rsi_reversion"
