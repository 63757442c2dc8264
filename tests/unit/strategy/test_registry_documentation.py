"""The page on strategies is true: its example runs, its tables are those of the code."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec

from kangbot.model.data import Bar
from kangbot.model.target import Target
from kangbot.strategy import registry
from kangbot.strategy.base import View

PAGE = (Path(__file__).parents[3] / "docs" / "strategies.md").read_text()
Walk = Callable[[int, int], list[Bar]]


def blocks(language: str) -> list[str]:
    """Return the page's code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def described(field: msgspec.structs.FieldInfo) -> list[str]:
    """Return the row of the table that tells of a parameter: its default as it is written in a configuration."""
    kind, *_, meta = get_args(field.type)
    default = str(field.default).lower() if kind is bool else str(field.default)
    return [field.name, kind.__name__, default, meta.description]


def test_the_example_is_a_strategy_that_trades(tmp_path: Path, walk: Walk, view_of: Callable[..., View[Any]]) -> None:
    """Loaded as the page's configuration names it; on a random walk it goes in and out, each time with its stop."""
    (source,) = blocks("python")
    market = tomllib.loads(blocks("toml")[1])["markets"][0]
    (tmp_path / market["strategy"]).write_text(source)
    strategy = registry.load(market["strategy"], market["parameters"], tmp_path)
    assert strategy.parameters.period == 30
    bars, wanted = walk(600, 7), []
    for end in range(strategy.lookback, len(bars), 20):
        target: Target | None = strategy.decide(view_of(strategy, bars[:end]))
        assert target is not None
        wanted.append(target)
    assert {target.exposure for target in wanted} == {0, 1}
    assert all((target.stop is not None) == bool(target.exposure) for target in wanted)


def test_the_example_of_a_shipped_strategy_loads() -> None:
    """As it stands in the page."""
    market = tomllib.loads(blocks("toml")[0])["markets"][0]
    assert registry.load(market["strategy"], market["parameters"]).parameters.slow == 21


def test_the_tables_are_those_of_the_code() -> None:
    """Each parameter of each strategy that ships: name, type, default, meaning, in order."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:3] == "| `"]
    shown = [[name.strip("`"), *rest] for name, *rest in rows if len(rest) == 3]
    kinds = [registry.find(name).parameters_type for name in registry.names()]
    assert shown == [described(field) for kind in kinds for field in msgspec.structs.fields(kind)]
