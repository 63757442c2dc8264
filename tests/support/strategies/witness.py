"""A strategy that wants nothing and writes down each bar that it is shown and each decision that it is asked for."""

import json
from pathlib import Path
from typing import Any

from kangbot.model.data import Bar
from kangbot.strategy.base import Parameters, Strategy, View


class Nothing(Parameters, frozen=True, kw_only=True):
    """No parameters."""


def _write(bar: Bar, what: str, **also: Any) -> None:
    prices = [str(value) for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
    base = bar.market.rpartition("bybit:")[2].partition("-")[0]
    with Path(__file__).with_name(f"{base}.jsonl").open("a") as out:
        out.write(json.dumps({"what": what, "open_ns": bar.open_ns, "prices": prices, **also}) + "\n")


class Shown:
    """Writes down each bar."""

    def update(self, bar: Bar) -> None:
        """Take one bar."""
        _write(bar, "shown")


class Witness(Strategy[Nothing, Shown]):
    """Sees, and never trades."""

    name = "witness"
    parameters_type = Nothing
    __slots__ = ()

    @property
    def lookback(self) -> int:
        """A few bars."""
        return 3

    def indicators(self) -> Shown:
        """Return what writes down."""
        return Shown()

    def decide(self, view: View[Shown]) -> None:
        """Write down what it was asked about."""
        _write(view.bar, "asked", now_ns=view.now_ns)
