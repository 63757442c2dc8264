"""The time that a strategy takes, judged call by call; a floor that waits for one is in `test_overseer_slow.py`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import getcontext, localcontext

import pytest

from kangbot.machines.slowness import MILLISECOND_NS, SECOND_NS, Bounds
from kangbot.market.overseer import Overseer
from kangbot.model.events import Noted
from kangbot.runtime.alarm import Alarm, OverranError
from tests.support.floor_story import Story, play
from tests.support.trade_words import START

BOUNDS = Bounds(slow_ns=100 * MILLISECOND_NS, block_ns=SECOND_NS, times=3, within_ns=600 * SECOND_NS)


class Watched:
    """An overseer, what it tells, and both of its clocks: the counter of performance and the wall's."""

    def __init__(self, told: Story, bounds: Bounds | None, alarm: Alarm | None) -> None:
        self._told = told
        self.counter_ns = 1
        self.now_ns = START
        self.overseer = Overseer(
            executor=told.task.desk.executor, bounds=bounds, now_ns=lambda: self.now_ns, alarm=alarm
        )

    def ask(self, took_ms: int, answer: int = 7) -> int:
        """Make a call that takes so long."""

        def call(argument: int) -> int:
            self.counter_ns += took_ms * MILLISECOND_NS
            return argument

        return self.overseer.ask(call, answer)

    async def noted(self) -> list[str]:
        """Return what people were told so far."""
        await asyncio.sleep(0.1)
        notes = [event for event in self._told.disk.events if isinstance(event, Noted)]
        return [f"{note.severity.value} {note.kind}: {note.message}" for note in notes]


Watch = Callable[..., None]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Have calls take as long as the test says."""

    def begin(
        story: Callable[[Watched], Awaitable[None]], *, bounds: Bounds | None = BOUNDS, alarm: Alarm | None = None
    ) -> None:
        async def main(told: Story) -> None:
            await told.open()
            watched = Watched(told, bounds, alarm)
            if alarm is None:
                monkeypatch.setattr("kangbot.market.overseer.perf_counter_ns", lambda: watched.counter_ns)
            await story(watched)

        play(main)

    return begin


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """As the daemon's, and in a hurry."""
    made = Alarm(0.05)
    yield made
    made.close()


def test_a_quick_call_is_answered_and_counted(watch: Watch) -> None:
    """The longest is known, and what the turn has spent on the loop."""

    async def story(watched: Watched) -> None:
        assert [watched.ask(took_ms, took_ms) for took_ms in (20, 40, 30)] == [20, 40, 30]
        overseer = watched.overseer
        assert (overseer.longest_ms, overseer.spent_ns) == (40.0, 90 * MILLISECOND_NS)
        assert (overseer.aside, overseer.why, await watched.noted()) == (False, "", [])
        watched.ask(11)
        assert overseer.aside  # many quick calls in one turn are as long as a slow one
        overseer.spent_ns = 0
        assert not overseer.aside

    watch(story)


def test_a_slow_call_is_told_once_and_a_quick_strategy_again(watch: Watch) -> None:
    """To the edge: exactly as long as may be is not slow. In between it is to be asked aside."""

    async def story(watched: Watched) -> None:
        overseer = watched.overseer
        watched.ask(100)
        overseer.spent_ns = 0
        assert not overseer.aside
        for took_ms in (101, 150):
            watched.ask(took_ms)
            overseer.spent_ns = 0
            assert overseer.aside
        slow = "its strategy took 101 ms for a bar: it is asked aside now, and no market waits for it"
        slow = f"warning strategy.slow: {slow}"
        assert await watched.noted() == [slow]
        watched.now_ns += BOUNDS.within_ns
        overseer.judge(1)
        assert not overseer.aside
        quick = "info strategy.quick: its strategy is quick again, and asked on the loop"
        assert await watched.noted() == [slow, quick]

    watch(story)


