"""The way to the simulated venue and back, one fault at a time, in virtual time."""

import asyncio
import random
from collections.abc import Callable, Coroutine

import pytest

from kangbot.errors import Ambiguous, KangbotError, Misstamped, NotFound, RateLimited, Retryable
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.loop import VirtualLoop, run
from kangbot.sim.world.network import Network, Stamp

_TIMEOUT_S = 6.0
_WINDOW_NS = 5_000_000_000


class World:
    """A venue that counts what reaches it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        self.done: list[int] = []  # when, in ns
        self.ahead_ns = 0  # of the venue's clock
        self.refusal: KangbotError | None = None
        self.faults = Faults(random.Random(7))
        self.network = Network(
            faults=self.faults,
            venue_now_ns=lambda: loop.now_ns + self.ahead_ns,
            served=lambda: None,
            timeout_s=_TIMEOUT_S,
        )

    def act(self) -> str:
        self.done.append(self.loop.now_ns)
        if self.refusal is not None:
            raise self.refusal
        return "done"

    async def send(self, *, changes: bool = True, until_ns: int | None = None) -> str:
        stamp = None if until_ns is None else Stamp(until_ns - _WINDOW_NS, until_ns)
        return await self.network.send(self.act, changes=changes, stamp=stamp)


def play(story: Callable[[World], Coroutine[None, None, None]]) -> None:
    """Run the story on virtual time."""

    async def main() -> None:
        await story(World())

    run(main())


def test_a_request_arrives_and_its_answer_comes_back() -> None:
    """Neither of them at once."""

    async def story(world: World) -> None:
        assert await world.send() == "done"
        assert 0 < world.done[0] < world.loop.now_ns < 100_000_000

    play(story)


def test_what_the_venue_refuses_is_raised_where_it_was_asked() -> None:
    """The error is the venue's own."""

    async def story(world: World) -> None:
        world.refusal = NotFound("no such order", code="unknown_order")
        with pytest.raises(NotFound, match="no such order"):
            await world.send()

    play(story)


@pytest.mark.parametrize(
    ("kind", "arrives"),
    [(Kind.LOSS, False), (Kind.LOST_ANSWER, True), (Kind.HALF_OPEN, True)],
)
def test_a_caller_without_an_answer_gives_up_and_knows_nothing(kind: Kind, arrives: bool) -> None:
    """Whether it happened cannot be told from the outside: a change is ambiguous, a question may be asked again."""

    async def story(world: World) -> None:
        world.faults.begin(kind, 1.0)
        with pytest.raises(Ambiguous):
            await world.send(changes=True)
        assert world.loop.time() == pytest.approx(_TIMEOUT_S)
        assert len(world.done) == arrives
        with pytest.raises(Retryable):
            await world.send(changes=False)
        assert world.faults.counts[kind] >= 2

    play(story)


def test_a_partition_refuses_connections_or_swallows_them_and_nothing_arrives() -> None:
    """Both are common; only the first is proof that nothing left."""

    async def story(world: World) -> None:
        world.faults.begin(Kind.PARTITION, 1.0)
        said: set[type[KangbotError]] = set()
        for _ in range(20):
            try:
                await world.send()
            except KangbotError as error:
                said.add(type(error))
        assert said == {Retryable, Ambiguous}
        assert not world.done

    play(story)


def test_a_broken_connection_is_told_at_once_and_the_request_may_arrive_later() -> None:
    """Which is why an error is never evidence of absence."""

    async def story(world: World) -> None:
        world.faults.begin(Kind.RESET, 1.0)
        for _ in range(20):
            with pytest.raises(Ambiguous):
                await world.send()
        told_ns = world.loop.now_ns
        await asyncio.sleep(10)
        assert 0 < len(world.done) < 20
        assert max(world.done) > told_ns

    play(story)


def test_the_venue_refuses_what_comes_after_its_receive_window() -> None:
    """By a definitive code: it did not happen. Under the same stamp it never will."""

    async def story(world: World) -> None:
        with pytest.raises(Misstamped) as refused:
            await world.send(until_ns=0)
        assert refused.value.code == "window"
        with pytest.raises(Misstamped):
            await world.send(changes=False, until_ns=0)
        assert not world.done

    play(story)


