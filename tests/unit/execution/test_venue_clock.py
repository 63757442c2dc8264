"""The venue's clock as the daemon measures it, on virtual time."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from kangbot.errors import Misstamped, RateLimited, Retryable
from kangbot.execution.budget import Budget
from kangbot.execution.venue_clock import FIRST_SAMPLES, VenueClock
from kangbot.machines.limiter import Window
from kangbot.runtime.world import SECOND_NS, Clock
from tests.support.order_disk import loop
from tests.support.order_story import told
from tests.support.trade_words import START

MS = 1_000_000


class Server:
    """A venue's clock, with a way there and a way back."""

    def __init__(self, clock: Clock, ahead_ns: int) -> None:
        self.clock = clock
        self.ahead_ns = ahead_ns
        self.way_s = 0.02
        self.error: Exception | None = None
        self.hangs = False
        self.asked = 0

    async def time(self) -> int:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.way_s)
        if self.error is not None:
            raise self.error
        answer = self.clock.now_ns() + self.ahead_ns
        await asyncio.sleep(self.way_s)
        return answer


def virtual() -> Clock:
    """Return a clock that shows virtual time."""
    return Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)


def budget(clock: Clock) -> Budget:
    """Return a budget that holds nobody up."""
    return Budget(clock=clock, venue="data", windows=(Window(most=50, span_ns=SECOND_NS),))


async def measured(known: VenueClock, server: Server) -> None:
    """Measure as often as a start does."""
    for _ in range(FIRST_SAMPLES):
        await known.measure(server.time)


