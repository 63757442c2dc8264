"""The account's margin mode, looked at once a minute. What is news, and what it means, is in `machines/margin.py`."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from kangbot.errors import KangbotError, words
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.margin import KNOWN, Margin
from kangbot.machines.priority import Priority
from kangbot.ports import Journal
from kangbot.runtime.world import Clock

log = structlog.get_logger(__name__)

_EVERY_S = 60.0
_ANSWER_S = 10.0


class MarginWatch:
    """`ask` asks the venue; `known` hears of what is journalled, as the journal tells it."""

    def __init__(
        self, *, clock: Clock, journal: Journal, ask: Callable[[], Awaitable[str]], budget: Budget, known: Margin
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._ask = ask
        self._budget = budget
        self._known = known
        self._failing = False

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._look()
            await asyncio.sleep(_EVERY_S)

    async def _look(self) -> None:
        try:
            async with calling(self._budget, Priority.DATA, within_s=_ANSWER_S):
                mode = await self._ask()
        except (KangbotError, TimeoutError) as error:  # it is asked again in a minute; nothing is decided by it
            if not self._failing:
                log.info("margin.unread", why=words(error))
            self._failing = True
            return
        self._failing = False
        if (news := self._known.seen(mode, self._clock.now_ns())) is not None:
            tell = log.info if news.kind == KNOWN else log.warning
            tell(news.kind, message=news.message)
            self._journal.append(news)
