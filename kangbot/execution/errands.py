"""The network work of one market: each errand asks the venue one thing and posts what came of it.

An errand decides nothing. It waits for its turn in the budget, calls the venue under a deadline of our own, and
whatever happens to it (an answer, an error, a hang) ends as exactly one outcome in the market's inbox.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, NamedTuple

from kangbot.errors import KangbotError, NeedsHuman, NotFound, RateLimited, Refused, words
from kangbot.execution.again import Again, at_once
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.execution.outcome import CancelEnded, Looked, Outcome, ProtectEnded, SendEnded, WriteEnded, learnt_from
from kangbot.machines.faults import Operation
from kangbot.machines.order_words import Answered, Learnt, Lost, RefusedByVenue, Withheld
from kangbot.machines.priority import Priority
from kangbot.model.events import Event
from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import Intent, Purpose
from kangbot.ports import Venue
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock

Ended = Callable[[Operation, Exception | None, str], None]  # how it ended, None for well; the order's id, or ""
Depart = Callable[[], str]  # called the moment before a request to place leaves; a reason withholds it, "" lets it go


class _Leaves(NamedTuple):
    """An order that may leave."""

    sent_ns: int
    turn: int  # of the budget


class Errands:
    """Background work of one market's executor. `timeout_s` bounds every call to the venue.

    `again` is awaited before the venue is asked once more for the same order: it may be away for everybody.
    """

    def __init__(
        self,
        *,
        instrument: Instrument,
        venue: Venue,
        budget: Budget,
        clock: Clock,
        tasks: Tasks,
        post: Callable[[Outcome], None],
        timeout_s: float,
        ended: Ended = lambda _operation, _error, _subject: None,
        again: Again = at_once,
    ) -> None:
        self._instrument = instrument
        self._venue = venue
        self._budget = budget
        self._clock = clock
        self._tasks = tasks
        self._post = post
        self._timeout_s = timeout_s
        self._ended = ended
        self._again = again
        self._flying: dict[str, None] = {}

    def flying(self, kind: str, client_id: ClientId) -> bool:
        """Whether an errand of that kind ("ask", "cancel") is under way for the order."""
        return f"{kind}/{client_id}" in self._flying

    # ---------------------------------------------------------------------------------------------------------- place
    def send(self, intent: Intent, written: Awaitable[int], depart: Depart) -> None:
        """Send the order once `written` has resolved."""
        self._tasks.spawn(f"send/{intent.client_id}", self._send(intent, written, depart))

    def resend(self, intent: Intent, depart: Depart) -> None:
        """Send the same order under the same id once more."""
        self._fly("ask", intent.client_id, self._send(intent, None, depart))

    async def _send(self, intent: Intent, written: Awaitable[int] | None, depart: Depart) -> None:
        learnt: Learnt | None = None
        try:
            left = await self._left(intent, written, depart)
            learnt = await self._submit(intent, left) if isinstance(left, _Leaves) else left
        finally:
            # Only a cancellation leaves without having learnt anything; a byte may have left by then.
            if learnt is None:
                learnt = Lost("its task was cancelled")
            self._land("ask", intent.client_id)
            self._post(SendEnded(client_id=intent.client_id, learnt=learnt))

    async def _left(self, intent: Intent, written: Awaitable[int] | None, depart: Depart) -> Learnt | _Leaves:
        """Wait until it may leave, and have it noted; return when that was, or what keeps it here."""
        unwritten = False
        try:
            async with asyncio.timeout((intent.deadline_ns - self._clock.now_ns()) / SECOND_NS):
                if written is not None:
                    await written
                turn = await self._budget.acquire(_priority(intent), keep=self._followed(intent))
            sent_ns = self._clock.now_ns()  # before it is noted: not one instant of the stamp is missing there
            reason = depart()
            if not reason:
                return _Leaves(sent_ns, turn)
            self._budget.not_sent(turn)
            self._budget.freed(intent.client_id)
        except KangbotError as error:
            reason, unwritten = f"the journal did not take it: {error.message}", isinstance(error, NeedsHuman)
        except TimeoutError:
            reason = "its time was over before it could leave"
        # A second copy that stays here says nothing of the first.
        return Lost(reason) if written is None else Withheld(reason, unwritten)

    async def _submit(self, intent: Intent, left: _Leaves) -> Learnt:
        operation = Operation.EXIT if intent.purpose is Purpose.EXIT else Operation.ENTRY
        try:
            async with self._calling(_priority(intent), left.turn):
                report = await self._venue.submit(self._instrument, intent, sent_ns=left.sent_ns)
        except Exception as error:  # noqa: BLE001 -- an error that no table names means that nothing is known
            self._failed(operation, error, intent.client_id)
            learnt = learnt_from(error)
            if isinstance(learnt, RefusedByVenue):
                self._budget.freed(intent.client_id)
            return learnt
        self._budget.follows(intent.client_id)
        self._ended(operation, None, intent.client_id)
        return Answered(report)

    # ------------------------------------------------------------------------------------------------------------ ask
    def ask(self, client_id: ClientId, *, again: bool) -> None:
        """Ask every authoritative endpoint for the order; `again`: nothing was learnt by asking before."""
        self._fly("ask", client_id, self._ask(client_id, again=again))

    async def _ask(self, client_id: ClientId, *, again: bool) -> None:
        if again:
            await self._again()
        turn = await self._budget.acquire(Priority.RECONCILE)
        asked_ns = self._clock.now_ns()
        lookup, message = None, ""
        try:
            async with self._calling(Priority.RECONCILE, turn):
                lookup = await self._venue.find(self._instrument, client_id)
        except Exception as error:  # noqa: BLE001 -- a question that failed says nothing, however it failed
            self._failed(Operation.ASK, error, client_id)
            message = words(error)
        else:
            self._ended(Operation.ASK, None, client_id)
        self._land("ask", client_id)
        self._post(Looked(client_id=client_id, lookup=lookup, asked_ns=asked_ns, message=message))

    # --------------------------------------------------------------------------------------------------------- cancel
    def cancel(self, client_id: ClientId) -> None:
        """Ask the venue to cancel the order."""
        self._fly("cancel", client_id, self._cancel(client_id))

    async def _cancel(self, client_id: ClientId) -> None:
        turn = await self._budget.acquire(Priority.CANCEL_EXIT)
        denied, message = False, ""
        try:
            async with self._calling(Priority.CANCEL_EXIT, turn):
                await self._venue.cancel(self._instrument, client_id)
            self._ended(Operation.CANCEL, None, client_id)
        except Refused as error:
            self._ended(Operation.CANCEL, error, client_id)
            denied, message = True, error.message
        except Exception as error:  # noqa: BLE001 -- it may have been cancelled or not: it is asked for again
            self._failed(Operation.CANCEL, error, client_id)
            message = words(error)
        self._land("cancel", client_id)
        self._post(CancelEnded(client_id=client_id, denied=denied, message=message))

    # ------------------------------------------------------------------------------------------------------------ stop
    def protect(self, stop: Price | None) -> None:
        """Set the position's stop."""
        ask = partial(self._venue.protect, self._instrument, stop)
        self._tasks.spawn("protect", self._protect(stop, ZERO, "", ask))

    def cover(self, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool) -> None:
        """Have one stop rest beside a holding of `quantity`, where the venue keeps no position."""
        ask = partial(self._venue.cover, self._instrument, stop, quantity, order, fresh=fresh)
        self._tasks.spawn("protect", self._protect(stop, quantity, order, ask))

    async def _protect(
        self, stop: Price | None, quantity: Quantity, follows: str, ask: Callable[[], Awaitable[ClientId | None]]
    ) -> None:
        turn = await self._budget.acquire(Priority.CANCEL_EXIT)
        self._budget.freed(follows)
        done, refused, message, name = False, "", "", None
        try:
            async with self._calling(Priority.CANCEL_EXIT, turn):
                name = await ask()
            done = True
            self._ended(Operation.PROTECT, None, "")
        except NotFound as error:  # no position there yet: its fill may be quicker to us than to the endpoint
            self._ended(Operation.PROTECT, error, "")
            message = error.message
        except Refused as error:
            self._ended(Operation.PROTECT, error, "")
            refused = message = error.message or type(error).__name__
        except Exception as error:  # noqa: BLE001 -- it may rest or not: it is set again, which is harmless
            self._failed(Operation.PROTECT, error, "")
            message = words(error)
        ended = ProtectEnded(stop=stop, quantity=quantity, name=name, done=done, refused=refused, message=message)
        self._post(ended)

    # -------------------------------------------------------------------------------------------------------- journal
    def keep(self, written: Awaitable[int], events: tuple[Event, ...], *, again: bool) -> None:
        """Watch an append that nobody waits for; post what the journal did not take, and what it took `again`."""
        self._tasks.spawn("write", self._keep(written, events, again=again))

    async def _keep(self, written: Awaitable[int], events: tuple[Event, ...], *, again: bool) -> None:
        try:
            await written
        except KangbotError as error:
            self._ended(Operation.JOURNAL, error, "")
            self._post(WriteEnded(events=events, error=error.message))
        else:
            if again:
                self._ended(Operation.JOURNAL, None, "")
                self._post(WriteEnded(events=events))

    # -------------------------------------------------------------------------------------------------------- private
    def _calling(self, priority: Priority, turn: int) -> AbstractAsyncContextManager[None]:
        return calling(self._budget, priority, within_s=self._timeout_s, turn=turn)

    def _followed(self, intent: Intent) -> str:
        """Return the name of the place that the order needs for its stop; "" where it has its stop with it."""
        spot = self._instrument.kind is InstrumentKind.SPOT
        return intent.client_id if spot and intent.purpose is Purpose.ENTRY and intent.stop is not None else ""

    def _fly(self, kind: str, client_id: ClientId, work: Coroutine[Any, Any, None]) -> None:
        self._flying[f"{kind}/{client_id}"] = None
        self._tasks.spawn(f"{kind}/{client_id}", work)

    def _land(self, kind: str, client_id: ClientId) -> None:
        """Free the way before the outcome is posted: whoever takes it may start the next errand at once."""
        self._flying.pop(f"{kind}/{client_id}", None)

    def _failed(self, operation: Operation, error: Exception, subject: str) -> None:
        if isinstance(error, RateLimited):
            self._budget.pause(error.retry_after_ns)
        self._ended(operation, error, subject)


def _priority(intent: Intent) -> Priority:
    return Priority.CANCEL_EXIT if intent.purpose is Purpose.EXIT else Priority.ENTRY
