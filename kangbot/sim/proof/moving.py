"""What is promised of money that people move: each transfer is journalled once, as it was, and is no gain and no loss.

The highest equity is counted here from every mark that there ever was, with every transfer on its own side of each: the
daemon keeps a few marks, hears of transfers late, and may be another process by then. Where a person accepts a drawdown
the count begins anew (`losses.py`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from kangbot.model.events import Event, Transferred
from kangbot.model.ids import TransferId
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Transfer

Timed = tuple[int, Money]  # when, and how much
_BEFORE_NS, _AFTER_NS = 75_000_000_000, 45_000_000_000  # a mark so near to a transfer may count for neither side
_TOLD_NS = 80_000_000_000  # in which the daemon asks, hears and writes


def highest(marks: Iterable[Timed], moves: Sequence[Timed], *, sure: bool = False) -> Money | None:
    """Return the highest equity as the transfers leave it; `sure`: without marks that are near to one of them."""
    moves = sorted(moves)
    times = [moved_ns for moved_ns, _ in moves]
    later = [*accumulate((amount for _, amount in reversed(moves)), initial=ZERO)]  # by how many are counted
    return max(
        (
            equity + later[len(times) - bisect_right(times, at_ns)]
            for at_ns, equity in marks
            if not (sure and bisect_right(times, at_ns - _AFTER_NS) < bisect_left(times, at_ns + _BEFORE_NS))
        ),
        default=None,
    )


class MoveWatch:
    """Watches one session. `moved` is what people moved so far, by the venue's clock."""

    def __init__(self, moved: Sequence[Transfer], fail: Callable[[str], None]) -> None:
        self._moved = moved
        self._fail = fail
        self._known: dict[TransferId, None] = {}

    def synced(self, event: Event) -> None:
        """Learn of an event that is on disk."""
        if not isinstance(event, Transferred):
            return
        transfer = event.transfer
        if transfer.transfer_id in self._known:
            self._fail(f"transfer {transfer.transfer_id} is journalled twice")
        if transfer not in self._moved:
            self._fail(f"{transfer.amount} is journalled as a transfer, and nobody moved it")
        self._known[transfer.transfer_id] = None

    def overdue(self, now_ns: int) -> None:
        """Hold what the venue knows against the journal; `now_ns` is the venue's clock, after a minute in peace."""
        for transfer in self._moved:
            if transfer.at_ns < now_ns - _TOLD_NS and transfer.transfer_id not in self._known:
                self._fail(f"the journal does not know of {transfer.amount} that was moved")

    def judges(self, drawdown_percent: Money, marks: Sequence[Timed]) -> None:
        """Learn what the daemon takes for its fall from the highest of its `marks`; all clocks were right.

        `marks` are those since a drawdown was accepted last, the statement that it is counted from among them.
        """
        if not marks or any(transfer.transfer_id not in self._known for transfer in self._moved):
            return
        moves = [(transfer.at_ns, transfer.amount) for transfer in self._moved]
        equity = marks[-1][1]
        most, least = highest(marks, moves), highest(marks, moves, sure=True)
        if most is not None and most > 0 and drawdown_percent > (most - equity) / most * 100:
            self._fail(
                f"the daemon counts a fall of {drawdown_percent:.4f} % from {most} to {equity}: moved or accepted"
            )
        if least is not None and least > 0 and drawdown_percent < (least - equity) / least * 100:
            self._fail(f"the daemon counts a fall of {drawdown_percent:.4f} % from {least} to {equity}: it forgot some")
