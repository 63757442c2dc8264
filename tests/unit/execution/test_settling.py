"""Until when a venue may accept what was sent: by our clock and by its own, whatever is unsure between them."""

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from kangbot.execution.settling import Settling
from kangbot.execution.venue_clock import VenueClock
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import run
from tests.support.order_disk import loop
from tests.support.trade_words import MARGIN, START, WINDOW

MS = 1_000_000


def measured(ahead_ns: int, there_ms: int, back_ms: int, then: Callable[[Clock, VenueClock], None]) -> None:
    """Measure a clock that is `ahead_ns`, over a way there and another back, and say what was found."""

    async def story() -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        known = VenueClock(clock, most_ns=SECOND_NS)

        async def ask() -> int:
            await asyncio.sleep(there_ms / 1000)
            answer = clock.now_ns() + ahead_ns
            await asyncio.sleep(back_ms / 1000)
            return answer

        await known.measure(ask)
        then(clock, known)

    run(story())


@given(st.integers(-100, 100), st.integers(0, 4_000), st.integers(0, 4_000))
def test_our_clock_waits_until_the_venues_is_past(ahead_s: int, there_ms: int, back_ms: int) -> None:
    """However lopsided the ways were: its true clock has passed the stamp, the window and the margin by then."""
    ahead_ns = ahead_s * SECOND_NS

    def then(clock: Clock, known: VenueClock) -> None:
        settling = Settling(window_ns=WINDOW, margin_ns=MARGIN, venue_clock=known)
        settle_ns = settling.ours_ns(clock.now_ns())
        assert settle_ns + ahead_ns >= known.now_ns() + WINDOW + MARGIN
        assert settle_ns <= clock.now_ns() + WINDOW + MARGIN + (there_ms + back_ms + 2) * MS

    measured(ahead_ns, there_ms, back_ms, then)


def test_the_venues_own_clock_is_a_matter_of_the_stamp() -> None:
    """Exactly: the stamp is what was sent, however wrong it is."""

    def then(clock: Clock, known: VenueClock) -> None:
        settling = Settling(window_ns=WINDOW, margin_ns=MARGIN, venue_clock=known)
        assert settling.venue_ns() == known.now_ns() + WINDOW + MARGIN
        assert settling.venue_ns(later_ns=WINDOW) == known.now_ns() + 2 * WINDOW + MARGIN
        assert known.now_ns() != clock.now_ns()

    measured(90 * SECOND_NS, 10, 30, then)


def test_nothing_is_unsure_where_nothing_was_measured() -> None:
    """The stamp is then our own time."""
    clock = Clock(monotonic_ns=lambda: 0, anchor_ns=START)
    settling = Settling(window_ns=WINDOW, margin_ns=MARGIN, venue_clock=VenueClock(clock, most_ns=SECOND_NS))
    assert settling.ours_ns(START) == settling.venue_ns() == START + WINDOW + MARGIN