def test_a_call_that_nobody_can_wait_for_is_a_reason_to_stop(watch: Watch) -> None:
    """Wherever it was made; a start forgives that, and that it was slow, and keeps the bounds."""

    async def story(watched: Watched) -> None:
        overseer = watched.overseer
        overseer.judge(SECOND_NS)
        assert overseer.why == ""
        overseer.judge(SECOND_NS + MILLISECOND_NS)
        assert overseer.why == "its strategy took 1001 ms for a bar; 1000 ms are the most"
        overseer.forgive()
        assert (overseer.why, overseer.aside, overseer.longest_ms, overseer.bounds) == ("", False, 0, BOUNDS)

    watch(story)


def test_a_loop_that_stood_still_for_its_sake_is_told_once_and_in_the_end_a_reason_to_stop(watch: Watch) -> None:
    """As often as may be within the time."""

    async def story(watched: Watched) -> None:
        overseer = watched.overseer
        for _ in range(2):
            overseer.held(300 * MILLISECOND_NS)
            assert overseer.why == ""
        (said,) = await watched.noted()
        assert said.startswith("warning strategy.holds: every market waited 300 ms for its strategy")
        overseer.held(300 * MILLISECOND_NS)
        assert overseer.why.endswith("keeps the interpreter to itself, more than 100 ms 3 times within 600 s")

    watch(story)


def test_a_call_aside_that_does_not_return_is_a_reason_to_stop(watch: Watch) -> None:
    """After the longest that may be, and not at it."""

    async def story(watched: Watched) -> None:
        overseer, began_ns = watched.overseer, watched.counter_ns
        watched.counter_ns += BOUNDS.block_ns
        overseer.overdue(began_ns)
        assert overseer.why == ""
        watched.counter_ns += 1
        overseer.overdue(began_ns)
        assert overseer.why == "its strategy did not return within 1000 ms"

    watch(story)


class LibraryPanic(BaseException):
    """What libraries written in Rust raise where they give up: no `Exception`."""


@pytest.mark.parametrize(
    "raised", [ZeroDivisionError("a fault"), SystemExit(1), asyncio.CancelledError(), LibraryPanic()]
)
def test_what_it_raises_is_a_fall_and_is_measured(watch: Watch, raised: BaseException) -> None:
    """What would end the loop, or pass for the task's cancellation, is an error in words."""

    async def story(watched: Watched) -> None:
        def fail(_argument: int) -> None:
            watched.counter_ns += 150 * MILLISECOND_NS
            raise raised

        expected = type(raised) if isinstance(raised, Exception) else RuntimeError
        with pytest.raises(expected) as caught:
            watched.overseer.ask(fail, 1)
        assert caught.value is raised or str(caught.value).startswith(f"its strategy raised {type(raised).__name__}")
        assert watched.overseer.longest_ms == 150

    watch(story)


@pytest.mark.parametrize("bounds", [BOUNDS, None])
def test_how_it_computes_ends_with_the_call(watch: Watch, bounds: Bounds | None) -> None:
    """Else every sum of every market is rounded to its digits from then on."""

    async def story(watched: Watched) -> None:
        def round_off(_argument: int) -> None:
            getcontext().prec = 4

        with localcontext(prec=28):
            watched.overseer.ask(round_off, 1)
            assert getcontext().prec == 28

    watch(story, bounds=bounds)


def test_without_bounds_everything_may_take_its_time(watch: Watch) -> None:
    """A simulated world has none to measure."""

    async def story(watched: Watched) -> None:
        assert watched.ask(10**6) == 7
        assert (watched.overseer.longest_ms, watched.overseer.spent_ns, watched.overseer.aside) == (0, 0, False)

    watch(story, bounds=None)


def test_with_an_alarm_a_call_that_does_not_return_is_interrupted(watch: Watch, alarm: Alarm) -> None:
    """It is slow by that, and others may be made."""

    async def story(watched: Watched) -> None:
        def spin(_argument: int) -> None:
            while True:
                pass

        with pytest.raises(OverranError):
            watched.overseer.ask(spin, 1)
        assert watched.overseer.longest_ms >= 50
        assert watched.ask(0) == 7

    watch(story, alarm=alarm)