async def beside(work: Coroutine[Any, Any, None], story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work` while the story is played."""
    task = asyncio.ensure_future(work)
    await story()
    task.cancel()


@told
async def test_stamps_follow_the_venue() -> None:
    """Before the first answer ours, and no entry; afterwards the venue's, within the uncertainty."""
    clock = virtual()
    server = Server(clock, -90 * SECOND_NS)
    known = VenueClock(clock, most_ns=SECOND_NS)
    assert (known.now_ns(), known.offset_ns, known.estimate) == (clock.now_ns(), 0, None)
    assert known.doubt() == "the venue's clock has not been measured yet"
    await measured(known, server)
    assert known.doubt() == ""
    assert known.offset_ns == -90 * SECOND_NS
    assert known.now_ns() == clock.now_ns() - 90 * SECOND_NS
    assert known.now_ms() == known.now_ns() // MS


@told
async def test_an_offset_that_is_known_too_badly_holds_entries() -> None:
    """Slow answers bound it too widely for the receive window."""
    clock = virtual()
    server = Server(clock, 0)
    server.way_s = 1.5
    known = VenueClock(clock, most_ns=SECOND_NS)
    await measured(known, server)
    assert known.doubt() == "the venue's clock is known to 1.501 s only; the receive window bears 1.000 s"
    server.way_s = 0.1
    await known.measure(server.time)
    assert known.doubt() == ""


@told
async def test_knowledge_that_is_never_renewed_becomes_doubtful() -> None:
    """A venue that does not tell its time for hours."""
    clock = virtual()
    known = VenueClock(clock, most_ns=SECOND_NS)
    await measured(known, Server(clock, 0))
    await asyncio.sleep(3 * 3600)
    assert "is known to 1.1" in known.doubt()


@told
async def test_it_is_measured_every_minute_and_sooner_after_a_failure() -> None:
    """So that a venue whose clock is stepped is followed; errors and hangs end nothing."""
    clock = virtual()
    server = Server(clock, 0)
    known = VenueClock(clock, most_ns=SECOND_NS)

    async def story() -> None:
        await asyncio.sleep(61)
        assert server.asked == 1
        server.ahead_ns = 7 * SECOND_NS
        await asyncio.sleep(61)
        assert known.offset_ns == 7 * SECOND_NS
        server.error = Retryable("no route to host")
        await asyncio.sleep(75)
        assert server.asked >= 4
        server.error, server.hangs = None, True
        await asyncio.sleep(30)
        server.hangs, server.ahead_ns = False, 0
        await asyncio.sleep(30)
        assert known.offset_ns == 0
        asked = server.asked
        await asyncio.sleep(55)
        assert server.asked <= asked + 1

    await beside(known.keep(server.time, budget(clock)), story)


@told
async def test_a_refused_stamp_has_it_measured_at_once_and_holds_entries_until_then() -> None:
    """The venue's clock was set back: what is stamped as before is refused, and not for a minute."""
    clock = virtual()
    server = Server(clock, 0)
    known = VenueClock(clock, most_ns=SECOND_NS)
    await measured(known, server)

    async def story() -> None:
        await asyncio.sleep(10)
        server.ahead_ns = -10 * SECOND_NS
        for ended in (None, Retryable("503")):  # other ends say nothing of the clock
            known.heed(ended)
        assert known.doubt() == ""
        known.heed(Misstamped("10002"))
        known.heed(Misstamped("10002"))
        assert known.doubt() == "the venue refused the time of a request; its clock is being measured again"
        await asyncio.sleep(0.1)
        assert (known.offset_ns, known.doubt()) == (-10 * SECOND_NS, "")
        asked = server.asked
        for _ in range(30):  # what was on its way before is refused as well
            known.heed(Misstamped("10002"))
            await asyncio.sleep(0.1)
        assert asked < server.asked <= asked + 4
        await asyncio.sleep(3)
        assert known.doubt() == ""

    await beside(known.keep(server.time, budget(clock)), story)


@told
async def test_a_measurement_that_began_before_a_stamp_was_refused_says_nothing_of_it() -> None:
    """The clock may have been set between its question and the refusal."""
    clock = virtual()
    server = Server(clock, 0)
    known = VenueClock(clock, most_ns=SECOND_NS)
    await measured(known, server)
    asking = asyncio.ensure_future(known.measure(server.time))
    await asyncio.sleep(0.01)
    known.heed(Misstamped("10002"))
    await asking
    assert known.doubt()
    await known.measure(server.time)
    assert not known.doubt()


@told
async def test_what_is_odd_about_the_clock_is_logged_once() -> None:
    """Ours is far behind, or the venue does not tell, or refuses what we stamp; and once that this is over."""
    clock = virtual()
    server = Server(clock, -90 * SECOND_NS)
    known = VenueClock(clock, most_ns=SECOND_NS)

    async def story() -> None:
        server.error = Retryable("no route to host")
        await asyncio.sleep(75)
        server.error, server.ahead_ns = None, 0
        await asyncio.sleep(10)
        known.heed(Misstamped("10002"))
        known.heed(Misstamped("10002"))

    with capture_logs() as logs:
        await measured(known, server)
        await beside(known.keep(server.time, budget(clock)), story)
    assert [(one["event"], one["log_level"]) for one in logs] == [
        ("clock.far", "warning"),
        ("clock.unanswered", "warning"),
        ("clock.near", "info"),
        ("clock.refused", "warning"),
    ]


@told
async def test_a_venue_that_wants_to_be_left_alone_is_left_alone() -> None:
    """Its Retry-After holds for everybody who asks under that budget, also where it was the clock that asked."""
    clock = virtual()
    server, known, shared = Server(clock, 0), VenueClock(clock, most_ns=SECOND_NS), budget(clock)
    server.error = RateLimited("too many requests", code="10006", retry_after_ns=90 * SECOND_NS)

    async def story() -> None:
        await asyncio.sleep(61)
        assert server.asked == 1
        assert shared.paused_until_ns > clock.now_ns() + 88 * SECOND_NS
        await asyncio.sleep(85)
        assert server.asked == 1
        server.error = None
        await asyncio.sleep(10)
        assert server.asked == 2

    await beside(known.keep(server.time, shared), story)


def test_a_wall_clock_that_is_stepped_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon read it once, at its start: neither its own time nor the venue's moves with it."""
    ticks = [0]
    clock = Clock(monotonic_ns=lambda: ticks[0])
    known = VenueClock(clock, most_ns=SECOND_NS)

    async def ask() -> int:
        return clock.now_ns() + 5 * SECOND_NS

    asyncio.run(known.measure(ask))
    ours_ns, venue_ns = clock.now_ns(), known.now_ns()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3600 * SECOND_NS)
    monkeypatch.setattr(time, "time", lambda: real() / 1e9 - 3600)
    ticks[0] += SECOND_NS
    assert (clock.now_ns() - ours_ns, known.now_ns() - venue_ns) == (SECOND_NS, SECOND_NS)
    asyncio.run(known.measure(ask))
    assert (known.offset_ns, known.doubt()) == (5 * SECOND_NS, "")
