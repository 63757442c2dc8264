"""Whether an order may leave: every reason for which one stays, and which of them a person has to lift.

Asked when an order is wanted, and once more the moment before its bytes leave: it may have waited for the disk or for
the budget, and much happens meanwhile. An exit stays for far less than an entry does.
"""

from collections.abc import Callable

from kangbot.execution.learning import Learning
from kangbot.execution.records import Records
from kangbot.machines.order import Order
from kangbot.machines.order_words import Sent
from kangbot.model.orders import Intent, OrderStatus, Purpose


class Clearance:
    """One market's; decides and changes nothing.

    `hold` tells why the market's entries are held back, "" where they are not. `quarantine_hands`: so is a market in
    which somebody trades by hand, until a person has looked.
    """

    def __init__(
        self, learning: Learning, records: Records, *, hold: Callable[[], str] | None, quarantine_hands: bool
    ) -> None:
        self._learning = learning
        self._blotter = learning.blotter
        self._agreement = learning.agreement
        self._records = records
        self._hold = hold
        self._quarantine_hands = quarantine_hands

    @property
    def quarantine(self) -> str:
        """Why a person must look at this market; "" where nobody needs to."""
        hands = self._blotter.hands.quarantine if self._quarantine_hands else ""
        return self._blotter.contradiction or self._agreement.quarantine or hands

    @property
    def entries_blocked(self) -> str | None:
        """Why no entry may leave; None where one may."""
        if reason := self.quarantine or self._records.behind:
            return reason
        if not self._agreement.reconciled_ns:
            return "orders and position have not been compared with the venue yet"
        if unknown := self._learning.unknown:
            return f"what became of order {unknown[0].client_id} is not known"
        if reason := self._agreement.disputed:
            return reason
        return None if self._hold is None else self._hold() or None

    @property
    def settled(self) -> bool:
        """Whether a market may go live: compared with the venue, and nothing of an earlier life in question.

        A position that disagrees is in question until it is explained, or a person's matter.
        """
        if self._agreement.disputed and not self._agreement.quarantine:
            return False
        return bool(self._agreement.reconciled_ns) and not any(
            order.status is OrderStatus.UNKNOWN or order.doubted for order in self._blotter.unsettled
        )

    def held(self, order: Order) -> str:
        """Return why no second copy of the order may leave; "" where one may. An entry that is held is asked about."""
        return "" if self._hold is None or order.intent.purpose is not Purpose.ENTRY else self._hold()

    def stays(self, intent: Intent, sent: Sent, now_ns: int) -> str:
        """Return why the order must not leave after all, `sent` being what would be noted of it; "" where it may."""
        order = self._blotter.order(intent.client_id)
        if order is None or order.cancel_requested_ns:
            return "cancelled before it left"
        if order.sends and order.status is not OrderStatus.UNKNOWN:
            return "found while its second copy waited"
        if now_ns >= intent.deadline_ns:
            return "its time was over before it could leave"
        if sent.venue_settle_ns > intent.venue_settle_ns:
            return "the venue's clock was set forward while it waited: the journal would bear witness to another stamp"
        if not order.sends and intent.purpose is Purpose.ENTRY and (reason := self.entries_blocked) is not None:
            return reason
        if intent.purpose is Purpose.EXIT and self._agreement.oversells(order):
            return "what it was to sell has been sold while it waited"
        return self.held(order) if order.sends else ""
