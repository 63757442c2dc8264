"""One call of a venue, which may take many requests: each of them waits for a turn of its own before it leaves.

The venue counts requests, not calls. Whoever calls it says by which budget and how urgently; the adapter alone knows
how many requests that takes, and holds each under a `turn`. So a log of twenty pages leaves room between them for an
exit, and a request past every budget is none that can be made by oversight: outside a call `turn` raises.

Nothing can wait for ever here. A place is taken for one request and is free again by time alone, whatever becomes of
it, so who waits for the next place holds none that somebody else would have to wait for.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar

from kangbot.errors import KangbotError
from kangbot.execution.budget import Budget
from kangbot.machines.priority import Priority


class Call:
    """A call that is under way. `first` is the turn that its first request has; `patience` runs while it is asked.

    `page` hears of each further request, which then has `within_s` for itself; None where they share what is left.
    """

    def __init__(
        self,
        budget: Budget,
        priority: Priority,
        first: int,
        *,
        patience: asyncio.Timeout,
        within_s: float,
        page: Callable[[], None] | None,
    ) -> None:
        self._budget = budget
        self._priority = priority
        self._first: int | None = first
        self._patience = patience
        self._within_s = within_s
        self._page = page

    async def turn(self) -> int:
        """Return the turn of the next request, once it may leave; the venue's time stands still meanwhile."""
        if self._first is not None:
            turn, self._first = self._first, None
            return turn
        until_s = self._patience.when()
        assert until_s is not None
        loop = asyncio.get_running_loop()
        left_s = until_s - loop.time()
        self._patience.reschedule(None)
        turn = await self._budget.acquire(self._priority, begun=True)
        if self._page is not None:
            left_s = self._within_s
            self._page()
        self._patience.reschedule(loop.time() + left_s)
        return turn

    def under_way(self, turn: int) -> contextlib.AbstractContextManager[None]:
        """Hold the turn's request."""
        return self._budget.under_way(turn)

    def ended(self, error: KangbotError | None = None) -> None:
        """Learn how the call ended. An adapter that asked for no turn has made the one request, for all we know."""
        if self._first is not None:
            self._budget.answered(self._first, error)


_CALL: ContextVar[Call] = ContextVar("call")


@contextlib.asynccontextmanager
async def calling(
    budget: Budget,
    priority: Priority,
    *,
    within_s: float,
    turn: int | None = None,
    page: Callable[[], None] | None = None,
) -> AsyncIterator[None]:
    """Call a venue: whatever is asked of it inside leaves by this budget.

    `turn` is that of the first request; None: it is waited for here. TimeoutError once the venue has taken `within_s`
    in all, the waits for turns not counted. With `page`, which hears of each request after the first, it is for one
    request: a question of as many pages as there is to tell would else fail for ever once they are too many, however
    well the venue answers.
    """
    first = await budget.acquire(priority) if turn is None else turn
    async with asyncio.timeout(within_s) as patience:
        call = Call(budget, priority, first, patience=patience, within_s=within_s, page=page)
        token = _CALL.set(call)
        try:
            yield
        except KangbotError as error:
            call.ended(error)
            raise
        else:
            call.ended()
        finally:
            _CALL.reset(token)


@contextlib.asynccontextmanager
async def turn() -> AsyncIterator[None]:
    """Wait until one more request of the call may leave, and hold it: `ports.Turn`. LookupError outside a call."""
    call = _CALL.get()
    with call.under_way(await call.turn()):
        yield
