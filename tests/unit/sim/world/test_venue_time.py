"""The venue's clock in a simulation."""

import asyncio

from kangbot.sim.world.loop import VirtualLoop, run
from kangbot.sim.world.venue_time import VenueTime

SECOND_NS = 1_000_000_000


def _true_ns() -> int:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.now_ns


def test_it_drifts_by_parts_of_a_million() -> None:
    """A hundred of them are six milliseconds a minute."""

    async def main() -> None:
        clock = VenueTime(_true_ns, 100)
        await asyncio.sleep(60.001)
        assert clock.now_ns() - _true_ns() == clock.door_ns() - _true_ns() == 6_000_000

    run(main())


def test_another_host_answers_by_another_clock_and_events_go_on() -> None:
    """What is ordered by the engine's clock follows the furthest of them, and never goes back."""

    async def main() -> None:
        clock = VenueTime(_true_ns, 0)
        clock.fail_over(2 * SECOND_NS)
        assert (clock.now_ns(), clock.door_ns()) == (2 * SECOND_NS, 2 * SECOND_NS)
        clock.fail_over(-10 * SECOND_NS)
        assert (clock.now_ns(), clock.door_ns()) == (2 * SECOND_NS, -10 * SECOND_NS)
        await asyncio.sleep(1)
        assert (clock.now_ns(), clock.door_ns()) == (3 * SECOND_NS, -9 * SECOND_NS)
        clock.fail_over(0)
        assert (clock.now_ns(), clock.door_ns()) == (3 * SECOND_NS, SECOND_NS)

    run(main())
