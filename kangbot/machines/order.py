"""One order: what we know of it, how we know it, and what follows from what is learnt.

`advance` is the only way an order changes. It reads a sign from what was learnt (`machines/order_words.py`: a report, a
fill, an answer, a silence) and looks it up in `machines/order_table.py`; quantities only grow, whatever the order of
arrival. When to ask next is `machines/resolve.py`; sending, asking and the journal are left to `execution/`.

Three rules carry the rest:

- a transport error is never evidence of absence: everything without a definitive answer is UNKNOWN;
- UNKNOWN ends as NOT_ACCEPTED only by proof: two absences that count, a second apart;
- an end that the venue reported is final except for fills; an end that we inferred yields to whatever it says later.

Which absence counts, for a venue judges its receive window by its own clock, which may be set back, and lets a request
wait inside (`settle_ns` is our clock at the send, `venue_settle_ns` the stamp; both and the window and a margin)::

    asked, by our clock    the venue's time in the answer    counts
    up to settle_ns        whatever it is                    no: the margin is real time, in which it may queue
    later                  up to venue_settle_ns             no: the door is still open to what was sent
    later                  later                             yes
    later                  not told, or no stamp known       yes: what is unsure of the venue's clock is in settle_ns
"""

from typing import assert_never

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.machines.order_table import TABLE, Sign
from kangbot.machines.order_words import (
    Absent,
    Answered,
    Asked,
    CancelAsked,
    CancelSent,
    Doubted,
    Duplicate,
    Filled,
    Learnt,
    Lost,
    RefusedByVenue,
    Reported,
    Restarted,
    Sent,
    Withheld,
)
from kangbot.model.ids import ClientId, VenueOrderId
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import Evidence, Fill, Intent, OrderReport, OrderStatus
from kangbot.model.written import Written

ABSENCES = 2  # answers of "not found" by every authoritative endpoint
ABSENCE_GAP_NS = 1_000_000_000  # between one such answer and the next question


class Order(Written, frozen=True, kw_only=True):
    """What we know of one order. Times are of our clock, 0 for never."""

    intent: Intent
    status: OrderStatus = OrderStatus.INTENT
    evidence: Evidence = Evidence.NONE  # of the status
    venue_order_id: VenueOrderId | None = None
    amended: Quantity = ZERO  # somebody made it one of so much at the venue, which is more than was intended
    seen: bool = False  # the venue has shown any sign of it
    reported: Quantity = ZERO  # filled, by the venue's reports
    executed: Quantity = ZERO  # filled, by the executions we have
    executed_value: Money = ZERO  # sum of price * quantity of those, exact
    code: str = ""
    message: str = ""
    sent_ns: int = 0  # of no meaning: it stands in checkpoints that were written, and a field cannot be taken back
    sends: int = 0
    settle_ns: int  # absence proves nothing before: the venue's window for the last send, and a margin
    venue_settle_ns: int = 0  # nor before this of the venue's clock, where its answers tell that; 0: not known
    closes_ns: int = 0  # when that will be, as far as the last answer told that it is not yet; 0 for no such answer
    unknown_since_ns: int = 0
    restarted: bool = False  # in flight when a process died: never sent again
    doubted: bool = False  # the status may be behind; the venue is to be asked
    asks: int = 0  # questions since something was learnt
    asked_ns: int = 0
    missing: bool = False  # the last answer to a question was that nobody knows it
    absences: int = 0  # such answers that count as proof
    last_absence_ns: int = 0
    cancel_requested_ns: int = 0
    cancels: int = 0  # requests that left
    canceled_ns: int = 0  # the last of them
    changed_ns: int = 0  # something was learnt last

    @property
    def client_id(self) -> ClientId:
        """Our name of it at the venue."""
        return self.intent.client_id

    @property
    def quantity(self) -> Quantity:
        """How much it may come to at the venue."""
        return max(self.intent.quantity, self.amended)

    @property
    def filled(self) -> Quantity:
        """How much is filled, by whichever source knows more; never decreases."""
        return max(self.reported, self.executed)

    @property
    def average(self) -> Price | None:
        """Average price of the fills; None unless every fill is known."""
        return self.executed_value / self.executed if self.executed and self.executed == self.filled else None

    @property
    def settled(self) -> bool:
        """Whether it is over and each of its fills is known."""
        return self.status.terminal and not self.doubted and self.executed >= self.reported

    @property
    def inferred(self) -> bool:
        """Whether the end is our own conclusion, not a report of the venue."""
        return self.evidence in _INFERRED


