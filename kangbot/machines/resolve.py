"""When an order needs the venue's word, and what to ask for next.

UNKNOWN is resolved by asking, at growing intervals, for as long as it takes: an unanswered question ends no order.

Sending the same client id again is asking too, where the venue keeps ids unique for ever, and only while the first send
could still be meant: before the intent's deadline. The network is left to `execution/errands.py`.
"""

from enum import Enum, auto

import msgspec

from kangbot.machines.order import ABSENCE_GAP_NS, Order
from kangbot.model.orders import OrderKind, OrderStatus, TimeInForce

SECOND_NS = 1_000_000_000
# After how long to ask again; the last one repeats. Short at first, for most answers are lost for less than a second.
_ASK_NS = tuple(int(seconds * SECOND_NS) for seconds in (0, 0.25, 0.5, 1, 2, 4))
_CANCEL_NS = tuple(int(seconds * SECOND_NS) for seconds in (0, 1, 2, 4))


_RESTING_NS = 30 * SECOND_NS  # a limit order that rests so long without a change is no longer in flight


class Action(Enum):
    """What to do for an order when its step is due."""

    NOTHING = auto()
    QUERY = auto()  # ask every authoritative endpoint
    RESEND = auto()  # the same intent under the same id
    CANCEL = auto()


class Step(msgspec.Struct, frozen=True):
    """What to do next for one order, and when; `due_ns` is None for NOTHING."""

    action: Action
    due_ns: int | None = None


_NOTHING = Step(Action.NOTHING)


def next_step(order: Order, now_ns: int, *, ids_for_ever: bool) -> Step:
    """Return the order's next step; it is due where `due_ns` is not in the future.

    A resend follows an answer of "not found" and nothing else: where asking fails, sending would fail, or worse, work.
    """
    ask_ns, cancel_ns = _asking(order), _canceling(order)
    if cancel_ns is not None and (ask_ns is None or cancel_ns < ask_ns):
        return Step(Action.CANCEL, cancel_ns)
    if ask_ns is None:
        return _NOTHING
    return Step(Action.RESEND if ids_for_ever and _sendable(order, max(now_ns, ask_ns)) else Action.QUERY, ask_ns)


def _asking(order: Order) -> int | None:
    """Return when the venue is to be asked; None where nothing is in question."""
    if order.status is not OrderStatus.UNKNOWN and not order.doubted:
        return None
    if not order.asks:
        return order.changed_ns
    if order.absences:
        return order.last_absence_ns + ABSENCE_GAP_NS
    due_ns = order.asked_ns + _ASK_NS[min(order.asks, len(_ASK_NS) - 1)]
    settle_ns = max(order.settle_ns, order.closes_ns)
    if order.asked_ns <= settle_ns < due_ns:
        return settle_ns + 1  # the first question that may count as proof is not kept waiting
    return due_ns


def _sendable(order: Order, at_ns: int) -> bool:
    """Whether the same id may go out once more at `at_ns`: nothing was seen of it, and its decision still stands."""
    return (
        order.status is OrderStatus.UNKNOWN
        and order.missing
        and not (order.seen or order.restarted or order.cancel_requested_ns)
        and at_ns < order.intent.deadline_ns
    )


def _canceling(order: Order) -> int | None:
    """Return when a request to cancel is to leave; None where none is wanted or nothing can be there to cancel."""
    if not order.cancel_requested_ns or order.status.terminal:
        return None
    if order.status in (OrderStatus.INTENT, OrderStatus.SENT):
        return None  # a cancel that overtakes its order cancels nothing
    if not order.cancels:
        return order.cancel_requested_ns
    return order.canceled_ns + _CANCEL_NS[min(order.cancels, len(_CANCEL_NS) - 1)]


def in_flight(order: Order, now_ns: int) -> bool:
    """Whether news of the order is due soon, so that the venue is asked in bulk every few seconds."""
    if order.settled:
        return False
    if order.status not in (OrderStatus.ACKED, OrderStatus.PARTIAL) or order.doubted or order.cancel_requested_ns:
        return True
    intent = order.intent
    if intent.kind is OrderKind.MARKET or intent.time_in_force is TimeInForce.IOC:
        return True
    return now_ns - order.changed_ns < _RESTING_NS
