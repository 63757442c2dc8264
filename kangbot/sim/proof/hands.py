"""What somebody does by hand at the venue, past the daemon: whether it was told, and left alone.

An order without our prefix must be noted while it rests, and nobody but its owner may end it. A trade by hand must be
noted too. Both once, however often the daemon starts, and within a minute in which the venue can be asked; the session
says when that minute is over, by `overdue`. A market that is taken from the daemon by it, under the policy
`quarantine`, is not entered until a person releases it, in no life under that policy. What hands hold is no exposure of
ours, so it is kept here, by the venue's own executions: what is held, and whose it is. Coins that are sold by hand are
those that were bought by hand, then the daemon's, then those of before, which are not counted.
"""

from collections import Counter
from collections.abc import Callable, Container, Mapping

from kangbot.model.events import Noted
from kangbot.model.ids import CLIENT_ID_PREFIX, ExecutionId, MarketId, VenueOrderId, spot_base
from kangbot.model.money import ZERO, Quantity
from kangbot.model.orders import Fill, FillCause, Intent, OrderStatus, Purpose
from kangbot.sim.exchange.orders import Cause, Origin, SimOrder


class HandWatch:
    """Watches one session's hands. `fail(what)` is told of a promise that was broken; `deeds` counts what happened."""

    def __init__(self, fail: Callable[[str], None], deeds: Counter[str]) -> None:
        self.touched: dict[MarketId, None] = {}  # somebody traded or rested an order there
        self.traded_ns: dict[MarketId, int] = {}  # when somebody traded there last, by the venue's clock
        self._fail = fail
        self._deeds = deeds
        self._resting: dict[VenueOrderId, int] = {}  # since when
        self._traded: dict[ExecutionId, tuple[MarketId, int]] = {}  # where and when; not noted yet
        self._untold: dict[VenueOrderId, MarketId] = {}
        self._withdrawn: dict[VenueOrderId, None] = {}
        self._own: dict[MarketId, Quantity] = {}  # of coins, the sum of our own executions
        self._known: dict[str, None] = {}  # orders and executions of hands, ever
        self._told: dict[str, None] = {}  # of those, what was noted
        self._taken: dict[MarketId, str] = {}  # why, as the journal has it
        self.quarantines = True  # the policy of the life that runs: what is taken is not entered
        self._released_ns: dict[MarketId, int] = {}  # the daemon's clock
        self._nets: dict[MarketId, Quantity] = {}
        self._by_hand: dict[MarketId, Quantity] = {}

    # ------------------------------------------------------------------------------------------------------ by session
    def releases(self, market: MarketId, now_ns: int) -> None:
        """Learn that a person gives the market back, by the daemon's clock; a restart may come before it is on disk."""
        self._taken.pop(market, None)
        self._released_ns[market] = now_ns

    def withdraws(self, order: VenueOrderId) -> None:
        """Learn that the owner of the order cancels it."""
        self._withdrawn[order] = None
        self._deeds["hand_withdrawn"] += 1

    def begins(self, quarantines: Mapping[MarketId, str]) -> None:
        """Learn why markets are in quarantine, "" where they are not, as a life begins to look after them."""
        for market, quarantine in quarantines.items():
            if market not in self._taken or not self.quarantines:
                continue
            if not quarantine:
                self._fail(f"a restart gives {market} back, which nobody released: {self._taken[market]}")
            self._deeds["hand_quarantine_kept"] += 1

    def sends(self, intent: Intent, *, again: bool) -> None:
        """Learn that an order of the daemon's leaves; `again`: it has left before."""
        if intent.purpose is Purpose.ENTRY and not again and self.quarantines and intent.market in self._taken:
            self._fail(f"entry {intent.client_id} leaves in a market that is a person's: {self._taken[intent.market]}")

    def overdue(self, before_ns: int, looked_after: Container[MarketId]) -> None:
        """Object to everything that was done before then in these markets and has not been noted."""
        late: list[str] = [
            order
            for order, market in self._untold.items()
            if self._resting.get(order, before_ns) < before_ns and market in looked_after
        ]
        late += [
            execution
            for execution, (market, at_ns) in self._traded.items()
            if at_ns < before_ns and market in looked_after
        ]
        if late:
            self._fail(f"nobody was told within a minute of what was done by hand: {', '.join(late)}")

    # ---------------------------------------------------------------------------------------------------- at the venue
    def order(self, order: SimOrder) -> None:
        """Learn how an order stands that may be a hand's."""
        if order.origin is not Origin.USER or order.request.client_id.startswith(CLIENT_ID_PREFIX):
            return
        order_id = order.order_id
        self.touched[order.market] = None
        self._known[order_id] = None
        if order.status.terminal:
            self._resting.pop(order_id, None)
            self._untold.pop(order_id, None)
            if order.status is OrderStatus.CANCELED and order.cause is Cause.USER and order_id not in self._withdrawn:
                self._fail(f"order {order_id}, which is not ours, was cancelled, and not by its owner")
        elif order_id not in self._resting:
            self._deeds["hand_order"] += 1
            self._resting[order_id] = order.created_ns
            self._untold[order_id] = order.market

    def executed(self, fill: Fill, order: SimOrder) -> None:
        """Learn of an execution, ours or not, and keep what of the position is a hand's, as flat begins it anew."""
        market, base = fill.market, spot_base(fill.market)
        before = self._nets.get(market, ZERO)
        ours = order.request.client_id.startswith(CLIENT_ID_PREFIX)
        hand = not ours and fill.cause is FillCause.TRADE
        moved = fill.signed - (fill.fee if base and fill.fee_currency == base else ZERO)
        if base and hand and moved < 0:
            self._deeds["hand_sold_theirs"] += -moved > before
            self._deeds["hand_sold_ours"] += bool(self.ours(market) and -moved > before - self.ours(market))
            moved = -min(-moved, max(before, ZERO))
        elif base and not hand:
            moved = self._moved(market, moved)
        after = self._nets[market] = before + moved
        if before * after <= 0:
            self._by_hand[market] = after if hand else ZERO
        elif hand:
            self._by_hand[market] = self._by_hand.get(market, ZERO) + moved
        elif moved * after > 0 > self._by_hand.get(market, ZERO) * after:
            self._by_hand[market] = ZERO  # what they closed is gone, and this was entered anew
        if hand:
            self._deeds["hand_trade"] += 1
            self._known[fill.execution_id] = None
            self.traded_ns[market] = fill.at_ns
            self._traded[fill.execution_id] = market, fill.at_ns

    def _moved(self, market: MarketId, moved: Quantity) -> Quantity:
        """Return by how much an execution of ours moves what is held of coins.

        One that sells what a hand had sold while it was on its way sells coins that are not counted, as far as our own
        executions have bought what they sell.
        """
        own, before = self._own.get(market, ZERO), self.net(market)
        self._own[market] = own + moved
        taken = max(ZERO, own + max(ZERO, self._by_hand.get(market, ZERO)) - before)
        missing = max(ZERO, -moved - max(before, ZERO))
        return moved + min(missing, taken)

    def net(self, market: MarketId) -> Quantity:
        """Return what is held there; negative for a short."""
        return self._nets.get(market, ZERO)

    def ours(self, market: MarketId) -> Quantity:
        """Return how much of it the daemon answers for."""
        net = self.net(market)
        own = net - self._by_hand.get(market, ZERO)
        if own * net <= 0:
            return ZERO
        return min(own, net) if net > 0 else max(own, net)

    # ------------------------------------------------------------------------------------------------------- on disk
    def noted(self, note: Noted) -> bool:
        """Learn of a note on hands; False where no hand gave a reason for it, or where it was told before."""
        if note.kind == "market.quarantine":
            return self._takes(note)
        of = note.fields.get("execution_id" if note.kind == "position.by_hand" else "venue_order_id", "")
        if of not in self._known or of in self._told:
            return False
        self._told[of] = None
        self._traded.pop(ExecutionId(of), None)
        self._untold.pop(VenueOrderId(of), None)
        self._deeds["hand_told"] += 1
        return True

    def _takes(self, note: Noted) -> bool:
        market = note.market
        if market is None or market not in self.touched or market in self._taken:
            return False
        if note.at_ns > self._released_ns.get(market, 0):  # else the release was quicker than the disk
            self._taken[market] = note.message
        return True
