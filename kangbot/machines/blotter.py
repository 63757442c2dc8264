"""One market's orders, executions and position: what was learnt goes in, what has to be journalled comes out.

The blotter applies the order machine, counts each execution once and keeps the position as the sum of the fills. It
returns events in the order in which they belong into one atomic group, and never raises for what the world did. When
to ask, what to send and where the events go is left to `execution/executor.py`.
"""

from collections.abc import Iterable, Sequence

import msgspec

from kangbot.machines.contradiction import IMPOSSIBLE, contradicted
from kangbot.machines.executions import Executions
from kangbot.machines.kept_orders import KeptOrders
from kangbot.machines.memory import MarketMemory, add_to_day
from kangbot.machines.order import ImpossibleError, Order, advance, begin
from kangbot.machines.order_words import Answered, CancelAsked, Filled, Learnt, Reported, Restarted, Sent
from kangbot.model.events import (
    CashFlowApplied,
    Event,
    FillApplied,
    Noted,
    OrderChanged,
    RoundTripClosed,
    Severity,
    StopSet,
)
from kangbot.model.ids import ClientId, ExecutionId, VenueOrderId, of_another, profit_currency
from kangbot.model.money import Money, Price, Quantity
from kangbot.model.orders import CashFlow, Evidence, Fill, FillCause, Intent, OrderStatus, Side
from kangbot.model.position import Position, RoundTrip


class Counts(msgspec.Struct, kw_only=True):
    """What became of orders in this process."""

    sent: int = 0  # intents that left
    resent: int = 0  # further copies under the same id
    acked: int = 0  # the venue showed a first sign
    filled: int = 0
    rejected: int = 0
    withheld: int = 0  # intents that never left
    not_accepted: int = 0  # proved absent at the venue


