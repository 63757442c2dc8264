"""How one market is put together: what it knows from the start, and what it shares with the others."""

import asyncio

import msgspec
import pytest

from kangbot.errors import Retryable
from kangbot.machines.faults import Kind
from kangbot.market.assembly import Assembly
from kangbot.market.task import MarketTask
from kangbot.model.events import Lane, RunState
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.market import InstrumentKind
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import BarVenue, Story, play, spec
from tests.support.trade_words import MARKET, dec, instrument

OTHER = MarketId("bybit:ETH-USDT:USDT")


async def assembly(told: Story) -> Assembly:
    """Open the floor, and return how it puts markets together."""
    await told.open()
    return told.floor._assembly


def other(told: Story, made: Assembly, kind: InstrumentKind = InstrumentKind.LINEAR) -> MarketTask:
    """Return a second market of the account."""
    rules = msgspec.structs.replace(instrument(kind), market=OTHER, symbol=Symbol("ETH/USDT:USDT"))
    told.roster.add(OTHER, lambda _command: None, told.roster[MARKET].desired)
    return made.market(spec(told.strategy, market=OTHER, symbol=rules.symbol), rules)


def test_a_market_knows_what_the_journal_remembers_of_it_and_that_alone() -> None:
    """What another one holds is not its own."""

    async def story(told: Story) -> None:
        await told.wants_in()
        await told.floor.close()
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        made = await assembly(again)
        assert again.task.desk.executor.position.net == dec(2)
        assert other(again, made).desk.executor.position.net == dec(0)
        await again.floor.close()

    play(story)


def test_its_inbox_takes_no_news_that_nobody_can_write_down() -> None:
    """As long as its own executor says so."""

    async def story(told: Story) -> None:
        task = other(told, await assembly(told))
        records = task.desk.executor._records
        assert not task.inbox.overfull()
        records.count = 10**9
        assert task.inbox.overfull()
        assert not told.task.inbox.overfull()

    play(story)


@pytest.mark.parametrize("kind", list(InstrumentKind))
@pytest.mark.parametrize("cancel_entries", [True, False])
def test_entries_of_coins_are_cancelled_whatever_was_decided(kind: InstrumentKind, cancel_entries: bool) -> None:
    """One that is filled while nobody looks has no stop: none rides with it."""

    async def story(told: Story) -> None:
        told.venue = BarVenue(clock=told.world.clock, kind=kind)
        told.cancel_entries = cancel_entries
        task = other(told, await assembly(told), kind)
        assert task._cancel_entries is (cancel_entries or kind is InstrumentKind.SPOT)

    play(story)


def test_what_was_before_the_journal_is_told_by_the_earlier_clock() -> None:
    """Where the venue's is behind ours, what it stamped since may look older than the journal; never younger."""

    async def story(told: Story) -> None:
        made = await assembly(told)
        for offset_s, born_s in ((-30, -30), (30, 0)):

            async def shifted(offset_ns: int = offset_s * SECOND_NS) -> int:
                return told.world.clock.now_ns() + offset_ns

            for _ in range(20):
                await told.venue_clock.measure(shifted)
                await asyncio.sleep(1)
            assert abs(told.venue_clock.offset_ns - offset_s * SECOND_NS) < SECOND_NS
            assert abs(made._born_ns() - made.born_ns - born_s * SECOND_NS) < SECOND_NS

    play(story)


def test_chance_is_each_markets_own() -> None:
    """By its name: one that joins does not shift the waits of the others."""

    async def story(told: Story) -> None:
        made = await assembly(told)
        draws = [told.world.fork(f"market/{market}").random() for market in (MARKET, OTHER)]
        task = other(told, made)
        assert [one.supervisor._draw() for one in (told.task, task)] == draws

    play(story)


async def cut_off(told: Story) -> None:
    """Have no way lead out, and no probe find one."""
    told.venue.tells_time = False
    for _ in range(2):
        told.floor.circuits.dialled(way_out=False)
        await asyncio.sleep(4)


def test_a_market_asks_for_itself_once_a_minute_while_one_probe_asks_for_all() -> None:
    """History of a flat market waits for the probe; of a position it is asked for, for it is managed by its bars."""

    async def story(told: Story) -> None:
        made = await assembly(told)
        await cut_off(told)
        assert made.circuits.in_trouble(MARKET, Lane.DATA)
        began = told.world.clock.now_ns()
        await made._reachable()
        assert told.world.clock.now_ns() - began == 60 * SECOND_NS
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await made._fetch_again(told.task.desk.executor)

    async def held(told: Story) -> None:
        await told.wants_in()
        made = told.floor._assembly
        await cut_off(told)
        began = told.world.clock.now_ns()
        await made._fetch_again(told.task.desk.executor)
        assert told.world.clock.now_ns() - began == 60 * SECOND_NS

    play(story)
    play(held)


def test_what_goes_wrong_in_one_market_is_told_of_that_one() -> None:
    """Its data, its falls and its price are counted under its name."""

    async def story(told: Story) -> None:
        task = other(told, await assembly(told))
        task.intake._ended(Retryable("away"))
        task._ended(ValueError("a fault"))
        tallies = told.floor.faults.tallies()
        assert {tally.market for tally in tallies} == {OTHER}
        assert Kind.FALL in [tally.kind for tally in tallies]
        assert len(told.floor.circuits.breakers.of(OTHER, Lane.DATA).failed_ns) == 1
        for lane in (Lane.DATA, Lane.EXIT):
            told.floor.circuits.isolate(OTHER, lane, "ann")
            assert (task._data_held(), told.task._data_held()) == (lane is Lane.DATA, False)
            assert (task.desk._exits_slow(), told.task.desk._exits_slow()) == (lane is Lane.EXIT, False)
            await told.floor.circuits.reset(OTHER, None, "ann")  # type: ignore[misc]
        assert told.roster[MARKET].state is RunState.STOPPED

    play(story)