def test_the_venue_refuses_a_stamp_that_is_ahead_of_its_clock() -> None:
    """By more than a second: its clock was set back, and what is stamped as before comes too early."""

    async def story(world: World) -> None:
        world.ahead_ns = 60_000_000_000
        until_ns = world.loop.now_ns + world.ahead_ns + _WINDOW_NS
        assert await world.send(until_ns=until_ns + 1_000_000_000) == "done"
        world.ahead_ns -= 3_000_000_000
        with pytest.raises(Misstamped):
            await world.send(until_ns=until_ns)
        assert len(world.done) == 1

    play(story)


def test_a_request_that_was_let_in_may_wait_in_the_venues_queue() -> None:
    """Longer than the receive window: the settle margin is for this."""

    async def story(world: World) -> None:
        world.faults.begin(Kind.LATE_ACCEPTANCE, 1.0)
        await world.send(until_ns=100_000_000)
        assert world.done[0] > 200_000_000

    play(story)


def test_an_overloaded_venue_gives_up_on_a_request_that_lives_on_inside() -> None:
    """It is handed to the engine at the end of its window, and is in the books after it."""

    async def story(world: World) -> None:
        world.faults.begin(Kind.OVERLOAD, 1.0)
        for sent in range(10):
            until_ns = world.loop.now_ns + 5_000_000_000
            with pytest.raises(Ambiguous, match="server timeout"):
                await world.send(until_ns=until_ns)
            assert len(world.done) == sent
            assert until_ns - world.loop.now_ns > 2_500_000_000
            await asyncio.sleep(8)
            assert -1_000_000_000 < world.done[sent] - until_ns < 1_800_000_000
        assert world.faults.counts[Kind.OVERLOAD] == 10
        assert await world.send(changes=False) == "done"  # questions carry no window and are not kept

    play(story)


def test_an_overloaded_venue_keeps_a_request_for_as_long_as_its_clock_lets_it() -> None:
    """Another host takes over, whose clock is ten seconds behind: its last moment comes ten seconds later."""

    async def story(world: World) -> None:
        world.faults.begin(Kind.OVERLOAD, 1.0)
        with pytest.raises(Ambiguous):
            await world.send(until_ns=5_000_000_000)
        world.ahead_ns = -10_000_000_000
        await asyncio.sleep(20)
        assert 13_000_000_000 < world.done[0] < 17_000_000_000

    play(story)


def test_an_overloaded_venue_looks_at_the_window_once_more_before_its_engine() -> None:
    """What it kept for too long by its own clock is thrown away; its caller was told that nobody knows."""

    async def story(world: World) -> None:
        world.faults.begin(Kind.OVERLOAD, 1.0)
        with pytest.raises(Ambiguous):
            await world.send(until_ns=5_000_000_000)
        world.ahead_ns = 2_000_000_000
        await asyncio.sleep(8)
        assert not world.done

    play(story)


def test_a_doubled_request_is_worked_off_twice_and_answered_once() -> None:
    """The second answer is the one that comes."""

    async def story(world: World) -> None:
        world.faults.begin(Kind.DUPLICATION, 1.0)
        assert await world.send() == "done"
        assert len(world.done) == 2

    play(story)


@pytest.mark.parametrize(
    ("kind", "error", "arrives"),
    [
        (Kind.THROTTLE, RateLimited, False),
        (Kind.BAN, RateLimited, False),
        (Kind.MAINTENANCE, Ambiguous, False),
        (Kind.SERVER_ERROR, Ambiguous, True),
    ],
)
def test_a_venue_in_trouble_answers_in_its_own_way(kind: Kind, error: type[KangbotError], arrives: bool) -> None:
    """5xx says nothing of what happened; a limit says when to come again."""

    async def story(world: World) -> None:
        world.faults.begin(kind, 1.0)
        with pytest.raises(error) as told:
            await world.send()
        assert len(world.done) == arrives
        if isinstance(told.value, RateLimited):
            assert told.value.retry_after_ns > 0

    play(story)


def test_what_has_left_arrives_though_nobody_waits_any_more() -> None:
    """A process that dies takes nothing back."""

    async def story(world: World) -> None:
        answer = world.network.send(world.act, changes=True)
        answer.cancel()
        await asyncio.sleep(1)
        assert len(world.done) == 1

    play(story)
