"""The history in a simulation: what it stored stays, what contradicts that is counted, and it can be away."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kangbot.errors import Retryable
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.history import SimHistory
from kangbot.sim.world.loop import run
from tests.support.records import TAG, noted, records

EVERYTHING = records([noted(number) for number in range(1, 8)])


def play(story: Callable[[SimHistory, Faults], Coroutine[Any, Any, None]]) -> None:
    """Run it in virtual time."""

    async def main() -> None:
        faults = Faults(random.Random(1))
        await story(SimHistory(faults), faults)

    run(main())


def test_it_tells_how_far_it_has_come_and_what_it_has() -> None:
    """From any record on, in their order, so many at once."""

    async def story(history: SimHistory, _: Faults) -> None:
        assert (await history.stored(TAG), await history.recall(TAG, 0, 9)) == (0, [])
        await history.store(EVERYTHING[4:])
        await history.store(EVERYTHING[:4])
        assert await history.stored(TAG) == 7
        assert await history.recall(TAG, 0, 99) == EVERYTHING
        assert await history.recall(TAG, 2, 3) == EVERYTHING[2:5]
        assert await history.recall(TAG, 7, 3) == []

    play(story)


def test_a_record_that_comes_again_with_another_content_is_counted_and_changes_nothing() -> None:
    """The same one may come as often as it likes."""

    async def story(history: SimHistory, _: Faults) -> None:
        await history.store(EVERYTHING)
        await history.store(EVERYTHING)
        assert history.conflicts == 0
        await history.store(records([noted(1, message="another")]))
        assert history.conflicts == 1
        assert await history.recall(TAG, 0, 1) == EVERYTHING[:1]

    play(story)


def test_while_it_is_away_it_answers_nothing_and_may_have_stored_all_the_same() -> None:
    """Or not: who asked knows neither. What it has told already it tells again."""

    async def story(history: SimHistory, faults: Faults) -> None:
        outcomes = set()
        for _ in range(40):
            faults.begin(Kind.HISTORY_AWAY, 1.0)
            with pytest.raises(Retryable):
                await history.stored(TAG)
            with pytest.raises(Retryable):
                await history.store(EVERYTHING)
            outcomes.add(len(await history.recall(TAG, 0, 99)))
            history.rows.clear()
        assert outcomes == {0, 7}
        assert faults.counts[Kind.HISTORY_AWAY] == 80

    play(story)


def test_one_that_is_away_fails_at_once_or_hangs_for_a_while() -> None:
    """As a database does whose host is gone."""

    async def story(history: SimHistory, faults: Faults) -> None:
        loop, took = asyncio.get_running_loop(), set()
        faults.begin(Kind.HISTORY_AWAY, 1.0)
        for _ in range(40):
            began = loop.time()
            with pytest.raises(Retryable):
                await history.stored(TAG)
            took.add(round(loop.time() - began))
        assert took == {0, 5}

    play(story)
