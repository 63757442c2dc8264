"""An answer that many ask for."""

import asyncio

from kangbot.control.kept import KEPT_S, Kept, Lately, Once
from kangbot.sim.world.loop import run


def test_many_questions_of_a_moment_cost_one_answer() -> None:
    """A hundred askers get what was made for the first of them; a moment later it is made anew."""

    async def story() -> None:
        made: list[None] = []

        def make() -> tuple[int, bytes]:
            made.append(None)
            return 200, f"answer {len(made)}".encode()

        kept = Kept(make)
        assert {kept.answer().body for _ in range(100)} == {b"answer 1"}
        await asyncio.sleep(KEPT_S)
        assert kept.answer().body == b"answer 2"
        assert len(made) == 2

    run(story())


async def test_every_asker_has_a_response_of_its_own_with_its_status() -> None:
    """A response is sent once; the status goes with the body, and no cache beyond ours keeps either."""
    kept = Kept(lambda: (503, b"{}"))
    first, second = kept.answer(), kept.answer()
    assert first is not second
    assert first.status == second.status == 503
    assert first.headers["Cache-Control"] == "no-store"
    assert first.content_type == "application/json"


def test_those_who_look_within_a_moment_share_one_making() -> None:
    """However many they are; later it is made anew."""

    async def story() -> None:
        numbers = iter(range(100))
        lately = Lately[int]()
        assert [lately.of(lambda: next(numbers)) for _ in range(50)] == [0] * 50
        await asyncio.sleep(KEPT_S)
        assert lately.of(lambda: next(numbers)) == 1

    run(story())


def test_what_was_made_for_somebody_else_does_for_those_who_look() -> None:
    """A subscriber's report is this moment's report."""

    async def story() -> None:
        lately = Lately[int]()
        assert lately.put(7) == 7
        assert lately.of(lambda: 8) == 7

    run(story())


def test_the_same_thing_is_worked_on_once() -> None:
    """Another thing that is equal to it is another thing."""
    once, made = Once[list[int], int](), list[int]()

    def make(thing: list[int]) -> int:
        made.append(len(thing))
        return len(thing)

    thing = [1, 2]
    assert [once.of(thing, make) for _ in range(5)] == [2] * 5
    assert once.of([1, 2], make) == 2
    assert made == [2, 2]
