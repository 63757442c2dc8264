"""What `append` returns: a promise that an event is on disk, which nobody needs to collect."""

import asyncio
from collections.abc import Awaitable, Generator

from kangbot.errors import KangbotError


class Ticket(Awaitable[int]):
    """Resolves to the sequence of a group's last event once the group is on disk.

    Not a future: most appends are never awaited, and a future that fails unseen makes noise, and one whose await is
    cancelled is cancelled for everybody. This one may be awaited never, once or by many, before or after the commit.
    """

    __slots__ = ("_error", "_sequence", "_waiters")

    def __init__(self) -> None:
        self._sequence = 0
        self._error: KangbotError | None = None
        self._waiters: list[asyncio.Future[None]] | None = None  # made on the first await

    def settle(self, sequence: int, error: KangbotError | None = None) -> None:
        """Resolve, on the loop: to `sequence`, or to `error`. The first word stands."""
        if self._sequence or self._error is not None:
            return
        self._sequence = sequence
        self._error = error
        for waiter in self._waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        self._waiters = None

    def __await__(self) -> Generator[asyncio.Future[None], None, int]:
        if not self._sequence and self._error is None:
            waiter = asyncio.get_running_loop().create_future()
            if self._waiters is None:
                self._waiters = []
            self._waiters.append(waiter)
            yield from waiter
        if self._error is not None:
            raise self._error
        return self._sequence
