"""One request budget a venue account."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from kangbot.errors import Ambiguous, KangbotError, NotFound, RateLimited
from kangbot.execution.budget import TRANSIT_NS, Budget, remembered_budget
from kangbot.machines.limiter import Window
from kangbot.machines.pauses import Pauses
from kangbot.machines.priority import Priority
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import VirtualLoop, run
from tests.support.order_disk import Disk
from tests.support.order_story import Leaps


class Rig:
    """A budget of ten requests a second on virtual time, and who left when."""

    def __init__(self, most: int = 10, transit_ns: int = 0) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = Clock(monotonic_ns=lambda: loop.now_ns, anchor_ns=0)
        windows = (Window(most=most, span_ns=SECOND_NS),)
        self.budget = Budget(clock=self.clock, venue="bybit", windows=windows, transit_ns=transit_ns)
        self.left: list[tuple[str, float]] = []

    async def request(self, name: str, priority: Priority) -> None:
        """Wait for a turn, and leave."""
        await self.budget.acquire(priority)
        self.left.append((name, self.clock.now_ns() / SECOND_NS))

    def begin(self, name: str, priority: Priority) -> asyncio.Task[None]:
        """Request in the background."""
        return asyncio.create_task(self.request(name, priority))

    async def fill(self) -> None:
        """Use up the window."""
        for _ in range(10):
            await self.request("filler", Priority.CANCEL_EXIT)
        self.left.clear()


def test_what_may_leave_leaves_at_once() -> None:
    """Without a turn of the loop."""

    async def main() -> None:
        rig = Rig()
        waiting = rig.budget.acquire(Priority.ENTRY)
        with pytest.raises(StopIteration):
            waiting.send(None)
        assert rig.budget.waiting == 0

    run(main())


def test_who_came_first_goes_first_where_the_timer_is_late() -> None:
    """A busy loop: the window is open again, and nobody has told the one who waits."""

    async def main() -> None:
        rig, leaps = Rig(), Leaps()
        rig.clock = Clock(monotonic_ns=leaps, anchor_ns=0)
        rig.budget = Budget(clock=rig.clock, venue="bybit", windows=(Window(most=1, span_ns=SECOND_NS),))
        await rig.budget.acquire(Priority.CANCEL_EXIT)
        first = rig.begin("first", Priority.ENTRY)
        await asyncio.sleep(0)
        leaps.ahead_ns = SECOND_NS
        await asyncio.gather(first, rig.begin("second", Priority.ENTRY))
        assert [name for name, _ in rig.left] == ["first", "second"]

    run(main())


WAYS = st.tuples(st.integers(0, 999), st.integers(0, 999), st.integers(0, 1500))  # until it leaves, there and back, ms


@given(st.lists(WAYS, min_size=11, max_size=40))
def test_no_second_at_the_venue_holds_more_whatever_the_way_takes(ways: list[tuple[int, int, int]]) -> None:
    """A venue counts what arrives: dialled connections and a busy machine bunch what left a second apart."""

    async def main() -> None:
        rig, arrived = Rig(most=3, transit_ns=TRANSIT_NS), list[int]()

        async def request(there_ms: int, back_ms: int) -> None:
            turn = await rig.budget.acquire(Priority.CANCEL_EXIT)
            with rig.budget.under_way(turn):
                await asyncio.sleep(there_ms / 1000)
                arrived.append(rig.clock.now_ns())
                await asyncio.sleep(back_ms / 1000)

        async with asyncio.TaskGroup() as group:
            for later_ms, there_ms, back_ms in ways:
                await asyncio.sleep(later_ms / 5000)
                group.create_task(request(there_ms, back_ms))
        assert len(arrived) == len(ways)
        for at_ns in arrived:
            assert sum(at_ns <= other < at_ns + SECOND_NS for other in arrived) <= 3

    run(main())


@pytest.mark.parametrize(
    ("error", "free_s"),
    [
        (None, 1.2),
        (NotFound("no such order", code="110001"), 1.2),  # who refuses has counted it
        (RateLimited("too many visits", code="10006"), 2.0),  # a pause follows
        (Ambiguous("the connection broke"), 2.0),  # it may still wander about
        (TimeoutError(), 2.0),
    ],
)
def test_a_request_counts_from_its_answer(error: Exception | None, free_s: float) -> None:
    """Where nobody answers it counts as if it had come a second late: a venue that hangs holds no exit for longer."""

    async def main() -> None:
        rig = Rig(most=1, transit_ns=TRANSIT_NS)
        turn = await rig.budget.acquire(Priority.CANCEL_EXIT)
        waiting = rig.begin("next", Priority.CANCEL_EXIT)
        with contextlib.suppress(KangbotError, TimeoutError), rig.budget.under_way(turn):
            await asyncio.sleep(0.2)
            if error is not None:
                raise error
        await waiting
        assert rig.left == [("next", free_s)]

    run(main())


def test_an_answer_that_comes_late_makes_nobody_wait_longer() -> None:
    """The request had been counted as arrived by then."""

    async def main() -> None:
        rig = Rig(most=1, transit_ns=TRANSIT_NS)
        turn = await rig.budget.acquire(Priority.CANCEL_EXIT)
        with rig.budget.under_way(turn):
            await asyncio.sleep(1.7)
        await rig.request("next", Priority.CANCEL_EXIT)
        assert rig.left == [("next", 2.0)]

    run(main())


def test_a_request_that_stays_here_gives_its_turn_to_the_next() -> None:
    """At once: nothing of it will ever arrive."""

    async def main() -> None:
        rig = Rig(most=1, transit_ns=TRANSIT_NS)
        turn = await rig.budget.acquire(Priority.ENTRY)
        waiting = rig.begin("next", Priority.DATA)
        await asyncio.sleep(0.1)
        rig.budget.not_sent(turn)
        await waiting
        assert rig.left == [("next", 0.1)]

    run(main())


@pytest.mark.parametrize("most", [2, 3, 10])
@pytest.mark.parametrize("way_s", [0.0, 0.08, 0.3])
def test_what_follows_an_entry_waits_for_nothing_however_many_enter_at_once(most: int, way_s: float) -> None:
    """Each leaves with a place for its stop, and the stop finds it."""

    async def main() -> None:
        rig, waited = Rig(most=most, transit_ns=TRANSIT_NS), list[float]()

        async def enter(name: str) -> None:
            turn = await rig.budget.acquire(Priority.ENTRY, keep=name)
            with rig.budget.under_way(turn):
                await asyncio.sleep(way_s)
            rig.budget.follows(name)
            filled_ns = rig.clock.now_ns()
            turn = await rig.budget.acquire(Priority.CANCEL_EXIT)
            rig.budget.freed(name)
            waited.append((rig.clock.now_ns() - filled_ns) / SECOND_NS)
            with rig.budget.under_way(turn):
                await asyncio.sleep(way_s)

        async with asyncio.TaskGroup() as group:
            for number in range(27):
                group.create_task(enter(str(number)))
                group.create_task(rig.request("candles", Priority.DATA))
        assert waited == [0.0] * 27

    run(main())


def test_a_window_of_one_has_no_place_to_keep() -> None:
    """The entry leaves alone, and the stop a second later, before the next entry."""

    async def main() -> None:
        rig = Rig(most=1)
        await rig.budget.acquire(Priority.ENTRY, keep="one")
        entry = asyncio.create_task(rig.budget.acquire(Priority.ENTRY, keep="two"))
        stop = rig.begin("stop", Priority.CANCEL_EXIT)
        await asyncio.gather(entry, stop)
        assert (rig.left, rig.clock.now_ns()) == ([("stop", 1.0)], 2 * SECOND_NS)

    run(main())


def test_an_exit_takes_a_place_that_is_kept_for_another_rather_than_wait() -> None:
    """Nobody else does: the candles wait for what is kept, too."""

    async def main() -> None:
        rig = Rig(most=2)
        await rig.budget.acquire(Priority.ENTRY, keep="one")
        candles = rig.begin("candles", Priority.DATA)
        await rig.request("exit", Priority.CANCEL_EXIT)
        assert rig.left == [("exit", 0.0)]
        await candles
        assert rig.left[1:] == [("candles", 1.0)]

    run(main())


@pytest.mark.parametrize(("answered", "free_s"), [(True, 1.2), (False, 2.0)])
def test_a_place_is_kept_for_a_second_from_the_answer(answered: bool, free_s: float) -> None:
    """An entry may rest, or come to nothing. Where nobody answers, the second begins when the answer is overdue."""

    async def main() -> None:
        rig = Rig(most=2, transit_ns=TRANSIT_NS)
        turn = await rig.budget.acquire(Priority.ENTRY, keep="one")
        rig.budget.not_sent(turn)
        waiting = asyncio.create_task(rig.budget.acquire(Priority.ENTRY, keep="two"))
        await asyncio.sleep(0.2)
        rig.budget.follows("one" if answered else "another")
        await waiting
        assert rig.clock.now_ns() == free_s * SECOND_NS, "of the window itself both places were free all the time"

    run(main())


def test_a_place_that_is_kept_again_is_one_place() -> None:
    """The same order may be sent once more. What is freed goes to the next at once."""

    async def main() -> None:
        rig = Rig(most=4, transit_ns=TRANSIT_NS)
        for _ in range(2):
            await rig.budget.acquire(Priority.ENTRY, keep="one")
        waiting = asyncio.create_task(rig.budget.acquire(Priority.ENTRY, keep="two"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        rig.budget.freed("one")
        assert await waiting == SECOND_NS // 10 + TRANSIT_NS

    run(main())


def test_a_wait_that_is_cancelled_as_its_turn_comes_keeps_no_place() -> None:
    """Both are free for the next."""

    async def main() -> None:
        rig = Rig(most=2)
        turn = await rig.budget.acquire(Priority.CANCEL_EXIT)
        entry = asyncio.create_task(rig.budget.acquire(Priority.ENTRY, keep="one"))
        await asyncio.sleep(0)
        rig.budget.not_sent(turn)
        entry.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await entry
        await rig.budget.acquire(Priority.ENTRY, keep="two")
        assert rig.clock.now_ns() == 0

    run(main())


def test_the_urgent_goes_first_and_equals_in_order() -> None:
    """Whoever came when."""

    async def main() -> None:
        rig = Rig()
        await rig.fill()
        kinds = (Priority.DATA, Priority.ENTRY, Priority.RECONCILE, Priority.CANCEL_EXIT, Priority.ENTRY)
        tasks = [rig.begin(f"{kind.name} {index}", kind) for index, kind in enumerate(kinds)]
        await asyncio.sleep(0)
        assert rig.budget.waiting == 5
        for task in tasks:
            await task
        assert rig.left == [
            ("CANCEL_EXIT 3", 1.0),
            ("RECONCILE 2", 1.0),
            ("ENTRY 1", 1.0),
            ("ENTRY 4", 1.0),
            ("DATA 0", 1.0),
        ]

    run(main())


def test_an_exit_does_not_wait_behind_data_that_leaves_room_for_it() -> None:
    """Seven entries are on their way: data waits, an exit goes."""

    async def main() -> None:
        rig = Rig()
        for _ in range(7):
            await rig.request("entry", Priority.ENTRY)
        data = rig.begin("data", Priority.DATA)
        await asyncio.sleep(0.1)
        await rig.request("exit", Priority.CANCEL_EXIT)
        await data
        assert rig.left[-2:] == [("exit", 0.1), ("data", 1.0)]

    run(main())


def test_a_pause_holds_everybody_to_the_second() -> None:
    """Also those who wait already; a pause of nothing is none."""

    async def main() -> None:
        rig = Rig()
        rig.budget.pause(0)
        assert rig.budget.paused_until_ns == 0
        rig.budget.pause(3 * SECOND_NS)
        tasks = [rig.begin(kind.name, kind) for kind in reversed(Priority)]
        await asyncio.sleep(1)
        rig.budget.pause(4 * SECOND_NS)
        for task in tasks:
            await task
        assert rig.left == [(kind.name, 5.0) for kind in Priority]
        assert rig.budget.paused_until_ns == 5 * SECOND_NS

    run(main())


def test_a_cancelled_wait_gives_its_place_back() -> None:
    """The next one goes as if it had never been."""

    async def main() -> None:
        rig = Rig(most=1)
        await rig.request("first", Priority.CANCEL_EXIT)
        gone, stays = rig.begin("gone", Priority.CANCEL_EXIT), rig.begin("stays", Priority.DATA)
        await asyncio.sleep(0.5)
        gone.cancel()
        await stays
        assert rig.left == [("first", 0.0), ("stays", 1.0)]
        with pytest.raises(asyncio.CancelledError):
            await gone

    run(main())


def test_a_turn_that_came_in_the_moment_of_the_cancellation_is_given_back() -> None:
    """Not lost: the next one has it at once."""

    async def main() -> None:
        rig = Rig(most=1)
        await rig.request("first", Priority.CANCEL_EXIT)
        gone = rig.begin("gone", Priority.CANCEL_EXIT)
        await asyncio.sleep(0.5)
        asyncio.get_running_loop().call_at(1.0, gone.cancel)  # armed after the budget's timer: the turn is given first
        await asyncio.sleep(0.5)
        await asyncio.sleep(0.1)
        assert gone.cancelled()
        await rig.request("next", Priority.CANCEL_EXIT)
        assert rig.left == [("first", 0.0), ("next", 1.1)]

    run(main())


def test_a_ban_of_the_address_holds_for_the_budget_beside_it() -> None:
    """A long pause is shared both ways, a short one is the endpoint's own; the same ban is told once."""

    async def main() -> None:
        rig, other = Rig(), Rig()
        rig.budget.stand_beside(other.budget)
        rig.budget.pause(SECOND_NS)
        assert other.budget.paused_until_ns == 0
        assert (rig.budget.banned, other.budget.banned) == ("", "")
        with capture_logs() as said:
            other.budget.pause(120 * SECOND_NS)
            other.budget.pause(120 * SECOND_NS)
        assert rig.budget.paused_until_ns == other.budget.paused_until_ns == 120 * SECOND_NS
        assert [line["event"] for line in said] == ["budget.paused", "budget.paused"]
        assert "until 1970-01-01 00:02:00 UTC" in rig.budget.banned
        assert rig.budget.banned == other.budget.banned
        await rig.request("after", Priority.CANCEL_EXIT)
        assert rig.left == [("after", 120.0)]

    run(main())


