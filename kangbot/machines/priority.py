"""Whose request to a venue goes first, and when the next one may go: strict windows with room kept for the urgent.

A venue counts all requests of an account together, and a flood of candle requests must never hold up an exit. So the
less urgent kinds leave a share of every window free. A pause that the venue asked for holds for everyone: requests made
during it are what turns a limit into a ban. Waiting itself is left to `execution/budget.py`.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from kangbot.machines.limiter import Window


class Priority(IntEnum):
    """Whose turn it is: the smaller, the sooner."""

    CANCEL_EXIT = 0  # what reduces risk: cancels, exits, stops
    RECONCILE = 1  # what finds out how things stand
    ENTRY = 2
    DATA = 3  # candles, instruments


# The share of every window that each kind leaves to those before it, in tenths.
_LEFT_FREE = {Priority.CANCEL_EXIT: 0, Priority.RECONCILE: 1, Priority.ENTRY: 2, Priority.DATA: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The windows of one venue account, every one of which must have room; returns its successor."""

    windows: tuple[Window, ...]
    paused_until_ns: int = 0

    def wait_ns(self, priority: Priority, now_ns: int) -> int:
        """Return how long until one more request of that kind may leave; 0 where it may leave now."""
        waits = [_wait_ns(window, _LEFT_FREE[priority], now_ns) for window in self.windows]
        return max(0, self.paused_until_ns - now_ns, *waits)

    def admit(self, now_ns: int) -> "Allowance":
        """Return it with a request of now in it; the caller has asked `wait_ns`."""
        windows = tuple([window.admit(now_ns)[0] for window in self.windows])
        return Allowance(windows=windows, paused_until_ns=self.paused_until_ns)

    def give_back(self, at_ns: int) -> "Allowance":
        """Return it without the request of `at_ns`, which was admitted and did not leave."""
        return replace(self, windows=tuple(_without(window, at_ns) for window in self.windows))

    def pause(self, until_ns: int) -> "Allowance":
        """Return it with nothing admitted before `until_ns`; a longer pause that holds already stays."""
        return replace(self, paused_until_ns=max(self.paused_until_ns, until_ns))


def _wait_ns(window: Window, tenths: int, now_ns: int) -> int:
    """Return the wait until the window has more room than must be left free; 0 or less where it has."""
    usable = window.most - window.most * tenths // 10  # at least one
    stamps = window.stamps  # in order, so that none but the deciding one is looked at
    if len(stamps) < usable:
        return 0
    return stamps[-usable] + window.span_ns - now_ns


def _without(window: Window, at_ns: int) -> Window:
    if at_ns not in window.stamps:
        return window
    index = window.stamps.index(at_ns)
    return replace(window, stamps=window.stamps[:index] + window.stamps[index + 1 :])
