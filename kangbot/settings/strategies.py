"""Each market's strategy, loaded with its parameters as the daemon will load it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kangbot.errors import Problem, named
from kangbot.machines.warmup import MOST
from kangbot.settings.lines import Key
from kangbot.settings.schema import Settings
from kangbot.settings.sources import Origin
from kangbot.settings.trading import MarketSettings
from kangbot.strategy import registry
from kangbot.strategy.loader import raised, split
from kangbot.strategy.parameters import StrategyInvalid

_MINUTE_S = 60  # shorter bars are built from trades, and a market waits for as many as it takes


def check_strategies(settings: Settings, origin: Origin) -> Iterator[Problem]:
    """Yield every mistake in names, files and parameters; what many markets share is told once."""
    told: set[Problem] = set()
    for number, market in enumerate(settings.trading):
        for found in _mistakes(market):
            problem = _placed(found, settings, number, origin)
            if problem not in told:
                told.add(problem)
                yield problem


def _mistakes(market: MarketSettings) -> Sequence[Problem]:
    file = split(market.strategy)
    try:
        strategy = registry.load(market.strategy, market.parameters)
        if not callable(getattr(strategy.indicators(), "update", None)):
            message = f"class {type(strategy).__name__}: what `indicators` returns has no method `update`"
            return (Problem(message=message, key="strategy"),)
        lookback = strategy.lookback
        if lookback <= MOST or market.timeframe_s < _MINUTE_S:
            return ()
    except StrategyInvalid as error:
        return error.problems
    except Exception as error:  # noqa: BLE001 -- a strategy of the user's own may raise anything
        if file is not None:
            return raised(Path(file[0]), error).problems
        return (Problem(message=f"cannot be made: {named(error)}", key="strategy"),)
    message = f"looks back {lookback} bars, and a market begins with at most {MOST}"
    return (Problem(message=message, key="strategy", remedy="Have it look back on fewer, of a longer timeframe."),)


def _placed(found: Problem, settings: Settings, number: int, origin: Origin) -> Problem:
    """Return the strategy's finding with its place in the configuration."""
    own, defaults = settings.markets[number], settings.defaults
    if found.key in ("", "strategy"):
        message = found.message
        if found.file:  # a strategy of the user's own: the place in its file is part of what is wrong
            message = str(msgspec.structs.replace(found, key="", remedy=""))
        key: Key = ("markets", number, "strategy") if own.strategy else ("defaults", "strategy")
        return origin.problem(key, message, found.remedy)
    same = own.strategy in (None, defaults.strategy)
    shared = same and found.key in defaults.parameters and found.key not in own.parameters
    table: Key = ("defaults",) if shared else ("markets", number)
    return origin.problem((*table, "parameters", found.key), found.message, found.remedy)
