"""The difference between what is wanted and what is held, as orders.

`plan` is asked whenever something changed in a market, and answers with the next step only: what to cancel, what to
propose, where the stop must rest. Planning twice with no change gives the same plan, and once its orders are filled the
plan is empty. Whether a proposal may leave is left to the risk gate, how it leaves to the executor.

One step at a time:

- While an order of the market is in flight nothing new is proposed; a resting limit order that is too old, or that the
  target no longer wants, is cancelled, and so is a resting exit that has to be a market order by now. An order whose
  outcome is UNKNOWN blocks entries, and an exit only for the quantity that an UNKNOWN exit may already have closed.
- A position that is not wanted is closed first, reduce-only; the other side is entered on a later pass.
- The stop is looked after whatever is in flight, and for the smallest of positions. It is moved, never removed.

What is done with sizes that do not fit, one policy a line:

======================================================  ===============================================================
the wanted quantity is not a multiple of the step       round down: never more than was asked
a flat market wants less than the venue's minimum       nothing, and say so; never rounded up
coins would be worth less than that at their stop       nothing, and say so: no stop could rest beside them
the missing rest is inside the band (price drift,       nothing: the position is as wanted
    a partial fill that is nearly whole)
the missing rest is below the venue's minimum           nothing, and say so: the partial fill stands
the surplus is inside the band                          nothing
the surplus is below the venue's minimum                nothing, and say so: it is closed with the rest
a reduction would leave less than can ever be closed    close the whole position
the position is less than can be closed (dust)          nothing, and say so; dust does not stand in an entry's way:
                                                        dust of the same side counts, of the other side is traded away
an order is above the venue's maximum                   the maximum now, the rest on a later pass
more coins are wanted than that maximum                 the maximum, and say so: their stop is one order
more coins are held than that maximum                   sell what no stop covers, inside the band too
a stop is not a multiple of the tick                    round towards the price: the smaller loss
a flat market wants a stop beyond the price             no entry, and say so
a held position wants a stop beyond the price           leave it to the stop that rests there; without one, close now
======================================================  ===============================================================

The venue's minimum is its quantity for every order, and its notional for entries; for exits the notional counts in
spot markets only, since venues exempt reduce-only orders from it.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from kangbot.machines.sizing import Book, below_minimum, clamp, limit_price, protective
from kangbot.model.data import Quote
from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO, Money, Price, Quantity, floor_to
from kangbot.model.orders import OrderKind, Proposal, Purpose, Side, TimeInForce
from kangbot.model.position import Position
from kangbot.model.target import Target

_AFTER_FEES = Decimal("0.99")  # of coins that are bought: more than any venue's fee is taken in them


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How a market's orders are placed."""

    kind: OrderKind = OrderKind.MARKET  # of entries
    exit_kind: OrderKind = OrderKind.MARKET  # of exits; an exit beyond its stop is a market order in any case
    time_in_force: TimeInForce = TimeInForce.GTC  # of limit orders; IOC crosses the spread, the others join their side
    patience_ns: int = 10_000_000_000  # how long a limit order may rest before it is cancelled and planned anew
    band: Decimal = Decimal("0.2")  # share of the larger of wanted and held by which they may differ
    stop_band: Decimal = Decimal("0.0005")  # share of the price by which the resting stop may differ from the wanted


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """An order of this market that is not terminal, as far as planning must know it."""

    client_id: ClientId
    purpose: Purpose
    side: Side
    kind: OrderKind
    remaining: Quantity
    age_ns: int  # since it was intended
    unknown: bool = False  # its outcome is not known
    canceling: bool = False  # its cancellation has been asked for


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The next step. Empty when all is as wanted, or when something in flight must end first."""

    proposals: tuple[Proposal, ...] = ()
    cancels: tuple[ClientId, ...] = ()
    stop: Price | None = None  # where the resting stop must move; None: leave it
    refused: str = ""  # why what is wanted is not proposed; "" where there is nothing to say


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """One market at one moment, with what all rules need worked out once."""

    target: Target
    net: Quantity
    working: Sequence[Working]
    instrument: Instrument
    book: Book
    style: Style
    resting_stop: Price | None
    direction: int  # of the target: 1, 0 or -1
    wanted: Quantity  # absolute, a multiple of the step
    capped: str  # why more is not wanted; "" where it would not be
    stop: Price | None  # wanted, on the tick

    @property
    def held(self) -> int:
        """The direction of the position; 0 when flat."""
        return (self.net > 0) - (self.net < 0)

    @property
    def beyond_stop(self) -> bool:
        """Whether the price has passed the wanted stop."""
        return self.stop is not None and (self.stop - self.book.exit_price(self.direction)) * self.direction >= 0

    @property
    def protected(self) -> bool:
        """Whether a stop rests near enough to the wanted one."""
        if self.stop is None or self.resting_stop is None:
            return False
        return abs(self.resting_stop - self.stop) <= self.style.stop_band * self.stop

    @property
    def bare(self) -> bool:
        """Whether some of the coins are beyond what one stop covers: they were adopted, or the maximum was lowered."""
        spot = self.instrument.kind is InstrumentKind.SPOT
        return spot and floor_to(self.net, self.instrument.step) > clamp(self.net, self.instrument)

    @property
    def overrun(self) -> bool:
        """Whether the position is wanted, and has passed its stop where none rests."""
        return self.held == self.direction and self.beyond_stop and not self.protected

    @property
    def exit_kind(self) -> OrderKind:
        """Of what leaves now: one that is urgent waits for nobody's price."""
        return OrderKind.MARKET if self.overrun else self.style.exit_kind


