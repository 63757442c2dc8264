"""One life of the daemon: where it dies, and that the dead do nothing."""

import asyncio
import random

import pytest

from kangbot.errors import RateLimited
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.loop import VirtualLoop, run
from kangbot.sim.world.network import Network
from kangbot.sim.world.process import Process, ProcessCarrier, Spot


def test_a_process_dies_at_the_pass_that_was_decided() -> None:
    """Not at another spot, and once."""
    deaths: list[Spot | None] = []
    process = Process(deaths.append)
    process.doom(Spot.APPEND, 2)
    assert process.at(Spot.COMMIT)
    assert process.at(Spot.APPEND)
    assert not process.at(Spot.APPEND)
    assert not process.at(Spot.COMMIT)
    process.die()
    assert deaths == [Spot.APPEND]


def test_a_process_that_was_spared_lives() -> None:
    """A death that was decided before the calm does not fall into it."""
    deaths: list[Spot | None] = []
    process = Process(deaths.append)
    process.doom(Spot.APPEND, 1)
    process.spare()
    process.fall_due()
    assert process.at(Spot.APPEND)
    process.doom(Spot.APPEND, 9)
    process.fall_due()
    assert deaths == [None]


class Watch:
    """Notes what leaves."""

    def __init__(self) -> None:
        self.left = 0
        self.arrived: list[int] = []
        self.waits: list[int] = []

    def departs(self, *, public: bool) -> int:
        self.left += 1
        return self.left

    def arrives(self, left_ns: int, *, public: bool) -> None:
        self.arrived.append(left_ns)

    def told_to_wait(self, for_ns: int, *, public: bool) -> None:
        self.waits.append(for_ns)


@pytest.mark.parametrize(("spot", "arrives"), [(Spot.BEFORE_SEND, False), (Spot.AFTER_SEND, True)])
def test_a_death_around_a_send_decides_whether_it_left(spot: Spot, arrives: bool) -> None:
    """Before it nothing leaves; after it the venue works it off, and nobody hears the answer."""
    done: list[int] = []

    async def main() -> None:
        process, watch = Process(lambda _: None), Watch()
        carrier = ProcessCarrier(_network(Faults(random.Random(1))), process, watch)
        process.doom(spot, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await carrier.carry(lambda: done.append(1), changes=True)
        assert watch.left == len(done) == arrives
        assert watch.arrived == [1] * arrives  # it is at the venue's door, whoever left it there

    run(main())


def test_a_wait_that_the_venue_asks_for_is_told() -> None:
    """In the moment in which the caller hears of it."""

    async def main() -> None:
        faults, watch = Faults(random.Random(1)), Watch()
        carrier = ProcessCarrier(_network(faults), Process(lambda _: None), watch)
        faults.begin(Kind.THROTTLE, 1.0)
        with pytest.raises(RateLimited):
            await carrier.carry(lambda: None, changes=False)
        assert len(watch.waits) == 1

    run(main())


def _network(faults: Faults) -> Network:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return Network(faults=faults, venue_now_ns=lambda: loop.now_ns, served=lambda: None, timeout_s=6.0)
