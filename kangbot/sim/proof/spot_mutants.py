"""The safeguards of spot markets, taken out one by one: see `mutants.py`, which puts them in place."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kangbot.execution.stops import Stops
from kangbot.machines.agreement import Agreement
from kangbot.machines.cover import Cover, Covering
from kangbot.machines.holding import Holding
from kangbot.machines.protection import Protection
from kangbot.market.desk import Desk
from kangbot.model.events import Event
from kangbot.model.ids import ClientId, MarketId
from kangbot.model.money import Price, Quantity
from kangbot.model.position import Position
from kangbot.sim.exchange import beside, front
from kangbot.sim.exchange.venue import SimVenue

Put = Callable[[object, str, object], None]


def spot_stop_not_resized(put: Put) -> None:
    """Leave the stop beside a holding at the quantity that it was placed for: a later fill has none."""
    put(Cover, "fits", lambda self, quantity: bool(self.resting) == bool(quantity))


def spot_stop_left_behind(put: Put) -> None:
    """Let the stop rest when the holding is gone, as a position's would end with it: it sells what comes next."""
    followed = Cover.followed

    def held(self: Cover, protection: Protection, *, needed: Quantity, stop: Price | None, now_ns: int) -> Protection:
        return followed(self, protection, needed=needed, stop=stop, now_ns=now_ns) if needed else protection

    put(Cover, "followed", held)


def spot_stop_placed_twice(put: Put) -> None:
    """Place the stop beside a holding without asking what rests there: who asks again has another."""
    cover = beside.cover

    def blind(engine: SimVenue, market: MarketId, stop: Price | None, **named: Any) -> ClientId | None:
        return cover(engine, market, None, **named) if stop is None else beside.place(engine, market, stop, **named)

    put(front, "cover", blind)


def spot_stop_by_journal(put: Put) -> None:
    """Take the journal's word for the stop beside a holding, and do not look at the venue's list after a restart."""
    follow = Stops.follow

    def trusting(self: Stops, now_ns: int) -> None:
        if self._agreement.cover.resting or self._blotter.stop is None:
            follow(self, now_ns)

    def unread(self: Agreement, *_: object) -> Sequence[Event]:
        self._stop_seen = True
        return ()

    put(Stops, "follow", trusting)
    put(Agreement, "_listed", unread)


def spot_stop_over_all_coins(put: Put) -> None:
    """Have the stop sell whatever was traded in the market, by whomever."""
    needed = Covering.needed

    def whole(self: Covering, net: Quantity, holding: Holding, entry: Price | None) -> Quantity:
        return needed(msgspec.structs.replace(self, adopted=True), net, holding, entry)

    put(Covering, "needed", whole)


def spot_sale_makes_short(put: Put) -> None:
    """Net what somebody sells of coins of their own, as a venue nets contracts."""
    put(Position, "_here", lambda _self, fill, _theirs: fill.quantity)


def spot_exit_sells_theirs(put: Put) -> None:
    """Close the position, whoever bought the coins, and look no second time when the exit leaves."""
    put(Desk, "position", property(lambda self: self.executor.position))
    put(Agreement, "oversells", lambda *_: False)


SPOT = (
    spot_stop_not_resized,
    spot_stop_left_behind,
    spot_stop_placed_twice,
    spot_stop_by_journal,
    spot_stop_over_all_coins,
    spot_sale_makes_short,
    spot_exit_sells_theirs,
)
