"""The venue's mark price of one market, asked for once a minute: what the price of an entry is held against.

It is what the venue values positions at, and made of other prices than its own book's. A price far from it is a spike,
a stale book or the wrong symbol, and for that a minute is often enough; a stream of it would say ten times a second
what is used a few times a day. Where the venue does not tell, the rule has nothing to say, and nothing else needs it.
"""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from kangbot.errors import RateLimited, words
from kangbot.execution.again import Again
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.priority import Priority
from kangbot.market.together import Say
from kangbot.model.market import Instrument
from kangbot.model.money import Price
from kangbot.ports import Venue
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

_EVERY_NS = 60 * SECOND_NS
_GOOD_NS = 150 * SECOND_NS  # one answer may be missed
_ANSWER_S = 5.0


class Marked(msgspec.Struct, frozen=True):
    """The venue's answer; None where there was none."""

    price: Price | None


class Marks:
    """One market's; called by its task. `post` takes the answer into its inbox.

    `again` is awaited before the venue is asked once more after a failure: it may be away for everybody.
    """

    def __init__(
        self,
        *,
        instrument: Instrument,
        venue: Venue,
        budget: Budget,
        post: Callable[[Marked], None],
        clock: Clock,
        tasks: Tasks,
        again: Again,
        say: Say,
    ) -> None:
        self._instrument = instrument
        self._venue = venue
        self._budget = budget
        self._post = post
        self._clock = clock
        self._tasks = tasks
        self._again = again
        self._say = say
        self._due_ns = 0
        self._errand: asyncio.Task[None] | None = None  # the question that is under way, or was
        self._price: Price | None = None
        self._priced_ns = 0
        self._failing = False

    @property
    def price(self) -> Price | None:
        """The mark price as told last; None where nobody told it lately."""
        return self._price if self._clock.now_ns() - self._priced_ns < _GOOD_NS else None

    def due_ns(self, *, needed: Callable[[], bool]) -> int | None:
        """Return when it is to be asked for; None where it is not."""
        asking = self._errand is not None and not self._errand.done()
        return self._due_ns if not asking and self._venue.tells_mark and needed() else None

    def look(self, now_ns: int, *, needed: Callable[[], bool]) -> None:
        """Ask where it is due; before that nobody is asked whether it is `needed`."""
        if self._due_ns <= now_ns and self.due_ns(needed=needed) is not None:
            self._due_ns = now_ns + _EVERY_NS  # also where a turn that falls loses the answer
            self._errand = self._tasks.spawn("mark", self._ask())

    def take(self, answer: Marked) -> None:
        """Take an answer."""
        now_ns = self._clock.now_ns()
        self._due_ns = now_ns + _EVERY_NS
        if answer.price is not None:
            self._price, self._priced_ns = answer.price, now_ns

    async def _ask(self) -> None:
        price = None
        if self._failing:
            await self._again()
        try:
            async with calling(self._budget, Priority.DATA, within_s=_ANSWER_S):
                price = await self._venue.mark(self._instrument)
        except Exception as error:  # noqa: BLE001 -- whatever it was: it is asked again in a minute
            if isinstance(error, RateLimited):
                self._budget.pause(error.retry_after_ns)
            if not self._failing:
                self._say(log.info, "market.no_mark", why=words(error))
            self._failing = True
        else:
            self._failing = False
        self._post(Marked(price))
