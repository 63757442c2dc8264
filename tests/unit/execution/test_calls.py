"""One call of a venue may take many requests: each waits for its turn, and the venue's time is what is measured."""

import asyncio
import contextlib

import pytest

from kangbot.errors import Ambiguous, KangbotError, NotFound
from kangbot.execution.budget import TRANSIT_NS, Budget
from kangbot.execution.calls import calling, turn
from kangbot.machines.limiter import Window
from kangbot.machines.priority import Priority
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import run
from tests.support.order_disk import loop


class Rig:
    """A venue that takes `takes_s` for an answer, a budget of `most` a second, and when which request left."""

    def __init__(self, most: int, *, takes_s: float = 0.0, transit_ns: int = 0) -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=0)
        windows = (Window(most=most, span_ns=SECOND_NS),)
        self.budget = Budget(clock=clock, venue="bybit", windows=windows, transit_ns=transit_ns)
        self.left: list[tuple[str, float]] = []
        self._takes_s = takes_s

    async def ask(self, name: str, *, error: KangbotError | None = None) -> None:
        """Make one request, as an adapter does."""
        async with turn():
            self.left.append((name, loop().time()))
            await asyncio.sleep(self._takes_s)
            if error is not None:
                raise error

    async def call(self, name: str, requests: int, priority: Priority, within_s: float = 5.0) -> None:
        """Call it: so many requests, one after the other."""
        async with calling(self.budget, priority, within_s=within_s):
            for _ in range(requests):
                await self.ask(name)


def test_each_request_of_a_call_has_a_place_of_its_own() -> None:
    """A log of many pages is no more at a time than anything else."""

    async def main() -> None:
        rig = Rig(most=5)
        await rig.call("page", 12, Priority.DATA)  # who leaves 2 of 5 to the others
        assert [at_s for _, at_s in rig.left] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3

    run(main())


def test_what_is_more_urgent_leaves_between_two_requests_of_a_call() -> None:
    """An exit has the room that is left free for it, whatever else is being asked for."""

    async def main() -> None:
        rig = Rig(most=5)
        pages = asyncio.create_task(rig.call("page", 6, Priority.DATA))
        await asyncio.sleep(0.5)
        await rig.call("exit", 2, Priority.CANCEL_EXIT)
        await pages
        assert rig.left == [("page", 0)] * 3 + [("exit", 0.5)] * 2 + [("page", 1)] + [("page", 1.5)] * 2

    run(main())


def test_a_call_that_has_begun_goes_on_before_others_begin() -> None:
    """Else the settings of many markets would leave by endpoint, and venues count by endpoint too."""

    async def main() -> None:
        rig = Rig(most=2, takes_s=0.01)
        calls = ("exit", Priority.CANCEL_EXIT), ("one", Priority.ENTRY), ("two", Priority.ENTRY)
        async with asyncio.TaskGroup() as group:
            for name, priority in calls:
                group.create_task(rig.call(name, 2, priority))
        assert [name for name, _ in rig.left] == ["exit", "one", "exit", "one", "two", "two"]

    run(main())


def test_calls_beside_each_other_wait_for_no_place_that_one_of_them_has() -> None:
    """A place is free again by time alone: as many calls as there are places, and each of them wants more."""

    async def main() -> None:
        rig = Rig(most=2, takes_s=0.01, transit_ns=TRANSIT_NS)
        await asyncio.gather(*(rig.call(str(number), 3, Priority.CANCEL_EXIT) for number in range(4)))
        assert len(rig.left) == 12
        assert loop().time() < 7

    run(main())


def test_a_wait_for_a_turn_is_not_the_venues_slowness() -> None:
    """Three requests of 0.4 s, a second between them, are within 1.3 s; a fourth would not be."""

    async def main() -> None:
        await Rig(most=1, takes_s=0.4).call("page", 3, Priority.CANCEL_EXIT, within_s=1.3)
        assert loop().time() == pytest.approx(2.4)
        rig = Rig(most=1, takes_s=0.4)
        with pytest.raises(TimeoutError):
            await rig.call("page", 4, Priority.CANCEL_EXIT, within_s=1.3)
        assert len(rig.left) == 4

    run(main())


@pytest.mark.parametrize(("takes_s", "whole"), [(0.4, True), (1.4, False)])
def test_each_page_of_an_answer_has_the_time_for_itself(takes_s: float, *, whole: bool) -> None:
    """However many there are, and the waits between them still do not count; one that does not come ends it."""

    async def main() -> None:
        rig, pages = Rig(most=1, takes_s=takes_s), list[float]()
        with contextlib.nullcontext() if whole else pytest.raises(TimeoutError):
            async with calling(
                rig.budget, Priority.CANCEL_EXIT, within_s=1.3, page=lambda: pages.append(loop().time())
            ):
                for _ in range(9):
                    await rig.ask("page")
        assert pages == ([1, 2, 3, 4, 5, 6, 7, 8] if whole else [])
        assert loop().time() == pytest.approx(8.4 if whole else 1.3)

    run(main())


def test_the_first_request_takes_the_turn_that_its_caller_has() -> None:
    """Who notes that an order leaves has its turn before."""

    async def main() -> None:
        rig = Rig(most=1)
        first = await rig.budget.acquire(Priority.ENTRY)
        async with calling(rig.budget, Priority.ENTRY, within_s=1.0, turn=first):
            await rig.ask("order")
        assert rig.left == [("order", 0)]

    run(main())


@pytest.mark.parametrize(
    ("error", "free_s"), [(None, 1.2), (NotFound("no such order", code="110001"), 1.2), (Ambiguous("broke"), 2.0)]
)
@pytest.mark.parametrize("asks", [True, False])
def test_a_request_counts_from_its_answer(error: KangbotError | None, free_s: float, *, asks: bool) -> None:
    """Of an adapter that asks for no turn, a simulated account's, the call counts as one request."""

    async def main() -> None:
        rig = Rig(most=1, takes_s=0.2, transit_ns=TRANSIT_NS)
        with contextlib.suppress(KangbotError):
            async with calling(rig.budget, Priority.CANCEL_EXIT, within_s=1.0):
                if asks:
                    await rig.ask("order", error=error)
                else:
                    await asyncio.sleep(0.2)
                    if error is not None:
                        raise error
        await rig.budget.acquire(Priority.CANCEL_EXIT)
        assert loop().time() == pytest.approx(free_s)

    run(main())


def test_a_call_that_is_cancelled_while_it_waits_holds_no_place() -> None:
    """Whoever comes after it goes when it would have."""

    async def main() -> None:
        rig = Rig(most=1)
        call = asyncio.create_task(rig.call("page", 2, Priority.CANCEL_EXIT))
        await asyncio.sleep(0.5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await rig.call("exit", 1, Priority.CANCEL_EXIT)
        assert rig.left == [("page", 0), ("exit", 1)]

    run(main())


def test_nothing_is_asked_past_all_budgets() -> None:
    """Neither before a call nor after it: it would count at the venue all the same."""

    async def main() -> None:
        rig = Rig(most=9)
        with pytest.raises(LookupError):
            await rig.ask("page")
        await rig.call("page", 1, Priority.DATA)
        with pytest.raises(LookupError):
            await rig.ask("page")
        assert len(rig.left) == 1

    run(main())
