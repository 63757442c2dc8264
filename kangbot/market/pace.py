"""One market's pace: which of its orders came to nothing, and how soon the next of that kind may follow.

Exits are tried again sooner than entries, for a position that should be closed costs money; neither is hammered. While
the breaker of the exit lane is not closed an exit that came to nothing waits its longest at once. No exit is refused:
the first leaves at once, and none waits for longer than that. An entry that the venue refuses for the same reason again
and again waits up to an hour: it is the same question, and its answer a row in the journal and the history each time.
"""

from collections.abc import Callable, Iterable

import msgspec

from kangbot.machines.order import Order
from kangbot.machines.pacing import Pacing
from kangbot.model.ids import ClientId
from kangbot.model.money import Quantity
from kangbot.model.orders import Purpose
from kangbot.runtime.world import SECOND_NS, earliest


class _Last(msgspec.Struct):
    """The newest order of a purpose while it is under way."""

    client_id: ClientId
    net: Quantity  # the position when it was placed
    withdrawn: bool = False


class Pace:
    """Told of each order that is placed and, on every turn, of those that are under way."""

    def __init__(self) -> None:
        self._pacing = {
            Purpose.ENTRY: Pacing(first_ns=SECOND_NS, ceiling_ns=60 * SECOND_NS, refused_ceiling_ns=3600 * SECOND_NS),
            Purpose.EXIT: Pacing(first_ns=SECOND_NS // 2, ceiling_ns=5 * SECOND_NS, refused_ceiling_ns=5 * SECOND_NS),
        }
        self._last: dict[Purpose, _Last] = {}
        self.news = 0  # orders that ended otherwise than by coming to nothing once more, for the same reason

    def placed(self, order: Order, net: Quantity) -> None:
        """Learn that an order leaves while the position is `net`."""
        self._last[order.intent.purpose] = _Last(order.client_id, net)

    def look(
        self,
        orders: Iterable[Order],
        net: Quantity,
        now_ns: int,
        *,
        exits_slow: Callable[[], bool] = lambda: False,
        refusal: Callable[[ClientId], str] = lambda _order: "",
    ) -> None:
        """See what has become of the newest orders; `orders` are those under way, `net` is the position by now.

        `exits_slow`: whether exits are in trouble at the venue. `refusal` names the code that an order was refused by.
        """
        if not self._last:
            return
        known = {order.client_id: order for order in orders}
        for purpose, last in tuple(self._last.items()):
            order = known.get(last.client_id)
            if order is not None and not order.status.terminal:
                last.withdrawn = last.withdrawn or bool(order.cancel_requested_ns)
            elif order is None:
                before = self._pacing[purpose]
                self._pacing[purpose] = after = before.ended(
                    now_ns,
                    moved=net != last.net,
                    withdrawn=last.withdrawn,
                    slow=purpose is Purpose.EXIT and exits_slow(),
                    refusal=refusal(last.client_id),
                )
                self.news += not after.repeats(before)
                del self._last[purpose]

    def renewed(self) -> None:
        """Learn of something that may change the venue's answer to what it refuses."""
        for purpose, pacing in self._pacing.items():
            self._pacing[purpose] = pacing.renewed()

    def due_ns(self, purpose: Purpose, now_ns: int) -> int | None:
        """Return when the next order of that purpose may leave; None where it may leave now."""
        return self._pacing[purpose].due_ns(now_ns)

    def because(self, purpose: Purpose) -> str:
        """Return why it waits, in words; "" where the venue has not refused it."""
        pacing = self._pacing[purpose]
        if not pacing.refusal:
            return ""
        often = "once" if pacing.alike == 1 else f"{pacing.alike} times"
        return f", for the venue refused it with {pacing.refusal} ({often})"

    def next_ns(self, now_ns: int) -> int | None:
        """Return when the next wait ends; None where nothing waits."""
        return earliest(*[pacing.due_ns(now_ns) for pacing in self._pacing.values()])
