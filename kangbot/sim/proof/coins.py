"""What the daemon may sell in a spot market: what its own fills hold, whatever else lies in the account.

Held against what the journal has at that moment, which is what the daemon can know: a stop that has sold the same coins
an instant ago is seen afterwards, and what both sold is bought back. Nothing else is bought back.
"""

from collections.abc import Callable

from kangbot.model.events import FillApplied
from kangbot.model.ids import MarketId, spot_base
from kangbot.model.money import ZERO, Quantity
from kangbot.model.orders import Intent, Purpose, Side


class CoinWatch:
    """Watches one session's coins. `fail(what)` is told of a promise that was broken.

    `adopts`: what somebody buys by hand is the daemon's.
    """

    def __init__(self, fail: Callable[[str], None], *, adopts: bool = False) -> None:
        self._fail = fail
        self.adopts = adopts
        self._own: dict[MarketId, Quantity] = {}  # the sum of our fills
        self._held: dict[MarketId, Quantity] = {}  # with those of hands, as the journal has it

    def applied(self, event: FillApplied) -> None:
        """Learn of a fill that is on disk."""
        fill, base = event.fill, spot_base(event.fill.market)
        if not base:
            return
        self._held[fill.market] = event.net
        if not fill.by_hand:
            taken = fill.fee if fill.fee_currency == base else ZERO
            self._own[fill.market] = self._own.get(fill.market, ZERO) + fill.signed - taken

    def sends(self, intent: Intent) -> None:
        """Learn that an order leaves."""
        if intent.purpose is not Purpose.EXIT or not spot_base(intent.market):
            return
        own = self._own.get(intent.market, ZERO)
        held = self._held.get(intent.market, ZERO) if self.adopts else own
        if intent.side is Side.SELL and intent.quantity > held:
            self._fail(f"exit {intent.client_id} sells {intent.quantity} where {held} is held")
        if intent.side is Side.BUY and intent.quantity > -own:
            self._fail(f"exit {intent.client_id} buys {intent.quantity} where our fills hold {own}")
