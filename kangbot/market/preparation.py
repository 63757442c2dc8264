"""The errands that bring a market to life: subscribe, then fetch history, each until it succeeds or cannot.

What only takes time (a venue that is away, a budget that is spent) is waited out here with backoff; what a person must
change (no such topic, no such market) comes back as a failure with its reason.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from kangbot.errors import KangbotError, NeedsHuman, named
from kangbot.execution.again import Again
from kangbot.execution.budget import Budget
from kangbot.market.asking import ask_patiently
from kangbot.market.bars import Bars
from kangbot.market.inbox import Inbox
from kangbot.market.together import Say
from kangbot.model.data import Bar, Trade
from kangbot.model.market import Instrument
from kangbot.ports import Feeds, Subscription, Venue
from kangbot.runtime.tasks import Tasks

T = TypeVar("T")


class Subscribed(msgspec.Struct, frozen=True):
    """Every topic is acknowledged. `attempt` tells it from an earlier start's."""

    attempt: int


class Fetched(msgspec.Struct, frozen=True):
    """History has arrived."""

    attempt: int
    history: Sequence[Bar] | Sequence[Trade]


class PreparationFailed(msgspec.Struct, frozen=True):
    """It cannot succeed without somebody changing something."""

    attempt: int
    reason: str


class Preparation:
    """One market's errands; at most one attempt at a time."""

    def __init__(
        self,
        *,
        instrument: Instrument,
        leverage: int,
        venue: Venue,
        feeds: Feeds,
        budget: Budget,
        inbox: Inbox,
        tasks: Tasks,
        draw: Callable[[], float],
        ended: Callable[[Exception | None], None],
        again: Again,
        say: Say,
    ) -> None:
        self._instrument = instrument
        self.leverage = leverage
        self._venue = venue
        self._feeds = feeds
        self._budget = budget
        self._inbox = inbox
        self._tasks = tasks
        self._draw = draw
        self._ended = ended
        self._again = again
        self._say = say
        self._subscription: Subscription | None = None
        self._errand: asyncio.Task[None] | None = None  # the one that is under way, or was
        self.attempt = 0

    def begin(self, bars: Bars, *, eager: bool) -> None:
        """Subscribe, then fetch; `eager` as in `ports.Feeds`."""
        self.attempt += 1
        self._go(f"prepare-{self.attempt}", self._prepare(bars, self.attempt, eager=eager))

    def fetch_again(self, bars: Bars) -> None:
        """Fetch once more: something was missing, or the stream had a hole."""
        self._go(f"fetch-{self.attempt}", self._fetch(bars, self.attempt))

    def end(self) -> None:
        """Let go of the subscription, and of what is under way: a venue that is away is not asked for nothing."""
        self.attempt += 1  # an outcome that waits in the inbox finds itself outdated
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            self._tasks.spawn("unsubscribe", subscription.aclose())

    def _go(self, name: str, errand: Coroutine[Any, Any, None]) -> None:
        if self._errand is not None:
            self._errand.cancel()
        self._errand = self._tasks.spawn(name, errand)

    async def _prepare(self, bars: Bars, attempt: int, *, eager: bool) -> None:
        try:
            await self._ask("settings", lambda: self._venue.prepare(self._instrument, self.leverage))
            if self._subscription is None:
                channels = bars.channels
                self._subscription = self._feeds.subscribe(self._instrument, channels, self._inbox, eager=eager)
            await self._subscription.live()
        except Exception as error:  # noqa: BLE001 -- whatever it was: a market that waits for ever says nothing
            self._ended(error)
            self._inbox.put(PreparationFailed(attempt, _words(error)))
            return
        self._inbox.put(Subscribed(attempt))
        await self._fetch(bars, attempt)

    async def _fetch(self, bars: Bars, attempt: int) -> None:
        try:
            history = await self._ask("history", lambda: bars.fetch(self._venue), requests=bars.requests)
        except Exception as error:  # noqa: BLE001 -- as above
            self._ended(error)
            self._inbox.put(PreparationFailed(attempt, _words(error)))
            return
        self._inbox.put(Fetched(attempt, history))

    async def _ask(self, what: str, ask: Callable[[], Awaitable[T]], *, requests: int = 1) -> T:
        return await ask_patiently(
            ask,
            budget=self._budget,
            draw=self._draw,
            what=what,
            ended=self._ended,
            again=self._again,
            requests=requests,
            say=self._say,
        )


def _words(error: Exception) -> str:
    match error:
        case NeedsHuman():
            return f"{error.message}: {error.remedy}"
        case KangbotError():
            return error.message
        case _:  # a fault of our own
            return named(error)
