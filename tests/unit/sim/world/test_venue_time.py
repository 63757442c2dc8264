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
        assert clock.now_ns() - _true_ns() == 6_000_000

    run(main())


def test_it_is_stepped_forward_at_once_and_never_runs_backwards() -> None:
    """A step back lets it stand until true time has caught up."""

    async def main() -> None:
        clock = VenueTime(_true_ns, 0)
        clock.step(2 * SECOND_NS)
        assert clock.now_ns() == 2 * SECOND_NS
        clock.step(-2 * SECOND_NS)
        await asyncio.sleep(1)
        assert clock.now_ns() == 2 * SECOND_NS
        await asyncio.sleep(2)
        assert clock.now_ns() == 3 * SECOND_NS

    run(main())
