"""A question to a venue that may be away, under the budget of its requests."""

from datetime import UTC, datetime

from structlog.testing import capture_logs

from kangbot.errors import Retryable
from kangbot.execution.budget import Budget
from kangbot.execution.calls import turn
from kangbot.machines.limiter import Window
from kangbot.market.asking import ask_patiently
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import run
from tests.support.order_disk import loop
from tests.support.trade_words import START


def test_a_question_of_several_requests_waits_for_each_of_them() -> None:
    """Else the venue would count more of them than the budget."""

    async def main() -> int:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        budget = Budget(clock=clock, venue="data", windows=(Window(most=1, span_ns=SECOND_NS),))

        async def ask() -> int:
            for _ in range(4):
                async with turn():
                    now_ns = clock.now_ns()
            return now_ns - START

        return await ask_patiently(ask, budget=budget, draw=lambda: 0.0, what="history", requests=4)

    assert run(main()) == 3 * SECOND_NS


def test_a_venue_that_is_away_is_said_once_and_once_that_it_answered() -> None:
    """However often it is asked meanwhile; whoever waits is told why, until there is an answer."""

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        budget = Budget(clock=clock, venue="data", windows=(Window(most=9, span_ns=SECOND_NS),))
        left, waits = ["away", "away", "away"], list[str]()

        async def ask() -> int:
            if left:
                raise Retryable(left.pop())
            return 7

        with capture_logs() as logs:
            asked = ask_patiently(ask, budget=budget, draw=lambda: 0.0, what="history", waits=waits.append)
            assert await asked == 7
        said = [(entry["event"], entry.get("failures")) for entry in logs]
        assert said == [("venue.asking_again", None), ("venue.answered", 3)]
        assert waits == ["away", "away", "away", ""]

    run(main())


def test_a_ban_of_an_earlier_life_is_told_while_it_lasts() -> None:
    """Nothing was asked yet, so no answer says why it takes ten minutes."""

    async def main() -> None:
        clock, waits = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START), list[str]()
        windows = (Window(most=9, span_ns=SECOND_NS),)
        budget = Budget(clock=clock, venue="data", windows=windows, paused_ns=600 * SECOND_NS)
        until = datetime.fromtimestamp(START // SECOND_NS + 600, UTC)

        async def ask() -> list[str]:
            return list(waits)

        told = await ask_patiently(ask, budget=budget, draw=lambda: 0.0, what="instruments", waits=waits.append)
        assert told == [
            f"it wants to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC, and a restart does not shorten that"
        ]
        assert waits[-1] == ""

    run(main())