def plan(
    *,
    target: Target | None,
    position: Position,
    working: Sequence[Working],
    instrument: Instrument,
    quote: Quote,
    size: Money,
    style: Style,
    resting_stop: Price | None,
) -> Plan:
    """Return the next step from `position` towards `target` of `size` (quote currency at full exposure).

    `working` are the market's orders that are not terminal; `resting_stop` is the stop known to rest at the venue (for
    a fresh entry, the one its request carried).
    """
    too_old = tuple(order.client_id for order in working if _cancellable(order) and order.age_ns >= style.patience_ns)
    if target is None:
        return Plan(cancels=too_old)
    if quote.bid <= 0 or quote.ask <= 0:
        return Plan(cancels=too_old, refused="the book is empty on one side")
    case = _case(
        target=target,
        position=position,
        working=working,
        instrument=instrument,
        quote=quote,
        size=size,
        style=style,
        resting_stop=resting_stop,
    )
    unwanted = tuple(order.client_id for order in working if order.client_id not in too_old and _unwanted(order, case))
    proposal, refused = _order(case)
    return Plan(
        proposals=() if proposal is None else (proposal,),
        cancels=too_old + unwanted,
        stop=_stop_change(case),
        refused=refused,
    )


def _case(
    *,
    target: Target,
    position: Position,
    working: Sequence[Working],
    instrument: Instrument,
    quote: Quote,
    size: Money,
    style: Style,
    resting_stop: Price | None,
) -> _Case:
    direction = (target.exposure > 0) - (target.exposure < 0)
    spot = instrument.kind is InstrumentKind.SPOT
    if spot:
        direction = max(direction, 0)
    book = Book(bid=quote.bid, ask=quote.ask)
    whole = floor_to(abs(target.exposure) * size / book.entry_price(direction), instrument.step) if direction else ZERO
    wanted = clamp(whole, instrument) if spot else whole
    return _Case(
        target=target,
        net=position.net,
        working=working,
        instrument=instrument,
        book=book,
        style=style,
        resting_stop=resting_stop,
        direction=direction,
        wanted=wanted,
        capped=f"{whole:f} is more than one stop covers: the most is {wanted:f}" if wanted < whole else "",
        stop=protective(target.stop, direction, instrument) if target.stop is not None and direction else None,
    )


# ------------------------------------------------------------------------------------------------------------ cancels
def _cancellable(order: Working) -> bool:
    return order.kind is OrderKind.LIMIT and not order.unknown and not order.canceling


def _unwanted(order: Working, case: _Case) -> bool:
    """Whether the target has changed so that this resting order leads away from it."""
    if not _cancellable(order):
        return False
    same_side = max(case.net * case.direction, ZERO)
    in_flight = sum((each.remaining for each in case.working if each.purpose is order.purpose), ZERO)
    if order.purpose is Purpose.ENTRY:
        too_much = same_side + in_flight > case.wanted * (1 + case.style.band)
        return order.side.sign != case.direction or too_much or case.beyond_stop
    if case.exit_kind is OrderKind.MARKET:
        return True  # it would keep what must leave at once waiting for its price
    return case.held == case.direction and same_side - in_flight < case.wanted * (1 - case.style.band)


# -------------------------------------------------------------------------------------------------------------- order
def _order(case: _Case) -> tuple[Proposal | None, str]:
    """Return the one order to propose, or why there is none."""
    if any(not order.unknown for order in case.working):
        return None, ""
    dust = below_minimum(abs(case.net), case.book.exit_price(case.held), case.instrument, Purpose.EXIT)
    if case.held and not dust:
        return _adjust(case)
    if case.direction:
        return _enter(case, case.wanted)
    return None, f"{abs(case.net):f} is too little to close: {dust}" if case.held else ""


