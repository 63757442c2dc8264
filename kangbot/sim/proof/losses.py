"""What may be lost: no entry is made once a day has realised as much, or equity is as far below its highest.

Counted from the events as they are made, for the daemon knows what it has not written yet; what a crash takes with it
is forgotten here too. The daemon may stop before that, by the day's equity: that is not held against it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kangbot.model.events import CashFlowApplied, EquityMarked, Event, OrderIntended, RoundTripClosed
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Intent, Purpose
from kangbot.risk.limits import Limits

_DAY_NS = 86_400_000_000_000


class LossWatch:
    """Watches one session. What `limits` leave open is not limited; `fail(what)` is told of a broken promise.

    `currency` is the account's: its statements on other coins are no equity.
    """

    def __init__(self, limits: Limits, fail: Callable[[str], None], currency: str = "USDT") -> None:
        self._limits = limits
        self._fail = fail
        self._currency = currency
        self._kept = _Books()  # what is on disk
        self._made = _Books()  # and what has been made in this life beside it

    def begins(self) -> None:
        """Learn that a life begins, which knows what is on disk."""
        self._made = self._kept.copy()

    def synced(self, event: Event) -> None:
        """Learn of an event that is on disk."""
        self._count(self._kept, event)

    def announced(self, event: Event) -> None:
        """Learn of an event as it is made."""
        self._count(self._made, event)
        if isinstance(event, OrderIntended) and event.intent.purpose is Purpose.ENTRY:
            self._enters(event.intent, event.at_ns)

    def _enters(self, intent: Intent, at_ns: int) -> None:
        limits, made = self._limits, self._made
        lost = -made.realised.get(at_ns // _DAY_NS, ZERO)
        if limits.daily_loss is not None and lost >= limits.daily_loss:
            self._fail(f"entry {intent.client_id} is intended when the day has lost {lost} of {limits.daily_loss}")
        if limits.drawdown_percent is None or made.peak <= 0:
            return
        fallen = made.peak - made.equity
        if fallen * 100 >= limits.drawdown_percent * made.peak:
            most = f"{limits.drawdown_percent} % of {made.peak}"
            self._fail(f"entry {intent.client_id} is intended when equity has fallen by {fallen}, the limit is {most}")

    def _count(self, books: "_Books", event: Event) -> None:
        match event:
            case RoundTripClosed(trip=trip, at_ns=at_ns):
                books.earn(trip.net_profit, at_ns)
            case CashFlowApplied(flow=flow, at_ns=at_ns):
                books.earn(flow.amount, at_ns)
            case EquityMarked(currency=currency, equity=equity) if currency == self._currency:
                books.equity, books.peak = equity, max(books.peak, equity)
            case _:
                return


@dataclass(slots=True, kw_only=True)
class _Books:
    """What events have come to."""

    realised: dict[int, Money] = field(default_factory=dict)  # by day since the epoch
    equity: Money = ZERO  # as stated last
    peak: Money = ZERO  # the highest of those

    def copy(self) -> "_Books":
        """Return the same, to go on from."""
        return replace(self, realised=dict(self.realised))

    def earn(self, amount: Money, at_ns: int) -> None:
        """Take in what was realised."""
        day = at_ns // _DAY_NS
        self.realised[day] = self.realised.get(day, ZERO) + amount