class Blotter:
    """Large state with one writer, the market's task: mutable."""

    def __init__(
        self,
        memory: MarketMemory,
        *,
        journal: str,
        strategy: str,
        born_ns: int,
        settle_ns: int,
        now_ns: int,
        quarantine_hands: bool = False,
    ) -> None:
        """Take up what is remembered. Until `settle_ns` absence proves nothing for orders that were in flight.

        Executions from before `born_ns`, the journal's first record, are not ours unless an order of ours names them.
        `journal`: its name, by which our ids are told from those of another kangbot on the account.
        `quarantine_hands`: what somebody does by hand takes the market from the daemon.
        """
        self.market = memory.market
        self.position: Position = memory.position
        self.stop: Price | None = memory.stop
        self.holding = memory.holding
        self.hands = memory.hands
        self.last_trip: RoundTrip | None = memory.last_trip
        self.executions = Executions(memory.executions, memory.forgotten_ns)
        self.realised_by_day: dict[int, Money] = dict(memory.realised_by_day)
        self.funding: Money = memory.funding
        self.counts = Counts()
        self.contradiction = memory.contradiction  # what cannot be and was reported all the same; a person must look
        self.touched = ""  # the newest that somebody did by hand in this process, or the venue itself
        self._quarantine_hands = quarantine_hands
        self._memory = memory
        self._journal = journal
        self.strategy = strategy  # whose round trips are closed from now on
        # The clock that wrote the first record may have been ahead, and set right since: what is counted was ours.
        self._born_ns = min((born_ns, *memory.executions.values()))
        self._orders = KeptOrders()
        self._written: dict[ClientId, _Line] = {}
        for order in memory.orders:
            self._written[order.client_id] = _line(order)
            # Not journalled: a restart on an unchanged venue comes back to what the journal says already.
            if not order.status.terminal:
                order = advance(order, Restarted(settle_ns), now_ns)  # noqa: PLW2901 -- as this life knows it
            elif not order.settled:  # nobody has been asked for its fills until now
                order = msgspec.structs.replace(order, changed_ns=now_ns)  # noqa: PLW2901 -- the same
            self._keep(order)

    # ------------------------------------------------------------------------------------------------------- reading
    @property
    def orders(self) -> Iterable[Order]:
        """Every order that is remembered, oldest first; settled ones for a while."""
        return self._orders

    @property
    def unsettled(self) -> Sequence[Order]:
        """Every order that may still change the position or our mind, oldest first."""
        return self._orders.unsettled

    def order(self, client_id: ClientId | None, venue_order_id: VenueOrderId | None = None) -> Order | None:
        """Return the order of that id; by the venue's id where the venue did not name ours."""
        if client_id is not None:
            return self._orders.get(client_id)
        if venue_order_id is None:
            return None
        return next((order for order in self._orders if order.venue_order_id == venue_order_id), None)

    def memory(self) -> MarketMemory:
        """Return what another blotter needs to go on from here, as a replay of the journal would."""
        return msgspec.structs.replace(
            self._memory,
            orders=tuple(self._orders),
            position=self.position,
            executions=dict(self.executions.items()),
            forgotten_ns=self.executions.forgotten_ns,
            last_execution_ns=self.executions.last_ns,
            stop=self.stop,
            holding=self.holding,
            hands=self.hands,
            contradiction=self.contradiction,
            last_trip=self.last_trip,
            realised_by_day=dict(self.realised_by_day),
            funding=self.funding,
        )

    # ------------------------------------------------------------------------------------------------------ changing
    def open(self, intent: Intent, settle_margin_ns: int) -> Order:
        """Enter a fresh intent, which is on its way to the journal."""
        order = begin(intent, settle_margin_ns)
        self._keep(order)
        self._written[order.client_id] = _line(order)
        return order

    def learn(self, client_id: ClientId, learnt: Learnt, now_ns: int) -> Sequence[Event]:
        """Advance one order; nothing where it is not remembered any more.

        What cannot be is an alarm and a `contradiction`, never an exception: the others' orders go on.
        """
        before = self._orders.get(client_id)
        if before is None:
            return ()
        try:
            after = advance(before, learnt, now_ns)
        except ImpossibleError as error:
            text = f"{error.message}; {error.remedy}"
            return (self.note(IMPOSSIBLE, Severity.CRITICAL, text, now_ns, client_id=client_id),)
        if after.amended > before.amended:
            after = advance(after, CancelAsked(), now_ns)
        self._count(before, after, learnt)
        events: list[Event] = []
        line = _line(after)
        if line != _line(before) and line != self._written[client_id]:
            self._written[client_id] = line
            events.append(_changed(after, now_ns))
        events.extend(self._alarms(before, after, learnt, now_ns))
        events.extend(self._handled(before, after, learnt, now_ns))
        self._keep(after)
        return events

    def fill(self, fill: Fill, now_ns: int) -> Sequence[Event]:
        """Apply an execution, once; nothing where it is known already."""
        if fill.execution_id in self.executions:
            return ()
        order = self.order(fill.client_id, fill.venue_order_id)
        if order is None and fill.at_ns < self._born_ns:
            return ()  # from before the journal: whoever traded then, it is not in our books
        if self.executions.too_old(fill.at_ns):
            text = f"execution {fill.execution_id} is older than what is remembered of executions; not applied"
            return (self.note("fill.too_old", Severity.CRITICAL, text, now_ns),)
        other = None
        if order is not None and fill.client_id is None:
            fill = msgspec.structs.replace(fill, client_id=order.client_id)
        elif order is None and of_another(fill.client_id, self._journal):
            other, fill = fill.client_id, msgspec.structs.replace(fill, client_id=None)  # as anybody's who is not us
        changes = () if order is None else self.learn(order.client_id, Filled(fill), now_ns)
        events = self._apply(fill, None if order is None else order.intent, changes, now_ns)
        if order is None or fill.cause is not FillCause.TRADE:
            events.append(note := self._unasked(fill, other, now_ns))
            what = f"{note.message} ({fill.execution_id})"
            if fill.by_hand:
                events.extend(self.by_hand(what, now_ns))
            elif fill.cause is not FillCause.STOP and fill.cause is not FillCause.TRADE:
                self.touched = what  # the venue's own doing: nothing that was wanted before is to follow it
        return events

    @property
    def owing(self) -> Sequence[Order]:
        """The orders that are over, and of which more is filled than anybody has told the fills of, oldest first."""
        return [order for order in self.unsettled if order.status.terminal and order.reported > order.executed]

    def adjust(self, net: Quantity, price: Price, now_ns: int) -> Sequence[Event]:
        """Make the position what the venue says, `net`: a person has looked, and no execution will explain it.

        What our orders owe is theirs, for they would be waited for as long as they owe; what differs then was traded by
        hand. All of it is booked at `price`, without a fee: nobody knows better.
        """
        events, said = list[Event](), list[str]()
        for order in self.owing:
            missing = order.reported - order.executed
            events += self._adjusted(order.intent.side, missing, price, now_ns, order)
            said.append(f"{order.intent.side.value} {missing:f} of order {order.client_id}")
        if rest := net - self.position.net:
            side = Side.BUY if rest > 0 else Side.SELL
            events += self._adjusted(side, abs(rest), price, now_ns)
            said.append(f"{side.value} {abs(rest):f} by hand")
        text = f"booked as a person has told to, for no execution explains it: {' and '.join(said)}, at {price:f}"
        self.touched = text
        return (*events, self.note("position.adjusted", Severity.WARNING, text, now_ns))

    def _adjusted(
        self, side: Side, quantity: Quantity, price: Price, now_ns: int, order: Order | None = None
    ) -> Sequence[Event]:
        """Book what nobody has told an execution of, as that order's; None: as traded by hand."""
        fill = Fill(
            market=self.market,
            execution_id=ExecutionId(f"adjusted-{now_ns}{'' if order is None else f'-{order.intent.number}'}"),
            client_id=None if order is None else order.client_id,
            venue_order_id=(None if order is None else order.venue_order_id) or VenueOrderId(""),
            side=side,
            price=price,
            quantity=quantity,
            fee_currency=profit_currency(self.market),
            at_ns=now_ns,
        )
        changes = () if order is None else self.learn(order.client_id, Filled(fill), now_ns)
        return self._apply(fill, None if order is None else order.intent, changes, now_ns)

    def _apply(self, fill: Fill, intent: Intent | None, changes: Sequence[Event], now_ns: int) -> list[Event]:
        """Count a fill that is new; `changes` of its order belong behind it."""
        self.executions.add(fill.execution_id, fill.at_ns)
        before = self.position.net
        self.position, trips = self.position.apply(fill, self.holding.by_hand)
        self.holding = self.holding.filled(fill, intent, before=before, after=self.position.net, closed=bool(trips))
        events: list[Event] = [
            FillApplied(fill=fill, net=self.position.net, entry=self.position.entry, at_ns=now_ns),
            *changes,
        ]
        for trip in trips:
            self.last_trip = trip
            add_to_day(self.realised_by_day, trip.closed_ns, trip.net_profit)
            events.append(RoundTripClosed(trip=trip, strategy=self.strategy, at_ns=now_ns))
        if not self.position.net or before * self.position.net < 0:
            events.extend(self.rests(None, now_ns))  # a venue's stop ends with its position, or its side
        return events

    def cash(self, flow: CashFlow, now_ns: int) -> Sequence[Event]:
        """Book funding or settlement, once."""
        if flow.execution_id in self.executions:
            return ()
        if flow.at_ns < self._born_ns or self.executions.too_old(flow.at_ns):
            return ()
        self.executions.add(flow.execution_id, flow.at_ns)
        add_to_day(self.realised_by_day, flow.at_ns, flow.amount)
        self.funding += flow.amount
        return (CashFlowApplied(flow=flow, at_ns=now_ns),)

    def rests(self, stop: Price | None, now_ns: int) -> Sequence[Event]:
        """Learn which stop of the position rests at the venue."""
        if stop == self.stop:
            return ()
        self.stop = stop
        self.holding = self.holding.rests(stop)
        return (StopSet(market=self.market, price=stop, at_ns=now_ns),)

    def by_hand(self, what: str, now_ns: int) -> Sequence[Event]:
        """Learn of something that somebody did by hand; return the note on it where the market is theirs by it."""
        self.touched = what
        return self.taken(what, now_ns)

    def taken(self, what: str, now_ns: int) -> Sequence[Event]:
        """Return the note on a market that is a person's from now on, because of `what`; nothing where it was."""
        if self.hands.quarantine or not self._quarantine_hands:
            return ()
        return (self.note("market.quarantine", Severity.WARNING, what, now_ns),)

    def note(self, kind: str, severity: Severity, message: str, now_ns: int, **fields: object) -> Noted:
        """Return a note on this market, which must go into the journal: what outlives a restart follows from it."""
        named = {name: str(value) for name, value in fields.items()}
        noted = Noted(kind=kind, severity=severity, market=self.market, message=message, fields=named, at_ns=now_ns)
        self.hands = self.hands.noted(noted)
        self.contradiction = contradicted(self.contradiction, noted)
        return noted

    # ------------------------------------------------------------------------------------------------------- private
    def _keep(self, order: Order) -> None:
        if (forgotten := self._orders.keep(order)) is not None:
            del self._written[forgotten]

    def _unasked(self, fill: Fill, other: ClientId | None, now_ns: int) -> Noted:
        """Return the note on a fill that no order of ours asked for; `other` is the one of another kangbot that did."""
        kind, severity = {
            FillCause.TRADE: ("position.by_hand", Severity.WARNING),
            FillCause.STOP: ("position.stopped", Severity.INFO),
            FillCause.LIQUIDATION: ("position.liquidated", Severity.CRITICAL),
            FillCause.DELEVERAGING: ("position.deleveraged", Severity.CRITICAL),
            FillCause.SETTLEMENT: ("position.delisted", Severity.ERROR),
        }[fill.cause]
        whose = f"by order {other} of another kangbot on this account" if other else "by no order of ours"
        if fill.cause is FillCause.TRADE and not fill.by_hand:  # of a part of the journal that was lost, or long ago
            kind, severity = ("fill.forgotten", Severity.WARNING)
            whose = f"by order {fill.client_id} of ours, which the journal does not have any more"
        text = f"{fill.side.value} {fill.quantity:f} at {fill.price:f}, {whose}"
        return self.note(
            kind, severity, text, now_ns, execution_id=fill.execution_id, venue_order_id=fill.venue_order_id
        )

    def _alarms(self, before: Order, after: Order, learnt: Learnt, now_ns: int) -> list[Event]:
        alarms: list[Event] = []
        named: dict[str, object] = {"client_id": after.client_id, "venue_order_id": after.venue_order_id or ""}
        if before.status.terminal and before.inferred and _alive(before, after):
            text = f"order {after.client_id} was believed {before.status.value} and is {after.status.value}"
            alarms.append(self.note("order.resurrected", Severity.CRITICAL, text, now_ns, **named))
        if after.executed > after.quantity >= before.executed:
            text = f"order {after.client_id} of {after.quantity:f} is filled for {after.executed:f}"
            alarms.append(self.note("order.overfilled", Severity.CRITICAL, text, now_ns, **named))
        if isinstance(learnt, Answered | Reported) and before.venue_order_id not in (
            None,
            learnt.report.venue_order_id,
        ):
            text = f"a second venue order {learnt.report.venue_order_id} bears the id {after.client_id}"
            alarms.append(self.note("order.second", Severity.CRITICAL, text, now_ns, **named))
        if after.status is OrderStatus.UNKNOWN and before.status is OrderStatus.SENT:
            text = f"what became of order {after.client_id} is not known: {after.message}"
            alarms.append(self.note("order.unknown", Severity.WARNING, text, now_ns, **named))
        return alarms

    def _handled(self, before: Order, after: Order, learnt: Learnt, now_ns: int) -> Sequence[Event]:
        """Return the note on an order of ours that somebody has changed or cancelled at the venue.

        What a former life asked for may be carried out in this one.
        """
        amended = after.amended > before.amended
        if not amended and not (
            isinstance(learnt, Reported) and learnt.report.withdrawn and _taken_away(before, after)
        ):
            return ()
        if amended:
            kind, what = "order.amended", f"was made one of {after.quantity:f} at the venue: it is withdrawn"
        else:
            kind, what = "order.taken_away", f"was cancelled at the venue, filled {after.filled:f}"
        text = f"order {after.client_id}, {after.intent.side.value} {after.intent.quantity:f}, {what}"
        named: dict[str, object] = {"client_id": after.client_id, "venue_order_id": after.venue_order_id or ""}
        return (self.note(kind, Severity.WARNING, text, now_ns, **named), *self.by_hand(text, now_ns))

    def _count(self, before: Order, after: Order, learnt: Learnt) -> None:
        counts = self.counts
        if isinstance(learnt, Sent):
            counts.sent += before.sends == 0
            counts.resent += before.sends > 0
        counts.acked += after.seen and not before.seen
        if after.status is before.status:
            return
        counts.filled += after.status is OrderStatus.FILLED
        counts.rejected += after.status is OrderStatus.REJECTED
        counts.withheld += after.evidence is Evidence.UNSENT
        counts.not_accepted += after.status is OrderStatus.NOT_ACCEPTED and after.evidence is Evidence.ABSENCE


