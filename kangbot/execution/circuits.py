"""Counts how calls to the venue end, market by market and lane by lane, and asks again before anything goes on.

Shell around `machines/breakers.py` and `machines/local_fault.py`. Whoever calls the venue says how the call ended; a
market asks `held` whether it may enter. `run` is the task that makes the probes, and sleeps while none is due. What the
probes ask changes nothing at the venue: the account's open orders for the lanes of orders, the newest trade for data.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec
import structlog

from kangbot.errors import PartlyRead, RateLimited, Retryable, words
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.breaker import venues_fault, venues_words
from kangbot.machines.breakers import Breakers, Result
from kangbot.machines.local_fault import WITHIN_NS, LocalFault
from kangbot.machines.priority import Priority
from kangbot.model.events import BreakerChanged, BreakerState, Lane, Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.ports import Journal, Venue
from kangbot.runtime.world import SECOND_NS, World, earliest

log = structlog.get_logger(__name__)

_PROBE_S = 10.0  # of one probe; shorter than its lease


class Circuits:
    """The breakers of one venue account.

    `changed(market)` is told after each transition, and for every market when a local fault begins or ends; `closed()`
    when a breaker has closed: what was missed meanwhile is to be reconciled.
    """

    def __init__(
        self,
        *,
        world: World,
        journal: Journal,
        venue: Venue,
        budget: Budget,
        data_budget: Budget,
        breakers: Breakers,
        changed: Callable[[MarketId], None],
        closed: Callable[[], None],
    ) -> None:
        self.breakers = breakers
        self._clock = world.clock
        breakers.begin(self._clock.now_ns())
        self._draw = world.fork(f"circuits/{venue.name}").random
        self._journal = journal
        self._venue = venue
        self._budget = budget
        self._data_budget = data_budget  # venues count what is public apart, and want to be left alone there apart
        self._changed = changed
        self._closed = closed
        self._instruments: dict[MarketId, Instrument] = {}
        self._fault = LocalFault(markets=0)
        self._news = asyncio.Event()
        self._reachable = asyncio.Event()  # as far as we know: no local fault
        self._reachable.set()
        self.probes = 0  # questions that came to an end, whichever

    def add(self, instrument: Instrument) -> None:
        """Take in a market."""
        self._instruments[instrument.market] = instrument
        self._fault = msgspec.structs.replace(self._fault, markets=len(self._instruments))

    @property
    def local_fault_ns(self) -> int:
        """Since when most markets fail together; 0 where they do not."""
        return self._fault.since_ns

    def held(self, market: MarketId) -> str:
        """Return why the market may not enter; "" where it may."""
        if self._fault.there:
            return (
                "local_fault: the fault is likely on this side: most markets failed at once, or nothing finds a way out"
            )
        return self.breakers.held(market)

    def in_trouble(self, market: MarketId, lane: Lane) -> bool:
        """Whether the lane's breaker is not closed, or most markets fail together."""
        return self._fault.there or self.breakers.of(market, lane).state is not BreakerState.CLOSED

    async def reachable(self, at_most_s: float | None = None) -> None:
        """Wait while most markets fail together, and no longer than that; None for as long as it takes.

        For questions that failed before: one probe asks for all of them whether the venue is back.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._reachable.wait()

    def ended(self, market: MarketId, lane: Lane, error: Exception | None) -> None:
        """Learn how a call of the market ended; `error` None for well."""
        now_ns = self._clock.now_ns()
        if not venues_fault(error):
            self._fault = self._fault.succeeded(market)
            self._take(self.breakers.ended(market, lane, Result(failure="", draw=0.0), now_ns))
            return
        before = self._fault.there
        if venues_words(error):  # nothing of this machine's, whichever markets meet it
            self._fault = self._fault.succeeded(market)
        else:
            self._fault = self._fault.failed(market, now_ns, self._draw())
        if self._fault.there:
            if not before:
                failing = f"{len(self._fault.failed_ns)} of {len(self._instruments)} markets"
                self._fault_begins(f"{failing} failed within {WITHIN_NS // SECOND_NS} s", now_ns)
            return
        self._take(self.breakers.ended(market, lane, self._result(error), now_ns))

    def dialled(self, way_out: bool) -> None:
        """Learn of a stream's dial whether it found a name and a route, whatever the venue then answered."""
        now_ns, before = self._clock.now_ns(), self._fault.there
        self._fault = self._fault.found(now_ns) if way_out else self._fault.lost(now_ns, self._draw())
        if self._fault.there and not before:
            self._fault_begins("no name resolves, or no route leads out", now_ns)
        elif before and way_out:
            self._news.set()

    # -------------------------------------------------------------------------------------------------------- by hand
    def reset(self, market: MarketId, lane: Lane | None, caller: str, *, again: bool = False) -> Awaitable[int] | None:
        """Close the market's breakers, or one of them. Harmless when repeated.

        Returns what resolves once it is on disk; None where nothing changed, unless it is to be written `again`: the
        disk may not have taken it.
        """
        changes = self.breakers.reset(market, lane, caller, self._clock.now_ns(), again=again)
        return self._take(changes, reserve=True)

    def isolate(self, market: MarketId, lane: Lane, caller: str, *, again: bool = False) -> Awaitable[int] | None:
        """Keep a lane open until it is reset. Harmless when repeated; returns the same."""
        changes = self.breakers.isolate(market, lane, caller, self._clock.now_ns(), again=again)
        return self._take(changes, reserve=True)

    def force_retry(self, market: MarketId, caller: str) -> None:
        """Probe the market's open lanes now. Harmless when repeated."""
        now_ns = self._clock.now_ns()
        self.breakers.force_retry(market, now_ns)
        self._note("breaker.retry", Severity.INFO, market, f"{caller} asked to try again now", now_ns)
        self._news.set()

    # -------------------------------------------------------------------------------------------------------- probing
    async def run(self) -> None:
        """Probe for ever what is due."""
        while True:
            self._news.clear()
            await self._sleep()
            now_ns = self._clock.now_ns()
            await self._probe_ourselves(now_ns)
            self._take(self.breakers.expire(now_ns, self._draw()))
            if (due := self.breakers.due(now_ns)) is not None:
                await self._probe(*due)

    async def _probe(self, market: MarketId, lane: Lane) -> None:
        """Ask for one lane. Its permit is lent when the request may leave: waiting takes nothing of the lease."""
        budget = self._data_budget if lane is Lane.DATA else self._budget
        turn = await budget.acquire(Priority.RECONCILE)
        lease, changes = self.breakers.lend(market, lane, self._clock.now_ns())
        self._take(changes)
        if not lease:  # somebody closed it meanwhile
            budget.not_sent(turn)
        else:
            result = self._result(await self._asked(partial(self._question, market, lane), budget, turn))
            self._take(self.breakers.probed(market, lane, lease, result, self._clock.now_ns()))

    def overdue(self) -> bool:
        """Whether a probe should have been made by now, and the venue did not ask to be left alone."""
        due_ns, now_ns = self._due_ns(), self._clock.now_ns()
        return due_ns is not None and due_ns < now_ns and self._budget.paused_until_ns <= now_ns

    def _due_ns(self) -> int | None:
        return earliest(self.breakers.due_ns(), self._fault.retry_ns or None)

    async def _sleep(self) -> None:
        due_ns = self._due_ns()
        wait_s = None if due_ns is None else max(0.0, (due_ns - self._clock.now_ns()) / SECOND_NS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._news.wait()

    async def _probe_ourselves(self, now_ns: int) -> None:
        """Ask for all markets together whether the way out is there again, where that is due."""
        if not self._fault.there or now_ns < self._fault.retry_ns:
            return
        turn = await self._data_budget.acquire(Priority.RECONCILE)
        error = await self._asked(self._venue.server_time_ns, self._data_budget, turn)
        now_ns = self._clock.now_ns()
        self._fault = self._fault.probed(now_ns, self._draw(), well=not venues_fault(error))
        if self._fault.there:
            return
        self._reachable.set()
        log.info("local_fault.over", venue=self._venue.name)
        self._note("local_fault.over", Severity.WARNING, None, f"{self._venue.name} answers again", now_ns)
        self._closed()
        for market in self._instruments:
            self._changed(market)

    async def _question(self, market: MarketId, lane: Lane) -> None:
        """Ask what changes nothing, takes the way that the lane takes, and counts where the turn was taken."""
        instrument = self._instruments.get(market)
        if lane is not Lane.DATA:
            with contextlib.suppress(PartlyRead):  # the venue has answered
                await self._venue.open_orders()
        elif instrument is None:  # it has left the configuration, and the journal remembers its breaker
            await self._venue.server_time_ns()
        else:
            await self._venue.trades(instrument, 1)

    async def _asked(self, question: Callable[[], Awaitable[object]], budget: Budget, turn: int) -> Exception | None:
        """Return how the question ended, which has that turn of the budget."""
        try:
            async with calling(budget, Priority.RECONCILE, within_s=_PROBE_S, turn=turn):
                await question()
        except Exception as error:  # noqa: BLE001 -- whatever it was: the probe failed
            if isinstance(error, RateLimited):
                budget.pause(error.retry_after_ns)
            return error
        finally:
            self.probes += 1
        return None

    # -------------------------------------------------------------------------------------------------------- private
    def _result(self, error: Exception | None) -> Result:
        if error is None or not venues_fault(error):
            return Result(failure="", draw=0.0)
        after_ns = error.retry_after_ns if isinstance(error, Retryable) else 0
        return Result(failure=words(error), draw=self._draw(), retry_after_ns=after_ns)

    def _fault_begins(self, why: str, now_ns: int) -> None:
        self._reachable.clear()
        self.breakers.forgive(now_ns - WITHIN_NS)
        log.error("local_fault", venue=self._venue.name, why=why)
        self._note("local_fault", Severity.ERROR, None, f"{why}: nothing enters", now_ns)
        self._news.set()
        for market in self._instruments:
            self._changed(market)

    def _take(self, changes: Sequence[BreakerChanged], *, reserve: bool = False) -> Awaitable[int] | None:
        """Journal what changed, say it once, and have the market act on it."""
        if not changes:
            return None
        written = self._journal.append(*changes, reserve=reserve)
        self._news.set()
        for change in changes:
            tell = log.info if change.after is BreakerState.CLOSED else log.warning
            if change.after is not BreakerState.HALF_OPEN:
                tell(
                    f"breaker.{change.after}",
                    market=change.market,
                    lane=change.lane.value,
                    cause=change.cause,
                    trips=change.trips,
                    wait_s=round(max(0, change.until_ns - change.at_ns) / SECOND_NS),
                )
            self._changed(change.market)
        if any(change.after is BreakerState.CLOSED for change in changes):
            self._closed()
        return written

    def _note(self, kind: str, severity: Severity, market: MarketId | None, message: str, now_ns: int) -> None:
        self._journal.append(Noted(kind=kind, severity=severity, market=market, message=message, at_ns=now_ns))
