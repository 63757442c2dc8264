"""What guards that which is held in markets that left the configuration before the last start: nobody looks after it.

The stop that rested at the venue then goes on resting there: no start takes it for an order that belongs to nobody.
"""

from collections.abc import Container

from kangbot.model.ids import MarketId
from kangbot.model.money import Quantity
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.proof.hands import HandWatch
from kangbot.sim.proof.held import unguarded


class BehindWatch:
    """Watches one session."""

    def __init__(self, engine: SimVenue, hands: HandWatch) -> None:
        self._engine = engine
        self._hands = hands
        self._guarded: dict[MarketId, Quantity] = {}

    def begins(self, looked_after: Container[MarketId]) -> int:
        """Learn which markets a life looks after; return in how many others something is held with its stop."""
        ours = {market: self._hands.ours(market) for market in self._engine.desks if market not in looked_after}
        self._guarded = {m: net for m, net in ours.items() if net and not unguarded(self._engine, m, net)}
        return len(self._guarded)

    def joins(self, market: MarketId) -> None:
        """Learn that a market is looked after again."""
        self._guarded.pop(market, None)

    def wrong(self) -> list[str]:
        """Return what has lost its stop, and is as it was otherwise."""
        lost = {
            market: words
            for market, net in self._guarded.items()
            if self._hands.ours(market) == net and (words := unguarded(self._engine, market, net))
        }
        return [f"{market}, which is not configured any more: {words}" for market, words in lost.items()]
