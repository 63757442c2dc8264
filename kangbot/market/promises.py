"""What an operator is told will outlive a restart: nobody hears "done" before the journal has it.

A command acts in the very call; the answer waits for the disk, a few seconds at most. Where the disk does not take it,
that is the answer: it is done, and a restart would forget it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from kangbot.errors import KangbotError, NeedsHuman, Retryable

_DISK_S = 5.0  # how long a caller waits for the journal
_TURN_S = 3.0  # and before that for a market to come to it
_REMEDY = "make room on the disk of the state folder, and command it again"


async def on_disk(written: Awaitable[object]) -> str:
    """Wait for it; return why it is not on disk, "" where it is."""
    try:
        async with asyncio.timeout(_DISK_S):
            await written
    except (KangbotError, TimeoutError) as error:
        return str(error) or f"no word of the disk in {_DISK_S:.0f} s"
    return ""


class Promises:
    """What was commanded, on its way to the disk."""

    def __init__(self) -> None:
        self._last: Awaitable[int] | None = None
        self.broken = 0  # so often a caller heard that a restart would forget something

    def give(self, written: Awaitable[int] | None) -> None:
        """Take what an append returned; None where there was nothing to write."""
        self._last = written or self._last

    async def kept(self) -> None:
        """Wait until all of it is on disk. NeedsHuman where a restart would forget it."""
        if self._last is None:
            return
        if why := await on_disk(self._last):  # appends are in order: the last one's end is that of all
            self.broken += 1
            raise NeedsHuman(f"it is done, and a restart would forget it: {why}", remedy=_REMEDY)


async def lifted(done: asyncio.Event, kept: Callable[[], Awaitable[None]]) -> None:
    """Wait until a market has lifted its quarantine, which sets `done`, and its records are `kept`.

    Retryable where it does not come to it, NeedsHuman where a restart would bring the quarantine back.
    """
    try:
        async with asyncio.timeout(_TURN_S):
            await done.wait()
    except TimeoutError:
        raise Retryable(f"the market has not come to it in {_TURN_S:.0f} s: nothing is lifted until it does") from None
    if why := await on_disk(kept()):
        raise NeedsHuman(f"the quarantine is lifted, and a restart would bring it back: {why}", remedy=_REMEDY)
