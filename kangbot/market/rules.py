"""What the venue demands of orders (ticks, steps, minima) is asked for again: it changes within a daemon's months.

A venue that widens a tick or a step refuses from then on whatever does not fit, exits and stops too. So the rules are
asked for once an hour, and those of one market when it is refused something: that may be the first that is heard of new
ones. A position that cannot be closed, or has no stop, is not kept waiting for them as an entry is; but where it is
refused on and on under the same rules these are not the reason, and the look is never sooner than after as long again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog

from kangbot.errors import KangbotError, Refused
from kangbot.machines.faults import Operation
from kangbot.market.asking import ask_patiently
from kangbot.market.gateway import Gateway
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

_PLACES = (Operation.ENTRY, Operation.EXIT, Operation.PROTECT)  # what has a price or a quantity that may not fit


class Ruled(msgspec.Struct, frozen=True):
    """The venue's rules for the market are these from now on."""

    instrument: Instrument


class Rules:
    """Those of one venue. `known` are the rules that the markets keep to, `changed` is told of others.

    `listed` is told of a market that is not traded any more (False), or again.

    Asked for every `beat_s`. A market's own are asked for when it is refused an order or a stop, but no sooner than
    `pause_s` after the last time for an entry. For an exit or a stop that is `exit_pause_s` at first, and `pause_s` in
    the end.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        clock: Clock,
        draw: Callable[[], float],
        known: Callable[[], Iterable[Instrument]],
        changed: Callable[[Instrument], None],
        listed: Callable[[Instrument, bool], None] = lambda _instrument, _listed: None,
        beat_s: float,
        pause_s: float,
        exit_pause_s: float,
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._draw = draw
        self._known = known
        self._changed = changed
        self._listed = listed
        self._unlisted: set[MarketId] = set()
        self._beat_ns = int(beat_s * SECOND_NS)
        self._pause_ns = int(pause_s * SECOND_NS)
        self._exit_pause_ns = int(exit_pause_s * SECOND_NS)
        self._looked_ns: dict[MarketId, int] = {}
        self._exits_refused_ns: dict[MarketId, int] = {}  # since when, under the same rules
        self._due_ns: dict[MarketId, int] = {}  # of those that were refused something since
        self._refused = asyncio.Event()

    def ended(self, market: MarketId, operation: Operation, error: Exception | None) -> None:
        """Learn how an operation of a market ended: a refusal may be the first that is heard of other rules.

        Not one that says by its class what it is about: no funds, no such order.
        """
        if operation not in _PLACES:
            return
        entry = operation is Operation.ENTRY
        if error is None and not entry:
            self._exits_refused_ns.pop(market, None)
        elif type(error) is Refused:
            due_ns = self._looked_ns.get(market, 0) + (self._pause_ns if entry else self._exit_wait_ns(market))
            self._due_ns[market] = min(due_ns, self._due_ns.get(market, due_ns))
            self._refused.set()

    def _exit_wait_ns(self, market: MarketId) -> int:
        """Return the pause for exits and stops: for as long as they have been refused, within its bounds."""
        now_ns = self._clock.now_ns()
        lasted_ns = now_ns - self._exits_refused_ns.setdefault(market, now_ns)
        return min(max(self._exit_pause_ns, lasted_ns), self._pause_ns)

    @property
    def unlisted(self) -> frozenset[MarketId]:
        """The markets that the venue does not list any more, or not now."""
        return frozenset(self._unlisted)

    async def run(self) -> None:
        """Ask again and again, for ever."""
        beat_ns = self._clock.now_ns() + self._beat_ns
        while True:
            await self._sleep(min(beat_ns, *self._due_ns.values()) if self._due_ns else beat_ns)
            now_ns = self._clock.now_ns()
            # Forgotten before the answer: what is refused from here on may be so by rules that come after it.
            due = {market for market, at_ns in self._due_ns.items() if at_ns <= now_ns}
            for market in due:
                del self._due_ns[market]
            if now_ns >= beat_ns:
                beat_ns = now_ns + self._beat_ns
                await self._look(list(self._known()))
            elif due:
                await self._look([instrument for instrument in self._known() if instrument.market in due])

    async def _sleep(self, until_ns: int) -> None:
        """Sleep until then, or until a refusal may have made it sooner."""
        self._refused.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, until_ns - self._clock.now_ns()) / SECOND_NS):
                await self._refused.wait()

    async def _look(self, among: Sequence[Instrument]) -> None:
        venue, symbols = self._gateway.venue, [instrument.symbol for instrument in among]
        try:
            found = await ask_patiently(
                lambda: venue.instruments(symbols),
                budget=self._gateway.data_budget,
                draw=self._draw,
                what="the markets' rules",
            )
        except KangbotError as error:
            log.warning("venue.rules_unknown", venue=venue.name, why=error.message)
            found = {}
        else:
            for instrument in among:
                self._seen(instrument, listed=instrument.symbol in found)
        now_ns = self._clock.now_ns()
        for instrument in among:
            self._looked_ns[instrument.market] = now_ns
        for instrument in tuple(self._known()):
            now = found.get(instrument.symbol, instrument)  # one that is delisted keeps those it had
            if now != instrument:
                self._exits_refused_ns.pop(instrument.market, None)
                self._changed(now)

    def _seen(self, instrument: Instrument, *, listed: bool) -> None:
        """Tell, where it is news, whether the venue trades the market."""
        if listed is (instrument.market not in self._unlisted):
            return
        self._unlisted ^= {instrument.market}
        self._listed(instrument, listed)


def difference(before: Instrument, after: Instrument) -> str:
    """Return what is different, in words."""
    named = {"tick": "tick", "step": "step", "min_quantity": "least quantity", "max_quantity": "largest quantity"}
    named["min_notional"] = "least value"
    pairs = [(words, getattr(before, name), getattr(after, name)) for name, words in named.items()]
    return ", ".join(f"{words} {old} → {new}" for words, old, new in pairs if old != new)
