"""What every entry stems from: the newest target that its strategy decided in this life.

The strategy's own answers are told, before anybody else hears of them, and so is each intent, in the moment in which it
is made: nothing can come between the two. An entry takes the side of that target, gives its reason, carries its stop
(on the tick, towards the price) and is no larger than its share of the market's size. A size that was edited holds from
the next entry on: not for what is held or under way. What is held already, and what may still fill, is a matter of the
limits (`exposure.py`).

The stop that rests at the venue is that of the newest target too, or of one before it that is not older than what an
amendment may take. That is asked once the faults are over.
"""

from collections import deque
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import msgspec

from kangbot.market.spec import MarketSpec
from kangbot.model.data import Quote
from kangbot.model.ids import MarketId
from kangbot.model.money import Money, Price
from kangbot.model.orders import Intent, Purpose
from kangbot.model.target import Target
from kangbot.strategy.base import Strategy, View


class TargetWatch:
    """Watches one session's decisions. `fail(what)` is told of a promise that was broken.

    `still` says whether nothing is held in a market, and nothing under way; `now_ns` is the time of the session.
    """

    def __init__(
        self, fail: Callable[[str], None], still: Callable[[MarketId], bool], now_ns: Callable[[], int]
    ) -> None:
        self._fail = fail
        self._still = still
        self._now_ns = now_ns
        self._late: dict[MarketId, deque[tuple[int, Target]]] = {}  # when they were decided; the newest last
        self._sizes: dict[MarketId, tuple[Money, ...]] = {}  # the newest last; more than one may hold where not still
        self._decided: dict[MarketId, Target] = {}

    def heard(self, spec: MarketSpec) -> MarketSpec:
        """Return the market as it is traded in a life that begins, with a strategy whose answers are told here."""
        self._sizes[spec.market] = (spec.size,)
        self._decided.pop(spec.market, None)
        self._late.pop(spec.market, None)
        return self._telling(spec)

    def edited(self, spec: MarketSpec) -> MarketSpec:
        """Return the market as it is to be traded by an edit, likewise."""
        self._sizes[spec.market] = (*self._sizes.get(spec.market, ()), spec.size)
        return spec if hasattr(spec.strategy, "hears") else self._telling(spec)

    def _telling(self, spec: MarketSpec) -> MarketSpec:
        told = _telling(type(spec.strategy))(spec.strategy.parameters)
        told.asked, told.hears = spec.strategy, partial(self._decides, spec.market)
        return msgspec.structs.replace(spec, strategy=told)

    def _decides(self, market: MarketId, target: Target) -> None:
        self._decided[market] = target
        self._late.setdefault(market, deque()).append((self._now_ns(), target))
        self._lately(market)

    def _lately(self, market: MarketId) -> list[Target]:
        """Return what was decided of late there, and what held when that time began; the newest last."""
        late, since_ns = self._late.get(market, deque()), self._now_ns() - FOLLOWS_NS
        while len(late) > 1 and late[1][0] <= since_ns:
            late.popleft()
        return [target for _, target in late]

    def astray(self, spec: MarketSpec, direction: int, quote: Quote, tick: Price, rests: Iterable[Price]) -> str:
        """Return what is wrong with the stops that rest for what is held in that direction; "" where nothing is.

        Not asked of a position that is to be left, nor where the price is beyond a stop: the venue takes none there.
        """
        late = self._lately(spec.market)
        if not late or late[-1].exposure * direction <= 0 or late[-1].stop is None:
            return ""
        stops = [target.stop for target in late if target.stop is not None and target.exposure * direction > 0]
        price = quote.bid if direction > 0 else quote.ask
        if any((stop - price) * direction >= 0 for stop in stops):
            return ""
        near = all(any(abs(rest - stop) <= spec.style.stop_band * stop + tick for stop in stops) for rest in rests)
        return "" if near else "its stop is not where it was decided to be"

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


FOLLOWS_NS = 10_000_000_000  # an amendment that is lost is asked about, and tried again


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