_Line = tuple[OrderStatus, Quantity, VenueOrderId | None, Price | None]


def _line(order: Order) -> _Line:
    """Return what the journal has to know of the order: when this changes, a record is written.

    SENT is no news beside INTENT: a restart may believe neither, and the record could come too late to be true.
    """
    status = OrderStatus.INTENT if order.status is OrderStatus.SENT else order.status
    return status, order.filled, order.venue_order_id, order.average if order.settled else None


def _alive(before: Order, after: Order) -> bool:
    """Whether an order that was believed dead showed itself: by its status, or by an execution."""
    if before.status is OrderStatus.EXPIRED:
        return not after.status.terminal  # it had existed: only more life is news
    return after.seen and after.status not in (OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)


def _taken_away(before: Order, after: Order) -> bool:
    """Whether a cancellation that ended the order was none of ours."""
    asked = before.cancel_requested_ns or before.restarted
    return after.status is OrderStatus.CANCELED and not before.status.terminal and not asked


def _changed(order: Order, now_ns: int) -> OrderChanged:
    return OrderChanged(
        market=order.intent.market,
        client_id=order.client_id,
        status=order.status,
        evidence=order.evidence,
        filled=order.filled,
        average=order.average,
        venue_order_id=order.venue_order_id,
        code=order.code,
        message=order.message,
        at_ns=now_ns,
    )
