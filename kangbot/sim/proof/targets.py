"""What every entry stems from: the newest target that its strategy decided in this life.

The strategy's own answers are told, before anybody else hears of them, and so is each intent, in the moment in which it
is made: nothing can come between the two. An entry takes the side of that target, gives its reason, carries its stop
(on the tick, towards the price) and is no larger than its share of the market's size. A size that was edited holds from
the next entry on: not for what is held or under way. What is held already, and what may still fill, is a matter of the
limits (`exposure.py`).
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import msgspec

from kangbot.market.spec import MarketSpec
from kangbot.model.ids import MarketId
from kangbot.model.money import Money
from kangbot.model.orders import Intent, Purpose
from kangbot.model.target import Target
from kangbot.strategy.base import Strategy, View


class TargetWatch:
    """Watches one session's decisions. `fail(what)` is told of a promise that was broken.

    `still` says whether nothing is held in a market, and nothing under way.
    """

    def __init__(self, fail: Callable[[str], None], still: Callable[[MarketId], bool] = lambda _market: False) -> None:
        self._fail = fail
        self._still = still
        self._sizes: dict[MarketId, tuple[Money, ...]] = {}  # the newest last; more than one may hold where not still
        self._decided: dict[MarketId, Target] = {}

    def heard(self, spec: MarketSpec) -> MarketSpec:
        """Return the market as it is traded in a life that begins, with a strategy whose answers are told here."""
        self._sizes[spec.market] = (spec.size,)
        self._decided.pop(spec.market, None)
        return self._telling(spec)

    def edited(self, spec: MarketSpec) -> MarketSpec:
        """Return the market as it is to be traded by an edit, likewise."""
        self._sizes[spec.market] = (*self._sizes.get(spec.market, ()), spec.size)
        return spec if hasattr(spec.strategy, "hears") else self._telling(spec)

    def _telling(self, spec: MarketSpec) -> MarketSpec:
        told = _telling(type(spec.strategy))(spec.strategy.parameters)
        told.asked, told.hears = spec.strategy, partial(self._decided.__setitem__, spec.market)
        return msgspec.structs.replace(spec, strategy=told)

    def intended(self, intent: Intent) -> None:
        """Learn of an order as it is made."""
        if intent.purpose is not Purpose.ENTRY:
            return
        sizes = self._sizes[intent.market]
        if len(sizes) > 1 and self._still(intent.market):
            sizes = self._sizes[intent.market] = sizes[-1:]
        size = max(sizes)
        named = f"entry {intent.client_id} of {intent.market}"
        target = self._decided.get(intent.market)
        if target is None:
            self._fail(f"{named} is intended, and nothing has been decided there")
        elif target.exposure * intent.side.sign <= 0 or target.reason != intent.reason:
            self._fail(f"{named} is to {intent.side.value}: {intent.reason}; decided was {target}")
        elif not _carries(intent, target):
            self._fail(f"{named} carries the stop {intent.stop}; decided was {target.stop}")
        elif intent.quantity * intent.reference > abs(target.exposure) * size:
            self._fail(
                f"{named} is for {intent.quantity} at {intent.reference}; decided was {target.exposure} of {size}"
            )


@cache
def _telling(kind: type[Strategy[Any, Any]]) -> Any:
    """Return the class that asks such a strategy, and tells `hears` each target; made once, for that takes long."""

    def decide(self: Any, view: View[Any]) -> Target | None:
        target = kind.decide(self.asked, view)
        if target is not None:
            self.hears(target)
        return target

    return type(kind.__name__, (kind,), {"__slots__": ("asked", "hears"), "decide": decide})


def _carries(intent: Intent, target: Target) -> bool:
    if intent.stop is None or target.stop is None:
        return intent.stop is target.stop
    return (intent.stop - target.stop) * intent.side.sign >= 0
