"""Which strategies there are, and how one is made from a name and its parameters."""

from collections.abc import Mapping
from decimal import localcontext
from pathlib import Path
from typing import Any

from kangbot.errors import Problem
from kangbot.strategy.base import Strategy
from kangbot.strategy.ema_cross import EmaCross
from kangbot.strategy.loader import load_class, split
from kangbot.strategy.parameters import StrategyInvalid, nearest, parse
from kangbot.strategy.rsi_reversion import RsiReversion

SHIPPED: dict[str, type[Strategy[Any, Any]]] = {kind.name: kind for kind in (EmaCross, RsiReversion)}


def load(name_or_path: str, parameters: Mapping[str, object], folder: Path | None = None) -> Strategy[Any, Any]:
    """Return the strategy `name`, or the one in `path/to/file.py` or `path/to/file.py:Class`.

    A relative path is taken from `folder` (None: the working directory). StrategyInvalid (a ValueError) carries every
    mistake with its key: "strategy" for the name or the file, else the parameter's name.
    """
    with localcontext():  # how a file of the user's wants to compute is no matter of ours: our sums are exact
        kind = find(name_or_path, folder)
        strategy = kind(parse(kind.parameters_type, parameters))
        lookback: object = strategy.lookback
        if not isinstance(lookback, int) or lookback < 0:
            message = f"class {kind.__name__}: lookback must be a whole number of bars, not {lookback!r:.100}"
            raise StrategyInvalid((Problem(key="strategy", message=message),))
        return strategy


def find(name_or_path: str, folder: Path | None = None) -> type[Strategy[Any, Any]]:
    """Return the class; StrategyInvalid where there is none."""
    file = split(name_or_path)
    if file is not None:
        path, class_name = file
        return load_class((folder or Path()) / path, class_name)
    kind = SHIPPED.get(name_or_path)
    if kind is None:
        message = f"{name_or_path!r} is neither a strategy that ships with kangbot nor a .py file"
        raise StrategyInvalid((Problem(key="strategy", message=message, remedy=nearest(name_or_path, names())),))
    return kind


def names() -> tuple[str, ...]:
    """Return the names of the strategies that ship, in the order of the documentation."""
    return tuple(SHIPPED)
