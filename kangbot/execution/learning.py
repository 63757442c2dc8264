"""What one market learns from each message of its inbox: messages in, events for the journal out.

Keeps the blotter, the agreement with the venue and the state of the stop, and changes nothing else: it sends nothing,
writes nothing and never waits. Orders of a former life that are to be cancelled are left in `orphans`.
"""

from collections.abc import Sequence
from typing import assert_never

import msgspec

from kangbot.execution.outcome import CancelEnded, Looked, Outcome, ProtectEnded, SendEnded, WriteEnded
from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.order import Order
from kangbot.machines.order_words import Absent, Doubted, RefusedByVenue, Reported
from kangbot.machines.protection import Protection
from kangbot.machines.reconcile import Orphan, Reconciled
from kangbot.model.events import Event, Severity
from kangbot.model.ids import ClientId
from kangbot.model.orders import CashFlow, Evidence, Fill, OrderReport, OrderStatus, VenuePosition

Message = OrderReport | Fill | CashFlow | VenuePosition | Reconciled | Outcome
MESSAGES = (
    OrderReport, Fill, CashFlow, VenuePosition, Reconciled, SendEnded, Looked, CancelEnded, ProtectEnded, WriteEnded,
)  # fmt: skip

_SECOND_NS = 1_000_000_000
UNRESOLVED_NS = 30 * _SECOND_NS  # what lasts so long is told to a person; it is asked about all the same
_Owed = tuple[ClientId, str]  # of which order, and which word