def _adjust(case: _Case) -> tuple[Proposal | None, str]:
    """Close, reduce or increase a position that is large enough to trade."""
    held = abs(case.net)
    if case.held != case.direction:
        return _exit(case, held, case.target.reason)
    if case.beyond_stop:
        if not case.overrun:
            return None, ""
        price = case.book.exit_price(case.direction)
        return _exit(case, held, f"price {price:f} is beyond the stop {case.stop:f}")
    if held > case.wanted:
        surplus = held - case.wanted
        if surplus <= case.style.band * held and not case.bare:
            return None, ""
        rest = held - floor_to(surplus, case.instrument.step)
        price = case.book.exit_price(case.held)
        least = price if case.stop is None else min(price, case.stop)  # coins that are too few for a stop go as well
        whole = below_minimum(rest, least, case.instrument, Purpose.EXIT)
        return _exit(case, held if whole else surplus, case.target.reason)
    missing = case.wanted - held
    if missing <= case.style.band * case.wanted:
        return None, case.capped
    return _enter(case, case.wanted)


def _exit(case: _Case, quantity: Quantity, reason: str) -> tuple[Proposal | None, str]:
    """Propose to close `quantity`, less what an exit of unknown outcome may have closed already."""
    unsure = sum((order.remaining for order in case.working if order.purpose is Purpose.EXIT), ZERO)
    free = clamp(min(quantity, abs(case.net) - unsure), case.instrument)
    if free <= 0:
        return None, ""
    side = Side.SELL if case.net > 0 else Side.BUY
    reference = case.book.exit_price(case.held)
    if small := below_minimum(free, reference, case.instrument, Purpose.EXIT):
        return None, f"{free:f} is too little to close: {small}"
    return _proposal(case, Purpose.EXIT, side, case.exit_kind, quantity=free, reference=reference, reason=reason), ""


def _enter(case: _Case, wanted: Quantity) -> tuple[Proposal | None, str]:
    """Propose what is missing of `wanted` (absolute)."""
    if case.working:
        return None, "an order of unknown outcome is being resolved"
    if case.beyond_stop:
        return None, f"the stop {case.stop:f} is not beyond the price {case.book.exit_price(case.direction):f}"
    side = Side.BUY if case.direction > 0 else Side.SELL
    reference = case.book.entry_price(case.direction)
    quantity = clamp(wanted - max(case.net * case.direction, ZERO), case.instrument)
    price = limit_price(case.style.kind, case.style.time_in_force, side, case.book, case.instrument) or reference
    if small := below_minimum(quantity, price, case.instrument, Purpose.ENTRY):
        return None, f"{quantity:f} is too little to enter: {small}"
    if small := _below_its_stop(case, quantity):
        return None, f"{quantity:f} is too little to enter: its stop is an order of its own, and {small}; raise `size`"
    reason, kind = case.target.reason, case.style.kind
    return _proposal(case, Purpose.ENTRY, side, kind, quantity=quantity, reference=reference, reason=reason), ""


def _below_its_stop(case: _Case, quantity: Quantity) -> str:
    """Return why no stop could rest beside the coins, were `quantity` bought; "" where one could, or needs no order."""
    if case.instrument.kind is not InstrumentKind.SPOT or case.stop is None:
        return ""
    held = (max(case.net, ZERO) + quantity) * _AFTER_FEES
    if small := below_minimum(held, case.stop, case.instrument, Purpose.EXIT):
        return f"at {case.stop:f} {small}"
    return ""


def _proposal(
    case: _Case, purpose: Purpose, side: Side, kind: OrderKind, *, quantity: Quantity, reference: Price, reason: str
) -> Proposal:
    return Proposal(
        market=case.instrument.market,
        purpose=purpose,
        side=side,
        kind=kind,
        quantity=quantity,
        price=limit_price(kind, case.style.time_in_force, side, case.book, case.instrument),
        time_in_force=case.style.time_in_force if kind is OrderKind.LIMIT else TimeInForce.GTC,
        stop=case.stop if purpose is Purpose.ENTRY else None,
        reference=reference,
        reason=reason,
    )


# --------------------------------------------------------------------------------------------------------------- stop
def _stop_change(case: _Case) -> Price | None:
    """Return where the stop must move; None where it rests well, or where the position is to be closed anyway."""
    if case.held != case.direction or case.beyond_stop or case.protected:
        return None
    return case.stop
