"""Whose request to a venue goes first, and when the next one may go: strict windows with room kept for the urgent.

A venue counts all requests of an account together, and a flood of candle requests must never hold up an exit. So the
less urgent kinds leave a share of every window free. A pause that the venue asked for holds for everyone: requests made
during it are what turns a limit into a ban. Waiting itself is left to `execution/budget.py`.

A venue counts a request when it arrives. One that waited for its connection may arrive together with those that left a
second later, so the time that counts here is the latest at which it can have arrived: that of its answer, and until
there is one, the longest that it may be on its way.

A place may be kept for what reduces risk and is yet to come: the stop that follows an entry. It is part of what the
less urgent leave free, and makes that more where it has to.
"""

from bisect import insort
from enum import IntEnum

import msgspec

from kangbot.machines.limiter import Window


class Priority(IntEnum):
    """Whose turn it is: the smaller, the sooner."""

    CANCEL_EXIT = 0  # what reduces risk: cancels, exits, stops
    RECONCILE = 1  # what finds out how things stand
    ENTRY = 2
    DATA = 3  # candles, instruments


# The share of every window that each kind leaves to those before it, in tenths.
_LEFT_FREE = {Priority.CANCEL_EXIT: 0, Priority.RECONCILE: 1, Priority.ENTRY: 2, Priority.DATA: 4}


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """The windows of one venue account, every one of which must have room; returns its successor."""

    windows: tuple[Window, ...]
    paused_until_ns: int = 0
    kept: int = 0  # places

    @property
    def follows(self) -> bool:
        """Whether a place can be kept: there is room for a request and for the one that follows it."""
        return min(window.most for window in self.windows) > 1

    def wait_ns(self, priority: Priority, now_ns: int, *, keeps: bool = False) -> int:
        """Return how long until one more request of that kind may leave; 0 where it may leave now.

        `keeps`: one more place is to be kept beside it, where `follows` has it. If all the room is kept already, this
        is a span: one of those places must be freed first, and nobody knows when.
        """
        kept = self.kept + (keeps and self.follows) if priority > Priority.CANCEL_EXIT else 0
        waits = [_wait_ns(window, _LEFT_FREE[priority], kept, now_ns) for window in self.windows]
        return max(0, self.paused_until_ns - now_ns, *waits)

    def admit(self, arrives_ns: int) -> "Allowance":
        """Return it with a request in it that arrives then at the latest; the caller has asked `wait_ns`."""
        return msgspec.structs.replace(self, windows=tuple([window.admit(arrives_ns)[0] for window in self.windows]))

    def arrived(self, arrives_ns: int, now_ns: int) -> "Allowance":
        """Return it with the request that was to arrive by `arrives_ns` at the venue by now: it has answered."""
        if now_ns >= arrives_ns:
            return self
        return msgspec.structs.replace(
            self, windows=tuple(_moved(window, arrives_ns, now_ns) for window in self.windows)
        )

    def give_back(self, arrives_ns: int) -> "Allowance":
        """Return it without the request that was to arrive by `arrives_ns`: it was admitted and did not leave."""
        return msgspec.structs.replace(self, windows=tuple(_without(window, arrives_ns) for window in self.windows))

    def keep(self, places: int) -> "Allowance":
        """Return it with so many places kept."""
        return msgspec.structs.replace(self, kept=places)

    def pause(self, until_ns: int) -> "Allowance":
        """Return it with nothing admitted before `until_ns`; a longer pause that holds already stays."""
        return msgspec.structs.replace(self, paused_until_ns=max(self.paused_until_ns, until_ns))


def _wait_ns(window: Window, tenths: int, kept: int, now_ns: int) -> int:
    """Return the wait until the window has more room than must be left free; 0 or less where it has."""
    usable = window.most - max(window.most * tenths // 10, kept)
    if usable < 1:  # but for what is kept it would be at least one
        return window.span_ns
    stamps = window.stamps  # in order, so that none but the deciding one is looked at
    if len(stamps) < usable:
        return 0
    return stamps[-usable] + window.span_ns - now_ns


def _moved(window: Window, before_ns: int, at_ns: int) -> Window:
    if before_ns not in window.stamps:
        return window
    stamps = list(window.stamps)
    stamps.remove(before_ns)
    insort(stamps, at_ns)
    return msgspec.structs.replace(window, stamps=tuple(stamps))


def _without(window: Window, at_ns: int) -> Window:
    if at_ns not in window.stamps:
        return window
    index = window.stamps.index(at_ns)
    return msgspec.structs.replace(window, stamps=window.stamps[:index] + window.stamps[index + 1 :])