_INFERRED = frozenset({Evidence.CODE, Evidence.ABSENCE, Evidence.UNSENT, Evidence.DUPLICATE_ID, Evidence.NONE})


class ImpossibleError(NeedsHuman):
    """The table has no such row: the venue and our records contradict each other, or the fault is ours."""


# ------------------------------------------------------------------------------------------------------------ changes
def begin(intent: Intent, settle_margin_ns: int) -> Order:
    """Return the order of a fresh intent."""
    return Order(intent=intent, settle_ns=intent.deadline_ns + settle_margin_ns, changed_ns=intent.at_ns)


def worst_case(order: Order) -> Quantity:
    """Return by how much the order may still change the position, beyond the fills that are in it already."""
    most = order.reported if order.status.terminal else max(order.quantity, order.reported)
    return max(ZERO, most - order.executed)


def advance(order: Order, learnt: Learnt, now_ns: int) -> Order:  # noqa: C901, PLR0912 -- one case a word, no nesting
    """Return the order after `learnt`. ImpossibleError where the table has no row for it; nothing has changed then."""
    match learnt:
        case Answered(report=report):
            return _reported(order, report, Evidence.ANSWER, now_ns)
        case Reported(report=report):
            return _reported(order, report, report.evidence, now_ns)
        case Filled(fill=fill):
            return _filled(order, fill, now_ns)
        case Absent():
            return _absent(order, learnt, now_ns)
        case Sent():
            sent = _settling(_move(order, Sign.SENT, Evidence.NONE, now_ns), learnt.settle_ns, learnt.venue_settle_ns)
            return _with(sent, sends=order.sends + 1, missing=False)
        case Restarted(settle_ns=settle_ns):
            moved = _move(order, Sign.RESTARTED, Evidence.NONE, now_ns)
            # When it left is forgotten; that it was not stamped later than its intent allows is not. One that was
            # UNKNOWN already is asked for from now on, too, whatever the clock of its former life was.
            settling = _settling(moved, settle_ns, order.intent.venue_settle_ns)
            return _with(settling, restarted=True, asks=0, unknown_since_ns=now_ns, changed_ns=now_ns)
        case Withheld(reason=reason):
            return _with(_move(order, Sign.WITHHELD, Evidence.UNSENT, now_ns), message=reason)
        case RefusedByVenue(code=code, message=message):
            return _with(_move(order, Sign.REFUSED, Evidence.CODE, now_ns), code=code, message=message)
        case Duplicate(code=code, message=message):
            moved = _move(order, Sign.DUPLICATE, Evidence.DUPLICATE_ID, now_ns)
            # That it exists is no news of how it stands, unless a report has told already.
            doubted = order.doubted or (not moved.status.terminal and order.venue_order_id is None)
            return _with(moved, seen=True, doubted=doubted, code=code, message=message)
        case Lost(reason=reason):
            moved = _move(order, Sign.LOST, Evidence.NONE, now_ns)
            return _with(moved, message=reason) if moved.status is OrderStatus.UNKNOWN else moved
        case CancelAsked():
            if order.cancel_requested_ns or order.status.terminal:
                return order
            return _with(order, cancel_requested_ns=now_ns)
        case CancelSent():
            return _with(order, cancels=order.cancels + 1, canceled_ns=now_ns)
        case Doubted():
            return order if order.doubted else _with(order, doubted=True, asks=0, absences=0)
        case Asked():
            return _with(order, asks=order.asks + 1, asked_ns=now_ns)
        case _:
            assert_never(learnt)


_with = msgspec.structs.replace

_REPORTED = {
    OrderStatus.ACKED: Sign.ACKED,
    OrderStatus.PARTIAL: Sign.PARTIAL,
    OrderStatus.FILLED: Sign.FILLED,
    OrderStatus.CANCELED: Sign.CANCELED,
    OrderStatus.EXPIRED: Sign.EXPIRED,
    OrderStatus.REJECTED: Sign.REJECTED,
}


