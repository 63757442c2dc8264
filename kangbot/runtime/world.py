"""Clock, chance and ids: the three things a daemon takes from outside, made in `daemon.py` or `scenario/` only.

There is one clock. It is anchored to wall time once, at start, and runs on with the machine's time since its boot: a
stepped wall clock changes nothing, deadlines and stamps are comparable, and under the virtual-time loop it is the
virtual time. What a machine slept through counts: the loop's timers do not know of it, but the markets went on. The
venue's clock is another thing and is measured against this one.
"""

import asyncio
import random
import time
from collections.abc import Callable
from hashlib import sha256

import msgspec

SECOND_NS = 1_000_000_000


def since_boot_ns() -> int:
    """Return how long the machine has been up, what it was suspended for included; never running backwards."""
    return time.clock_gettime_ns(_SINCE_BOOT)


_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux has one that counts; elsewhere it differs


class Clock:
    """Nanoseconds since the epoch (UTC), never running backwards."""

    __slots__ = ("_ahead_ns", "_monotonic_ns")

    def __init__(self, monotonic_ns: Callable[[], int] = since_boot_ns, anchor_ns: int | None = None) -> None:
        self._monotonic_ns = monotonic_ns
        start_ns = monotonic_ns()
        self._ahead_ns = (time.time_ns() if anchor_ns is None else anchor_ns) - start_ns  # of the monotonic time

    def now_ns(self) -> int:
        """Return the time, in nanoseconds since the epoch."""
        return self._monotonic_ns() + self._ahead_ns

    def shifted(self, by_ns: int) -> "Clock":
        """Return a clock that is ahead of this one by `by_ns`: a venue that has another idea of the time."""
        return Clock(self._monotonic_ns, self.now_ns() + by_ns)


class World(msgspec.Struct, frozen=True):
    """What reaches shells by their constructors. Machines, strategies and rules never see it."""

    clock: Clock
    seed: bytes

    def fork(self, name: str) -> random.Random:
        """Return the draws that belong to `name`: adding a market does not shift the draws of the others."""
        return random.Random(sha256(self.seed + name.encode()).digest())  # noqa: S311 -- jitter, not secrets

    def token(self, name: str, length: int) -> str:
        """Return `length` characters of [a-z0-9] that belong to `name` (the tag of a new journal)."""
        draw = self.fork(name)
        return "".join(draw.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))


def real_world() -> World:
    """Return the world outside: real time, real chance."""
    return World(clock=Clock(), seed=random.SystemRandom().randbytes(32))


def earliest(*due_ns: int | None) -> int | None:
    """Return the first of these times; None where nothing is due. Asked for on every turn, so without a generator."""
    first: int | None = None
    for at_ns in due_ns:
        if at_ns is not None and (first is None or at_ns < first):
            first = at_ns
    return first


async def sleep_until(clock: Clock, deadline_ns: int) -> None:
    """Sleep until the clock shows `deadline_ns`; return at once where that has passed."""
    while (left := deadline_ns - clock.now_ns()) > 0:  # noqa: ASYNC110 -- time is what we wait for; no event tells it
        await asyncio.sleep(left / SECOND_NS)
