"""Asks a venue what was moved into its account and out of it, and journals each transfer once.

No stream tells it apart: a balance changes, and for whoever counts losses by equity a withdrawal is the worst of them.
Nothing waits for the answers. Shell around `machines/transfers.py`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import structlog

from kangbot.errors import KangbotError, NeedsHuman, RateLimited, words
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.priority import Priority
from kangbot.machines.transfers import OVERLAP_NS, Transfers
from kangbot.model.events import Noted, Severity, Transferred
from kangbot.model.orders import Transfer, Unclear
from kangbot.ports import Journal, Venue
from kangbot.runtime.world import World

log = structlog.get_logger(__name__)

_EVERY_S = 60.0
_FAR = 10  # answers: of so many one is of all the overlap, the others are of its end
_NEAR_NS = OVERLAP_NS // 6
_TIMEOUT_S = 15.0


def _goes_on() -> None:
    """Have each page waited for by itself: after months of absence there are many."""


class TransferWatch:
    """One venue account's. `run` is its task.

    `known` hears of what is journalled, as the journal tells it. `offset_ns` is how far the venue's clock is ahead of
    ours. `told` is called once transfers were journalled: the equity is to be asked for.
    """

    def __init__(
        self,
        *,
        world: World,
        journal: Journal,
        venue: Venue,
        budget: Budget,
        known: Transfers,
        offset_ns: Callable[[], int],
        told: Callable[[], None],
    ) -> None:
        self._clock = world.clock
        self._journal = journal
        self._venue = venue
        self._budget = budget
        self._known = known
        self._offset_ns = offset_ns
        self._told = told
        self._asked_ns = 0  # the last answer is whole up to then, by the venue's clock; 0 for none
        self._answers = 0
        self._wondered: set[str] = set()  # kinds of changes that people were told of
        self._kick = asyncio.Event()
        self.failures = 0  # in a row

    def hurry(self) -> None:
        """Ask now: the equity has leapt."""
        self._kick.set()

    async def run(self) -> None:
        """Ask every minute, for ever."""
        while True:
            self._kick.clear()
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._kick.wait()

    async def look(self) -> None:
        """Ask once."""
        now_ns = self._clock.now_ns() + self._offset_ns()
        overlap_ns = _NEAR_NS if self._answers % _FAR else OVERLAP_NS
        since_ns = max(self._known.since_ns(now_ns), self._asked_ns - overlap_ns)
        try:
            async with calling(self._budget, Priority.DATA, within_s=_TIMEOUT_S, page=_goes_on):
                found = await self._venue.transfers(since_ns)
        except (KangbotError, TimeoutError) as error:
            self._failed(error)
            return
        self._asked_ns = now_ns
        self._answers += 1
        self._succeeded()
        self._take([each for each in found if isinstance(each, Transfer) and self._known.new(each)])
        for each in found:
            if isinstance(each, Unclear) and each.kind not in self._wondered:
                self._wonder(each)

    def _take(self, new: Sequence[Transfer]) -> None:
        for transfer in new:
            moved_ns = transfer.at_ns - self._offset_ns()
            event = Transferred(
                venue=self._venue.name, transfer=transfer, moved_ns=moved_ns, at_ns=self._clock.now_ns()
            )
            log.info(
                "account.transferred",
                venue=self._venue.name,
                amount=f"{transfer.amount:f}",
                currency=transfer.currency,
                kind=transfer.kind,
                transfer=transfer.transfer_id,
            )
            self._journal.append(event, reserve=True)  # a full disk is no reason to take it for a loss after a start
        if new:
            self._told()

    def _wonder(self, change: Unclear) -> None:
        """Tell of a kind of change that may have been traded or not, once."""
        self._wondered.add(change.kind)
        log.warning(
            "transfers.unclear",
            venue=self._venue.name,
            kind=change.kind,
            amount=f"{change.amount:f}",
            currency=change.currency,
        )
        text = (
            f"{self._venue.name} tells of {change.amount:f} {change.currency} as {change.kind}, and it is not certain "
            "whether that was traded: all of that kind counts as a gain or a loss"
        )
        self._note("transfers.unclear", Severity.WARNING, text)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, RateLimited):
            self._budget.pause(error.retry_after_ns)
        self.failures += 1
        if self.failures == 1:
            remedy = {"remedy": error.remedy} if isinstance(error, NeedsHuman) else {}
            log.warning("transfers.unread", venue=self._venue.name, error=words(error), **remedy)
            text = (
                f"{self._venue.name} does not tell what is moved into the account and out of it, which looks like a "
                f"gain or a loss meanwhile: {words(error)}"
            )
            self._note("transfers.unread", Severity.WARNING, text)

    def _succeeded(self) -> None:
        if self.failures:
            log.info("transfers.read", venue=self._venue.name, after_failures=self.failures)
            self._note("transfers.read", Severity.INFO, f"{self._venue.name} tells what is moved again")
        self.failures = 0

    def _note(self, kind: str, severity: Severity, message: str) -> None:
        self._journal.append(
            Noted(kind=kind, severity=severity, market=None, message=message, at_ns=self._clock.now_ns())
        )