def _move(order: Order, sign: Sign, evidence: Evidence, now_ns: int) -> Order:
    """Return the order with the status that the table gives, and its evidence where it is of this status."""
    status = TABLE.get((order.status, sign))
    if status is None:
        raise ImpossibleError(
            f"order {order.client_id} is {order.status.value} and cannot be {sign.name.lower()}",
            remedy="compare the order at the venue with the journal; two daemons may share one journal's ids",
        )
    told = evidence not in _INFERRED and order.inferred  # the venue's word replaces our conclusion
    if status is order.status and not told:
        return order
    return _with(
        order,
        status=status,
        evidence=evidence,
        unknown_since_ns=now_ns if status is OrderStatus.UNKNOWN else 0,
        changed_ns=now_ns,
    )


def _reported(order: Order, report: OrderReport, evidence: Evidence, now_ns: int) -> Order:
    if order.venue_order_id is not None and report.venue_order_id != order.venue_order_id:
        return order  # of another venue order under our id, an earlier one: it says nothing of this one
    cumulative = max(order.filled, report.filled)
    sign = _REPORTED.get(report.status)
    if sign is None:
        raise ImpossibleError(
            f"order {order.client_id} was reported as {report.status.value}, which no venue says",
            remedy="report this as a fault of the venue's adapter",
        )
    if report.quantity > order.quantity:
        order = _with(order, amended=report.quantity)
    if cumulative >= order.quantity:
        sign = Sign.FILLED
    elif sign is Sign.ACKED and cumulative:
        sign = Sign.PARTIAL
    if order.status is OrderStatus.FILLED and order.evidence is Evidence.FILLS and sign is Sign.PARTIAL:
        sign = Sign.GROWN  # what was filled is not all of it any more
    elif order.status.terminal and not order.inferred and sign is not Sign.FILLED:
        sign = Sign.LATE
    moved = _move(order, sign, evidence, now_ns)
    news = moved.status is not order.status  # an old reason does not explain a new status
    return _with(
        moved,
        venue_order_id=report.venue_order_id,
        seen=True,
        reported=max(order.reported, report.filled),
        code=report.code if news else report.code or order.code,
        message=report.message if news else report.message or order.message,
        doubted=False,
        missing=False,
        asks=0,
        absences=0,
    )


def _filled(order: Order, fill: Fill, now_ns: int) -> Order:
    executed = order.executed + fill.quantity
    sign = Sign.FILLED if executed >= order.quantity else Sign.FILL
    # A fill proves that it lives or lived, and not whether more of it is open.
    doubted = order.status is OrderStatus.UNKNOWN or (order.status.terminal and order.inferred)
    moved = _move(order, sign, Evidence.FILLS, now_ns)
    return _with(
        moved,
        executed=executed,
        executed_value=order.executed_value + fill.quantity * fill.price,
        venue_order_id=order.venue_order_id or fill.venue_order_id,
        seen=True,
        doubted=sign is not Sign.FILLED and (order.doubted or doubted),
        absences=0,
        changed_ns=now_ns,
    )


def _settling(order: Order, settle_ns: int, venue_settle_ns: int) -> Order:
    """Let absence prove nothing until then: what counted before was too early."""
    settle_ns, venue_settle_ns = max(order.settle_ns, settle_ns), max(order.venue_settle_ns, venue_settle_ns)
    return _with(order, settle_ns=settle_ns, venue_settle_ns=venue_settle_ns, absences=0)


def _absent(order: Order, absent: Absent, now_ns: int) -> Order:
    """Count an absence where it counts; the last one that is needed decides."""
    asked_ns, venue_ns = absent.asked_ns, absent.venue_ns
    in_question = order.status is OrderStatus.UNKNOWN or order.doubted
    too_early = asked_ns <= order.settle_ns or asked_ns < order.changed_ns
    too_close = order.absences > 0 and asked_ns < order.last_absence_ns + ABSENCE_GAP_NS
    if not in_question:
        return order
    if venue_ns is not None and venue_ns <= order.venue_settle_ns:  # one that counted before was of another clock
        return _with(order, missing=True, absences=0, closes_ns=now_ns + order.venue_settle_ns - venue_ns)
    if too_early or too_close:
        return _with(order, missing=True)
    counted = _with(order, missing=True, absences=order.absences + 1, last_absence_ns=now_ns)
    if counted.absences < ABSENCES:
        return counted
    if order.status.terminal:
        return _with(counted, doubted=False)
    moved = _move(counted, Sign.GONE if order.seen else Sign.ABSENT, Evidence.ABSENCE, now_ns)
    return _with(moved, doubted=False)