def test_pauses_without_end_are_one_line_and_one_when_they_are_over() -> None:
    """A venue that tells no time means a second, each second; one that is twice as long is said too."""

    async def main() -> None:
        rig = Rig()
        with capture_logs() as said:
            for _ in range(60):
                rig.budget.pause(SECOND_NS)
                await asyncio.sleep(1.5)
            rig.budget.pause(30 * SECOND_NS)
            assert [(line["event"], line["for_s"]) for line in said] == [("budget.paused", 1), ("budget.paused", 30)]
            await asyncio.sleep(39)
            assert len(said) == 2
            await asyncio.sleep(2)
            over = said[2]
            assert (over["event"], over["pauses"], over["lasted_s"]) == ("budget.resumed", 61, 120)
            rig.budget.pause(SECOND_NS)
        assert said[3]["event"] == "budget.paused"

    run(main())


def test_a_ban_is_told_to_whoever_keeps_it() -> None:
    """Once for a ban that many requests hear of, each with a little less of it left; not for a second's throttle."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock, kept = Clock(monotonic_ns=lambda: loop.now_ns, anchor_ns=0), list[int]()
        window = Window(most=10, span_ns=SECOND_NS)
        budget = Budget(clock=clock, venue="bybit", windows=(window,), keep=kept.append)
        budget.pause(SECOND_NS)
        budget.pause(600 * SECOND_NS)
        await asyncio.sleep(1)
        budget.pause(599 * SECOND_NS)
        assert kept == [600 * SECOND_NS]
        budget.pause(700 * SECOND_NS)
        assert kept == [600 * SECOND_NS, 701 * SECOND_NS]

    run(main())


def test_a_ban_is_told_to_whoever_else_dials() -> None:
    """A limit that resets within seconds is not."""

    async def main() -> None:
        rig, told = Rig(), list[int]()
        rig.budget.on_ban(told.append)
        rig.budget.pause(2 * SECOND_NS)
        rig.budget.pause(120 * SECOND_NS)
        assert told == [120 * SECOND_NS]

    run(main())


def test_a_ban_of_an_earlier_life_is_obeyed_to_its_end() -> None:
    """Nothing leaves before, and nothing is told of it again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock, kept = Clock(monotonic_ns=lambda: loop.now_ns, anchor_ns=0), list[int]()
        window = Window(most=10, span_ns=SECOND_NS)
        budget = Budget(clock=clock, venue="bybit", windows=(window,), paused_ns=30 * SECOND_NS, keep=kept.append)
        assert (
            budget.banned
            == "it wants to be left alone until 1970-01-01 00:00:30 UTC, and a restart does not shorten that"
        )
        told, after = list[int](), list[int]()
        budget.on_ban(told.append)  # a stream's dial counts as much as a request
        assert told == [30 * SECOND_NS]
        await budget.acquire(Priority.CANCEL_EXIT)
        assert loop.now_ns == 30 * SECOND_NS
        budget.on_ban(after.append)
        budget.pause(SECOND_NS)
        assert (kept, budget.banned, after) == ([], "", [])

    run(main())


def test_a_pause_is_journalled_and_holds_in_the_next_life() -> None:
    """For what is left of it by then; another budget's is not its own."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock, disk, pauses = Clock(monotonic_ns=lambda: loop.now_ns, anchor_ns=0), Disk(), Pauses()
        windows = (Window(most=10, span_ns=SECOND_NS),)
        first = remembered_budget(clock=clock, venue="bybit data", windows=windows, journal=disk, pauses=pauses)
        disk.full = True  # which must not forget a ban
        first.pause(60 * SECOND_NS)
        await asyncio.sleep(20)
        for event in disk.events:
            pauses.observe(event)
        for venue, rests_ns in (("bybit data", 40 * SECOND_NS), ("bybit account", 0)):
            began_ns = loop.now_ns
            next_one = remembered_budget(clock=clock, venue=venue, windows=windows, journal=disk, pauses=pauses)
            await next_one.acquire(Priority.CANCEL_EXIT)
            assert loop.now_ns - began_ns == rests_ns

    run(main())
