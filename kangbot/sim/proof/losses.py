"""What may be lost: no entry is made once a day has realised as much, or equity is as far below its highest.

Counted from the events as they are made, for the daemon knows what it has not written yet; what a crash takes with it
is forgotten here too. The daemon may stop before that, by the day's equity: that is not held against it. Where a person
accepts a drawdown, only the statement that stood then is left to count from.
"""

from collections.abc import Callable, Sequence

import msgspec

from kangbot.model.events import (
    CashFlowApplied,
    DrawdownReset,
    EquityMarked,
    Event,
    OrderIntended,
    RoundTripClosed,
    Transferred,
)
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Intent, Purpose
from kangbot.risk.limits import Limits
from kangbot.sim.proof.moving import Timed, highest

_DAY_NS = 86_400_000_000_000
_DOUBT_NS = 10_000_000_000
_ROUNDED = Money("1e-9")  # what twenty-eight digits lose where a transfer is added and taken off again


class LossWatch:
    """Watches one session. `limits` are those of now: what they leave open is not limited.

    `fail(what)` is told of a broken promise.

    `currency` is the account's: its statements on other coins are no equity.
    """

    def __init__(self, limits: Limits, fail: Callable[[str], None], currency: str = "USDT") -> None:
        self.limits = limits
        self._fail = fail
        self._currency = currency
        self._kept = _Books()  # what is on disk
        self._made = _Books()  # and what has been made in this life beside it

    @property
    def marks(self) -> Sequence[Timed]:
        """The equity as this life of the daemon knows it, of lives before it what is on disk.

        Where a drawdown was accepted, since the newest, the statement that it is counted from among them.
        """
        return self._made.counted

    def begins(self) -> None:
        """Learn that a life begins, which knows what is on disk."""
        self._made = self._kept.copy()

    def synced(self, event: Event) -> None:
        """Learn of an event that is on disk."""
        self._count(self._kept, event)

    def announced(self, event: Event) -> None:
        """Learn of an event as it is made."""
        if isinstance(event, DrawdownReset) and event.currency == self._currency:
            self._accepts(event)
        self._count(self._made, event)
        if isinstance(event, OrderIntended) and event.intent.purpose is Purpose.ENTRY:
            self._enters(event.intent, event.at_ns)

    def judges(self, day_loss: Money, now_ns: int) -> None:
        """Learn what the daemon takes the day of `now_ns` to have lost; all clocks were right.

        Nothing of the day before counts, but for the equity that was stated last of it. That of a life before this one
        may have been lost with it.
        """
        made, day = self._made, now_ns // _DAY_NS
        realised = max(ZERO, -made.realised.get(day, ZERO))
        if day_loss < realised:
            self._fail(f"the daemon counts {day_loss} as lost by the day, which has realised a loss of {realised}")
        first = next((n for n, (at_ns, _) in reversed([*enumerate(made.marks)]) if at_ns // _DAY_NS < day), 0)
        if not made.marks or made.moves:
            return
        most = max(realised, max(equity for _, equity in made.marks[first:]) - made.marks[-1][1])
        if day_loss > most:
            self._fail(f"the daemon counts {day_loss} as lost by the day, which can have lost {most}")

    def _accepts(self, event: DrawdownReset) -> None:
        """Hold what the fall is counted from now against what was stated last."""
        at_ns, counted = self._made.behind(event)
        stated_ns, stated = self._made.marks[-1] if self._made.marks else (None, ZERO)
        if at_ns != stated_ns or abs(counted - stated) > _ROUNDED:
            last = f"{stated} of {stated_ns}" if self._made.marks else "nothing"
            self._fail(f"the fall is counted anew from {counted} of {at_ns}, and what was stated last is {last}")

    def _enters(self, intent: Intent, at_ns: int) -> None:
        limits, made = self.limits, self._made
        lost = -made.realised.get(at_ns // _DAY_NS, ZERO)
        if limits.daily_loss is not None and lost >= limits.daily_loss:
            self._fail(f"entry {intent.client_id} is intended when the day has lost {lost} of {limits.daily_loss}")
        peak, equity = made.peak, made.equity
        if limits.drawdown_percent is None or peak is None or peak <= 0 or equity is None:
            return
        fallen = peak - equity
        if fallen * 100 >= limits.drawdown_percent * peak:
            most = f"{limits.drawdown_percent} % of {peak}"
            self._fail(f"entry {intent.client_id} is intended when equity has fallen by {fallen}, the limit is {most}")

    def _count(self, books: "_Books", event: Event) -> None:
        match event:
            case RoundTripClosed(trip=trip, at_ns=at_ns):
                books.earn(trip.net_profit, at_ns)
            case CashFlowApplied(flow=flow, at_ns=at_ns):
                books.earn(flow.amount, at_ns)
            case EquityMarked(currency=currency, equity=equity, at_ns=at_ns) if currency == self._currency:
                books.marks.append((at_ns, equity))
                books.counted.append((at_ns, equity))
            case DrawdownReset(currency=currency) if currency == self._currency:
                books.counted = [books.behind(event)]
            case Transferred(transfer=transfer, moved_ns=moved_ns) if transfer.currency == self._currency:
                books.moves.append((moved_ns, transfer.amount))
            case _:
                return


class _Books(msgspec.Struct, kw_only=True):
    """What events have come to."""

    realised: dict[int, Money] = msgspec.field(default_factory=dict)  # by day since the epoch
    marks: list[Timed] = msgspec.field(default_factory=list)
    counted: list[Timed] = msgspec.field(default_factory=list)  # of these, those since a drawdown was accepted last
    moves: list[Timed] = msgspec.field(default_factory=list)

    def copy(self) -> "_Books":
        """Return the same, to go on from."""
        marks, counted = [*self.marks], [*self.counted]
        return msgspec.structs.replace(
            self, realised=dict(self.realised), marks=marks, counted=counted, moves=[*self.moves]
        )

    @property
    def peak(self) -> Money | None:
        """The highest equity of those that were before a transfer, or after it, without a doubt."""
        return highest(self.counted, self.moves, sure=True)

    @property
    def equity(self) -> Money | None:
        """As stated last; None where a transfer may be in it, or may not."""
        if not self.marks:
            return None
        at_ns, equity = self.marks[-1]
        return None if any(moved_ns > at_ns - _DOUBT_NS for moved_ns, _ in self.moves) else equity

    def behind(self, event: DrawdownReset) -> Timed:
        """Return the statement that a drawdown is counted anew from: its equity without what was moved since."""
        since_ns = event.equity_ns + _DOUBT_NS
        return event.equity_ns, event.equity - sum((amount for at_ns, amount in self.moves if at_ns >= since_ns), ZERO)

    def earn(self, amount: Money, at_ns: int) -> None:
        """Take in what was realised."""
        day = at_ns // _DAY_NS
        self.realised[day] = self.realised.get(day, ZERO) + amount
