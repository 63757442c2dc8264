"""The price of a market whose quotes fell silent: asked of the venue by REST, so that what is held stays managed.

Exits, stops and the sentry go on by these prices; no entry does, for the streams say that the data are stale. It is
asked slowly, under the budget for data, only while the quotes are silent and only where there is something to manage:
a position or an order under way. When to ask is decided by `machines/standin.py`.
"""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from kangbot.errors import RateLimited, Retryable, words
from kangbot.execution.again import Again
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.priority import Priority
from kangbot.machines.standin import StandIn
from kangbot.market.inbox import Inbox
from kangbot.market.together import Say
from kangbot.model.data import Quote
from kangbot.model.events import Severity
from kangbot.model.market import Instrument
from kangbot.ports import Venue
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import Clock

log = structlog.get_logger(__name__)

_ANSWER_S = 5.0
_BLIND = 3  # questions in a row without an answer, some forty seconds of it: what is held has no price then


class Priced(msgspec.Struct, frozen=True):
    """The venue's answer; `quote` None where there was none, for `reason`."""

    quote: Quote | None
    reason: str = ""
    retry_after_ns: int = 0


class Prices:
    """One market's questions; called by its task. `ended` is told how each went, `tell` what people are to hear."""

    def __init__(
        self,
        *,
        instrument: Instrument,
        venue: Venue,
        budget: Budget,
        inbox: Inbox,
        clock: Clock,
        tasks: Tasks,
        tell: Callable[[str, Severity, str], None],
        ended: Callable[[Exception | None], None],
        again: Again,
        say: Say,
    ) -> None:
        self._instrument = instrument
        self._venue = venue
        self._budget = budget
        self._inbox = inbox
        self._clock = clock
        self._tasks = tasks
        self._tell = tell
        self._ended = ended
        self._again = again
        self._say = say
        self._stand_in = StandIn()
        self._errand: asyncio.Task[None] | None = None  # the question that is under way, or was
        self._told = False  # that REST stands in, not yet that the stream is back
        self._blind = False  # that there is no price was told, not yet that there is one
        self.asked = 0

    def changed(self, *, live: bool) -> None:
        """Learn that the quotes flow or do not."""
        if not live:
            self._stand_in = self._stand_in.lost(self._clock.now_ns())
            return
        self._stand_in = self._stand_in.back()
        self._sees("by the stream")
        if self._told:
            self._told = False
            self._say(log.info, "market.priced_by_stream")

    def due_ns(self, *, needed: Callable[[], bool]) -> int | None:
        """Return when a price is to be asked for; None where none is. While the quotes flow `needed` is not asked."""
        due_ns = self._stand_in.deadline()
        return due_ns if due_ns is not None and needed() else None

    def look(self, now_ns: int, *, needed: Callable[[], bool]) -> None:
        """Ask where it is due."""
        if self._stand_in.asking and self._errand is not None and self._errand.done():
            self._stand_in = self._stand_in.failed(now_ns)  # a turn that fell has lost the answer
        due_ns = self.due_ns(needed=needed)
        if due_ns is not None and due_ns <= now_ns:
            self._stand_in = self._stand_in.asked()
            self._errand = self._tasks.spawn("price", self._ask())

    def take(self, answer: Priced) -> bool:
        """Take an answer; True where the market has a price by it. One that comes after the stream is not needed."""
        if not self._stand_in.asking:
            return False
        now_ns = self._clock.now_ns()
        if answer.quote is None:
            self._stand_in = self._stand_in.failed(now_ns, at_least_ns=answer.retry_after_ns)
            if self._stand_in.failures >= _BLIND and not self._blind:
                self._blind = True
                words = f"neither stream nor REST tells its price, so our own exits wait: {answer.reason}"
                self._tell("market.no_price", Severity.ERROR, words)
            return False
        self._stand_in = self._stand_in.answered(now_ns)
        self._sees("by REST")
        self._inbox.stand_in(answer.quote)
        if not self._told:
            self._told = True
            self._say(log.warning, "market.priced_by_rest")
        return True

    def _sees(self, how: str) -> None:
        """Tell that there is a price again, where it was told that there was none."""
        if self._blind:
            self._blind = False
            self._tell("market.priced", Severity.INFO, f"it has a price again, {how}")

    async def _ask(self) -> None:
        """Ask once: what there is no answer to is asked again by `look`."""
        if self._stand_in.failures:
            await self._again()
        turn = await self._budget.acquire(Priority.DATA)
        self.asked += 1
        try:
            async with calling(self._budget, Priority.DATA, within_s=_ANSWER_S, turn=turn):
                answer = Priced(await self._venue.quote(self._instrument))
        except Exception as error:  # noqa: BLE001 -- whatever it was: a position whose price nobody asks for is blind
            self._ended(error)
            answer = Priced(None, words(error), error.retry_after_ns if isinstance(error, Retryable) else 0)
            if isinstance(error, RateLimited):
                self._budget.pause(error.retry_after_ns)
        else:
            self._ended(None)
        self._inbox.put(answer)
