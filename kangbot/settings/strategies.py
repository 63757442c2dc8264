"""Each market's strategy, loaded with its parameters as the daemon will load it."""

from collections.abc import Iterator
from dataclasses import replace

from kangbot.errors import Problem, named
from kangbot.settings.lines import Key
from kangbot.settings.schema import Settings
from kangbot.settings.sources import Origin
from kangbot.strategy import registry
from kangbot.strategy.parameters import StrategyInvalid


def check_strategies(settings: Settings, origin: Origin) -> Iterator[Problem]:
    """Yield every mistake in names, files and parameters; what many markets share is told once."""
    told: set[Problem] = set()
    for number, market in enumerate(settings.trading):
        try:
            registry.load(market.strategy, market.parameters)
        except StrategyInvalid as error:
            for found in error.problems:
                problem = _placed(found, settings, number, origin)
                if problem not in told:
                    told.add(problem)
                    yield problem
        except Exception as error:  # noqa: BLE001 -- a strategy of the user's own may raise anything
            found = Problem(message=f"cannot be made: {named(error)}", key="strategy")
            yield _placed(found, settings, number, origin)


def _placed(found: Problem, settings: Settings, number: int, origin: Origin) -> Problem:
    """Return the strategy's finding with its place in the configuration."""
    own, defaults = settings.markets[number], settings.defaults
    if found.key in ("", "strategy"):
        message = found.message
        if found.file:  # a strategy of the user's own: the place in its file is part of what is wrong
            message = str(replace(found, key="", remedy=""))
        key: Key = ("markets", number, "strategy") if own.strategy else ("defaults", "strategy")
        return origin.problem(key, message, found.remedy)
    same = own.strategy in (None, defaults.strategy)
    shared = same and found.key in defaults.parameters and found.key not in own.parameters
    table: Key = ("defaults",) if shared else ("markets", number)
    return origin.problem((*table, "parameters", found.key), found.message, found.remedy)
