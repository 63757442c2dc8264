"""The venue's time in a simulation: what happens there is told, in its order, and when it happens."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from kangbot.model.data import Quote
from kangbot.sim.exchange.events import SimEvent
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import VenueSpec
from kangbot.sim.world.loop import VirtualLoop, run
from kangbot.sim.world.pump import Pump
from tests.support.sim_bench import START_NS, Bench, fork

_FRAME_NS = 250_000_000


def now_ns() -> int:
    """Return the venue's time."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return START_NS + loop.now_ns


def moving() -> SimVenue:
    """Return a venue whose market moves four times a second."""
    return SimVenue(VenueSpec(markets=(linear("BTCUSDT"),), start_ns=START_NS, rate=4.0, history_minutes=0), fork)


def play(story: Coroutine[Any, Any, None]) -> None:
    """Run it in virtual time."""
    run(story)


def test_each_frame_is_told_at_its_time() -> None:
    """No sooner and no later: a timer for the next one, and none between."""

    async def story() -> None:
        pump, heard = Pump(moving(), now_ns), list[tuple[int, int]]()

        def listen(events: Sequence[SimEvent]) -> None:
            heard.extend((event.at_ns, now_ns()) for event in events if isinstance(event, Quote))

        pump.listen(listen)
        pump.start()
        await asyncio.sleep(1.1)
        frames = [START_NS + number * _FRAME_NS for number in range(1, 5)]
        assert heard == [(at_ns, at_ns) for at_ns in frames]

    play(story())


def test_a_pump_that_is_stopped_moves_nothing_any_more() -> None:
    """One that was never started can be stopped as well."""

    async def story() -> None:
        pump, heard = Pump(moving(), now_ns), list[SimEvent]()
        pump.stop()
        pump.listen(heard.extend)
        pump.start()
        await asyncio.sleep(0.6)
        pump.stop()
        before = len(heard)
        await asyncio.sleep(10)
        assert 0 < before == len(heard)

    play(story())


def test_what_was_done_between_two_frames_is_told_at_once_to_everybody_in_turn() -> None:
    """Once, in the order in which it happened; where nothing did, nobody is called."""

    async def story() -> None:
        bench = Bench()
        pump, heard = Pump(bench.venue, now_ns), list[tuple[str, Sequence[SimEvent]]]()
        pump.listen(lambda events: heard.append(("first", events)))
        pump.listen(lambda events: heard.append(("second", events)))
        bench.quote(bench.btc, "1001")
        bench.quote(bench.btc, "1002")
        pump.flush()
        pump.flush()
        assert [who for who, _ in heard] == ["first", "second"]
        assert [event.bid for event in heard[0][1] if isinstance(event, Quote)] == [1001, 1002]
        assert heard[0][1] == heard[1][1]

    play(story())


def test_who_is_forgotten_hears_nothing_more() -> None:
    """Though it is twice forgotten, and though it is another one's news that it was forgotten by."""

    async def story() -> None:
        bench = Bench()
        pump, heard, stays = Pump(bench.venue, now_ns), list[SimEvent](), list[SimEvent]()
        pump.listen(heard.extend)
        pump.listen(stays.extend)
        pump.forget(heard.extend)
        pump.forget(heard.extend)
        bench.quote(bench.btc, "1001")
        pump.flush()
        assert (heard, len(stays)) == ([], 1)

    play(story())


def test_a_venue_that_is_moved_by_others_has_no_timer() -> None:
    """Its books are kept when the pump starts, and then whoever moves it flushes."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        bench = Bench()
        Pump(bench.venue, now_ns).start()
        began_ns = loop.now_ns
        await asyncio.sleep(3600)
        assert loop.now_ns - began_ns == 3600 * 10**9

    play(story())
