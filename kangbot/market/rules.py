"""What the venue demands of orders (ticks, steps, minima) is asked for again: it changes within a daemon's months.

A venue that widens a tick or a step refuses from then on whatever does not fit, exits and stops too. So the rules are
asked for once an hour, and soon after a refusal: it may be the first that is heard of new ones.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from kangbot.errors import KangbotError, Refused
from kangbot.machines.faults import Operation
from kangbot.market.asking import ask_patiently
from kangbot.market.gateway import Gateway
from kangbot.model.market import Instrument

log = structlog.get_logger(__name__)

_PLACES = (Operation.ENTRY, Operation.EXIT, Operation.PROTECT)  # what has a price or a quantity that may not fit


@dataclass(frozen=True, slots=True)
class Ruled:
    """The venue's rules for the market are these from now on."""

    instrument: Instrument


class Rules:
    """Those of one venue. `known` are the rules that the markets keep to, `changed` is told of others.

    Asked for every `beat_s`, and after a refusal, but never sooner than `pause_s` after the last time.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        draw: Callable[[], float],
        known: Callable[[], Iterable[Instrument]],
        changed: Callable[[Instrument], None],
        beat_s: float,
        pause_s: float,
    ) -> None:
        self._gateway = gateway
        self._draw = draw
        self._known = known
        self._changed = changed
        self._beat_s = beat_s
        self._pause_s = pause_s
        self._hurried = asyncio.Event()

    def ended(self, operation: Operation, error: Exception | None) -> None:
        """Learn how an operation of a market ended: a refusal may be the first that is heard of other rules."""
        if operation in _PLACES and isinstance(error, Refused):
            self._hurried.set()

    async def run(self) -> None:
        """Ask again and again, for ever."""
        while True:
            await asyncio.sleep(self._pause_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._beat_s - self._pause_s):
                    await self._hurried.wait()
            self._hurried.clear()
            await self._look()

    async def _look(self) -> None:
        venue = self._gateway.venue
        symbols = [instrument.symbol for instrument in self._known()]
        try:
            found = await ask_patiently(
                lambda: venue.instruments(symbols),
                budget=self._gateway.data_budget,
                draw=self._draw,
                what="the markets' rules",
            )
        except KangbotError as error:
            log.warning("venue.rules_unknown", venue=venue.name, why=error.message)
            return
        for instrument in tuple(self._known()):
            now = found.get(instrument.symbol, instrument)  # one that is delisted keeps those it had
            if now != instrument:
                self._changed(now)


def difference(before: Instrument, after: Instrument) -> str:
    """Return what is different, in words."""
    named = {"tick": "tick", "step": "step", "min_quantity": "least quantity", "max_quantity": "largest quantity"}
    named["min_notional"] = "least value"
    pairs = [(words, getattr(before, name), getattr(after, name)) for name, words in named.items()]
    return ", ".join(f"{words} {old} → {new}" for words, old, new in pairs if old != new)