class Learning:
    """One market's knowledge. Large state with one writer, the market's task: mutable."""

    def __init__(self, blotter: Blotter, agreement: Agreement) -> None:
        self.blotter = blotter
        self.agreement = agreement
        self.protection = Protection()
        self.active_ns = 0  # our clock: something of ours moved last
        self.refused: tuple[ClientId | None, str] = None, ""  # the newest order that was refused for good, and its code
        self.orphans: list[ClientId] = []  # taken and emptied by the caller
        self._told: dict[_Owed, None] = {}  # for so long that a person knows
        self._left: dict[ClientId, tuple[int, int]] = {}  # when orders under way left, and the last activity before

    @property
    def unknown(self) -> Sequence[Order]:
        """The orders of which nobody knows what became."""
        return [order for order in self.blotter.unsettled if order.status is OrderStatus.UNKNOWN]

    def unresolved_ns(self) -> int | None:
        """Return when the venue will have owed its next word for too long; None where it owes none."""
        first_ns: int | None = None
        for order in self.blotter.unsettled:  # asked on every turn, and most orders owe nothing
            owed = _owed(order)
            if owed is not None and (order.client_id, owed[0]) not in self._told:
                first_ns = owed[1] if first_ns is None else min(first_ns, owed[1])
        return None if first_ns is None else first_ns + UNRESOLVED_NS

    def _owed(self) -> dict[_Owed, tuple[Order, int]]:
        """Return the orders of which the venue has yet to say what became of them, or which fills; and since when."""
        each = ((order, _owed(order)) for order in self.blotter.unsettled)
        return {(order.client_id, owed[0]): (order, owed[1]) for order, owed in each if owed is not None}

    def take(self, message: Message, now_ns: int) -> Sequence[Event]:
        """Learn from one message; return the events that belong into one atomic group."""
        blotter = self.blotter
        match message:
            case Fill():
                return self._filled(message, now_ns)
            case OrderReport():
                return self._reported(message, now_ns)
            case SendEnded():
                return self._sent(message, now_ns)
            case VenuePosition():
                return self.agreement.position(message, now_ns)
            case CashFlow():
                return blotter.cash(message, now_ns)
            case Reconciled():
                events, orphans = self.agreement.snapshot(message, self.active_ns, now_ns)
                self.orphans.extend(orphans)
                return events
            case Looked():
                return self._looked(message, now_ns)
            case CancelEnded(client_id=client_id, denied=denied):
                return blotter.learn(client_id, Doubted(), now_ns) if denied and self._open(client_id) else ()
            case ProtectEnded():
                return self._protected(message, now_ns)
            case WriteEnded():
                return ()  # a matter of the records
            case _:
                assert_never(message)

    def unresolved(self, now_ns: int) -> Sequence[Event]:
        """Return a note on each order of which the venue has owed a word for too long, once."""
        events: list[Event] = []
        owed = self._owed()
        self._told = {known: None for known in owed if known in self._told}
        for known, (order, since_ns) in owed.items():
            if known in self._told or now_ns < since_ns + UNRESOLVED_NS:
                continue
            self._told[known] = None
            events.append(self._owing(order, now_ns))
        return events

    def _owing(self, order: Order, now_ns: int) -> Event:
        waited_s, name = UNRESOLVED_NS // _SECOND_NS, order.client_id
        if order.status is OrderStatus.UNKNOWN:
            text = f"the venue has not said for {waited_s} s what became of order {name}"
            named = {"client_id": name, "asks": order.asks, "last": order.message}
            return self.blotter.note("order.unresolved", Severity.ERROR, text, now_ns, **named)
        missing = order.reported - order.executed
        text = (
            f"order {name} is {order.status.value}, and for {waited_s} s nobody has told the fills of {missing:f} of it"
        )
        return self.blotter.note("order.fills_missing", Severity.ERROR, text, now_ns, client_id=name)

    def departs(self, client_id: ClientId, now_ns: int) -> None:
        """Learn that the order leaves."""
        self._left[client_id] = now_ns, self.active_ns
        self.active_ns = now_ns

    def _sent(self, ended: SendEnded, now_ns: int) -> Sequence[Event]:
        left_ns, before_ns = self._left.pop(ended.client_id, (0, 0))
        if not isinstance(ended.learnt, RefusedByVenue):
            self.active_ns = now_ns
        else:
            # It moved nothing. An exit of what the venue does not hold is refused every few seconds, for as long as it
            # is tried: were that activity, the comparison that tells why would never count.
            if self.active_ns == left_ns:
                self.active_ns = before_ns
            if ended.learnt.lasting:
                self.refused = ended.client_id, ended.learnt.code
        return self.blotter.learn(ended.client_id, ended.learnt, now_ns)

    def _filled(self, fill: Fill, now_ns: int) -> Sequence[Event]:
        before = self.blotter.position.net
        events = self.blotter.fill(fill, now_ns)
        if self.blotter.position.net == before:
            return events
        self.active_ns = now_ns
        return (*events, *self.agreement.filled(fill, now_ns))

    def _reported(self, report: OrderReport, now_ns: int) -> Sequence[Event]:
        order = self.blotter.order(report.client_id, report.venue_order_id)
        if order is not None:
            self.active_ns = now_ns
            return self.blotter.learn(order.client_id, Reported(report), now_ns)
        events, orphans = self.agreement.stop_reported(report, now_ns)
        self.orphans.extend(orphans)
        if events:
            return events
        stranger = self.agreement.stray(report)
        if stranger is None:
            return ()
        if isinstance(stranger, Orphan) and report.client_id is not None:
            self.orphans.append(report.client_id)
        return self.agreement.told(stranger, now_ns)

    def _looked(self, looked: Looked, now_ns: int) -> Sequence[Event]:
        if looked.lookup is None:
            return ()
        report = looked.lookup.report
        if report is None:
            absent = Absent(looked.asked_ns, looked.lookup.venue_ns)
            return self.blotter.learn(looked.client_id, absent, now_ns)
        report = msgspec.structs.replace(report, evidence=Evidence.QUERY)
        return self.blotter.learn(looked.client_id, Reported(report), now_ns)

    def _protected(self, ended: ProtectEnded, now_ns: int) -> Sequence[Event]:
        first, told, failed = self.protection.tries == 1, self.protection.again, self.protection.failed
        self.protection = self.protection.ended(ended.stop, done=ended.done, refused=ended.refused)
        if ended.done:  # else it moved nothing that we believe in, and is tried on and on: see `_sent`
            self.active_ns = now_ns
            return self.agreement.placed(ended.stop, ended.quantity, ended.name, now_ns)
        bare = self.agreement.unprotected
        if told if ended.refused else not first or (failed and not bare):  # another stop that fails as the last did
            return ()
        severity = Severity.CRITICAL if bare else Severity.WARNING
        if ended.stop is None:
            text = f"the stop of what is no longer held could not be removed yet: {ended.message}"
        elif self.agreement.cover.resting:
            text = f"the stop could not be made one at {ended.stop:f} for {ended.quantity:f} yet: {ended.message}"
        else:
            text = f"the stop at {ended.stop:f} does not rest at the venue yet: {ended.message}"
        return (self.blotter.note("stop.failed", severity, text, now_ns, refused=ended.refused),)

    def _open(self, client_id: ClientId) -> bool:
        order = self.blotter.order(client_id)
        return order is not None and not order.status.terminal


def _owed(order: Order) -> tuple[str, int] | None:
    """Return which word the venue owes of the order, and since when; None where it owes none."""
    if order.status is OrderStatus.UNKNOWN:
        return "end", order.unknown_since_ns
    if order.executed < order.reported and order.status.terminal:
        return "fills", order.changed_ns
    return None
