"""The venue's clock as we measured it: what signs requests, and whether an entry may be signed at all.

A venue refuses what is stamped outside its receive window. So the stamp is our clock, which never steps, plus the
measured offset; and where that is known too badly for the window, no entry leaves, while exits are tried all the same.
A stamp that the venue refuses all the same says that its clock was set: it is measured at once, and holds entries too.
Shell around `machines/offset.py`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from kangbot.errors import KangbotError, Misstamped, RateLimited, words
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.offset import Estimate, Offset, Sample
from kangbot.machines.priority import Priority
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

Ask = Callable[[], Awaitable[int]]  # the venue's time in nanoseconds; raises as `ports.Venue.server_time_ns` does

FIRST_SAMPLES = 5  # before anything is signed
_EVERY_S = 60.0
_AGAIN_S = 5.0  # after a question that failed
_LEAST_S = 1.0  # between two, whatever is refused meanwhile
_TIMEOUT_S = 10.0
_FAR_NS = SECOND_NS  # our own clock is worth a look where it is so far from the venue's
_MILLISECOND_NS = 1_000_000


class VenueClock:
    """One venue's clock. `most_ns`: an offset that may be wrong by more holds entries."""

    def __init__(self, clock: Clock, *, most_ns: int) -> None:
        self._clock = clock
        self._most_ns = most_ns
        self._offset = Offset()
        self._offset_ns = 0
        self._refused_ns = 0  # a stamp of ours was refused last, and nothing was measured since; 0 for not
        self._set = asyncio.Event()  # likely: it is to be measured now
        self._far = False
        self._failing = False

    # -------------------------------------------------------------------------------------------------------- reading
    def now_ns(self) -> int:
        """Return the venue's time; ours before it was measured."""
        return self._clock.now_ns() + self._offset_ns

    def now_ms(self) -> int:
        """Return the same in milliseconds, as requests are stamped."""
        return self.now_ns() // _MILLISECOND_NS

    @property
    def offset_ns(self) -> int:
        """How far the venue's clock is ahead of ours; 0 before it was measured."""
        return self._offset_ns

    @property
    def estimate(self) -> Estimate | None:
        """What is known of the offset at this moment."""
        return self._offset.estimate(self._clock.now_ns())

    @property
    def uncertainty_ns(self) -> int:
        """By how much `offset_ns` may be wrong now; 0 before it was measured, when nothing is known at all."""
        estimate = self.estimate
        return 0 if estimate is None else estimate.uncertainty_ns

    def doubt(self) -> str:
        """Return why no entry may be stamped by it; "" where one may."""
        estimate = self.estimate
        if estimate is None:
            return "the venue's clock has not been measured yet"
        if self._refused_ns:
            return "the venue refused the time of a request; its clock is being measured again"
        if estimate.uncertainty_ns > self._most_ns:
            known, most = _text(estimate.uncertainty_ns), _text(self._most_ns)
            return f"the venue's clock is known to {known} only; the receive window bears {most}"
        return ""

    # ------------------------------------------------------------------------------------------------------ measuring
    def heed(self, error: Exception | None) -> None:
        """Learn how a request ended: a stamp was refused where the venue's clock was set, or the way there was long."""
        if not isinstance(error, Misstamped):
            return
        if not self._refused_ns:
            log.warning("clock.refused", offset_s=round(self._offset_ns / SECOND_NS, 3))
        self._refused_ns = self._clock.now_ns()
        self._set.set()

    async def measure(self, ask: Ask) -> None:
        """Put one question, and learn from the answer. Raises what the question raises."""
        sent_ns = self._clock.now_ns()
        server_ns = await ask()
        received_ns = self._clock.now_ns()
        self._offset = self._offset.taken(Sample(sent_ns=sent_ns, received_ns=received_ns, server_ns=server_ns))
        estimate = self._offset.estimate(received_ns)
        assert estimate is not None  # a sample was just taken
        self._offset_ns = estimate.offset_ns
        if 0 < self._refused_ns <= sent_ns:
            self._refused_ns = 0
            log.info("clock.measured", offset_s=round(estimate.offset_ns / SECOND_NS, 3))
        self._tell(estimate)

    async def keep(self, ask: Ask, budget: Budget) -> None:
        """Measure every minute, for ever; sooner where a question failed, at once where a stamp was refused."""
        while True:
            await asyncio.sleep(_LEAST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout((_AGAIN_S if self._failing else _EVERY_S) - _LEAST_S):
                    await self._set.wait()
            self._set.clear()
            try:
                async with calling(budget, Priority.DATA, within_s=_TIMEOUT_S):
                    await self.measure(ask)
            except (KangbotError, TimeoutError) as error:
                if isinstance(error, RateLimited):
                    budget.pause(error.retry_after_ns)
                if not self._failing:
                    log.warning("clock.unanswered", error=words(error))
                self._failing = True
            else:
                self._failing = False

    def _tell(self, estimate: Estimate) -> None:
        """Log that the clocks are far apart, once, and that they are near again."""
        far = abs(estimate.offset_ns) > _FAR_NS
        if far != self._far:
            said = log.warning if far else log.info
            said(
                "clock.far" if far else "clock.near",
                offset_s=round(estimate.offset_ns / SECOND_NS, 3),
                uncertainty_s=round(estimate.uncertainty_ns / SECOND_NS, 3),
            )
        self._far = far


def _text(duration_ns: int) -> str:
    return f"{duration_ns / SECOND_NS:.3f} s"
