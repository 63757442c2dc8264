"""Whether the loop stands still for the sake of a call aside."""

import asyncio
from collections.abc import Callable

import pytest

from kangbot.market.standstill import Standstill
from kangbot.runtime.aside import Aside

SPAN_NS = 20_000_000


class Thread(Aside):
    """A thread that has computed as long as the test says."""

    used_ns = 0

    def computed_ns(self) -> int:
        """Return what the test says."""
        return self.used_ns


class Hands:
    """The counter of performance, which the test turns on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 0
        monkeypatch.setattr("kangbot.market.standstill.perf_counter_ns", lambda: self.now_ns)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """Return the hands of the counter."""
    return Hands(monkeypatch)


async def rung(happened: Callable[[], bool]) -> None:
    """Wait for the timer; the machine may be busy."""
    async with asyncio.timeout(120):
        while not happened():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("late_ns", "computed_ns", "found"),
    [
        (SPAN_NS + 1, SPAN_NS + 1, [SPAN_NS + 1]),
        (SPAN_NS, 10 * SPAN_NS, []),  # no later than a span: the loop's own affair
        (10 * SPAN_NS, SPAN_NS, []),  # the machine is busy, and the call waited as the loop did
        (0, 10 * SPAN_NS, []),
    ],
)
async def test_a_loop_that_is_late_is_held_against_a_call_that_computed_meanwhile(
    hands: Hands, late_ns: int, computed_ns: int, found: list[int]
) -> None:
    """Both for longer than a span."""
    thread, told = Thread("test"), list[int]()
    thread.used_ns = 5 * SPAN_NS  # what it took before is no matter
    watching = Standstill(thread, SPAN_NS, told.append)
    hands.now_ns += SPAN_NS + late_ns
    thread.used_ns += computed_ns
    watching.end()
    assert told == found
    thread.leave()


async def test_it_looks_once_in_a_span_and_each_time_at_that_alone(hands: Hands) -> None:
    """What was late before is not late again."""
    thread, told = Thread("test"), list[int]()
    watching = Standstill(thread, SPAN_NS, told.append)
    for number in (1, 2):
        hands.now_ns += 3 * SPAN_NS
        thread.used_ns += 3 * SPAN_NS
        await rung(lambda: len(told) == number)  # noqa: B023 -- in this turn of the loop
    await asyncio.sleep(3 * SPAN_NS / 1e9)
    watching.end()
    assert told == [2 * SPAN_NS] * 2
    thread.leave()


async def test_after_its_end_it_looks_no_more(hands: Hands) -> None:
    """Whatever the loop does then is no matter of a call that has ended."""
    thread, told = Thread("test"), list[int]()
    Standstill(thread, SPAN_NS, told.append).end()
    hands.now_ns += 10 * SPAN_NS
    thread.used_ns += 10 * SPAN_NS
    await asyncio.sleep(3 * SPAN_NS / 1e9)
    assert told == []
    thread.leave()


async def test_a_library_that_keeps_the_interpreter_is_found() -> None:
    """A real one, on a real thread: one call into C."""
    thread, told, ended = Aside("test"), list[int](), list[int]()

    def compute() -> None:
        sum(range(20_000_000))
        thread.tell(ended.append, 1)

    watching = Standstill(thread, SPAN_NS, told.append)
    thread.post(compute)
    await rung(lambda: bool(ended))
    watching.end()
    assert told
    thread.leave()
