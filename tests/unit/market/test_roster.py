"""The roster, on a journal that keeps its events in a list."""

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman, Refused
from kangbot.journal.writer import JournalWriter
from kangbot.machines.runstate import Signal
from kangbot.market.naming import UnknownMarketError
from kangbot.market.roster import Command, Roster
from kangbot.model.events import Desired, DesiredChanged, Event, Noted, Record, RunState, RunStateChanged, Severity
from kangbot.model.ids import MarketId
from kangbot.ports import Checkpoint, Journal
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.loop import run

A, B, C = MarketId("v:A"), MarketId("v:B"), MarketId("v:C")


class ListJournal:
    """A journal in memory."""

    tag = "testtest"

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.full = False

    @property
    def last(self) -> int:
        return len(self.events)

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self.full:
            done.set_exception(NeedsHuman("the disk is full", remedy="make room"))
            return done
        self.events.extend(events)
        done.set_result(self.last)
        return done

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        return []

    async def checkpoint(self) -> Checkpoint | None:
        return None

    async def beyond(self, sequence: int) -> int:
        return self.last


def roster(journal: Journal, obeyed: list[tuple[MarketId, Command]], *, interval_s: float = 0.0) -> Roster:
    """A roster of three markets that note what they are told."""
    made = Roster(clock=Clock(), journal=journal, draw=lambda: 0.5, interval_s=interval_s, jitter_s=interval_s)
    for market, desired in ((A, Desired.RUNNING), (B, Desired.STOPPED), (C, Desired.PAUSED)):
        made.add(market, lambda command, market=market: obeyed.append((market, command)), desired)  # type: ignore[misc]
    return made


async def test_a_market_that_takes_no_command_refuses_it_in_words_and_is_still_stopped() -> None:
    """Nothing is journalled that will not be done; the other markets start all the same."""
    journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
    markets = roster(journal, obeyed)
    markets.add(B, lambda command: obeyed.append((B, command)), Desired.RUNNING, refuses=lambda: "100 wait")
    for command in (Command.START, Command.PAUSE, Command.RESUME):
        with pytest.raises(Refused, match="v:B: 100 wait"):
            markets.command(B, command, "anna")
    markets.want_all("anna")
    await markets.start_all("anna")
    assert [(market, one) for market, one in obeyed if market != B] == [(A, Command.START), (C, Command.START)]
    (told,) = [event for event in journal.events if isinstance(event, Noted)]
    assert (told.kind, told.severity, told.market) == ("market.not_started", Severity.ERROR, B)
    assert told.message == "start-all passed it over: 100 wait"
    markets.stop_all("anna", remember=True)
    assert [one for market, one in obeyed if market == B] == [Command.STOP]
    assert [event.desired for event in journal.events if isinstance(event, DesiredChanged) and event.market == B] == [
        Desired.STOPPED
    ]


def test_all_that_are_to_start_are_wanted_before_the_first_begins() -> None:
    """A restart in the middle starts the rest; one that is stopped before its turn comes stays so."""

    async def main() -> None:
        journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
        markets = Roster(clock=Clock(), journal=journal, draw=lambda: 0.0, interval_s=2.0, jitter_s=0.0)
        for market in (A, B, C):
            markets.add(market, lambda command, market=market: obeyed.append((market, command)), Desired.STOPPED)  # type: ignore[misc]
        markets.want_all("anna")
        wanted = {event.market: event.desired for event in journal.events if isinstance(event, DesiredChanged)}
        assert wanted == dict.fromkeys((A, B, C), Desired.RUNNING)
        assert not obeyed
        starting = asyncio.ensure_future(markets.start_all("anna"))
        await asyncio.sleep(1)
        markets.command(B, Command.STOP, "bob")
        await starting
        assert obeyed == [(A, Command.START), (B, Command.STOP), (C, Command.START)]

    run(main())


async def test_what_is_wanted_is_journalled_once() -> None:
    """Repeating a command tells the market again and changes nothing else."""
    journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
    markets = roster(journal, obeyed)
    for _ in range(2):
        markets.command(B, Command.START, "anna")
    assert obeyed == [(B, Command.START)] * 2
    (event,) = journal.events
    assert isinstance(event, DesiredChanged)
    assert (event.market, event.desired, event.caller) == (B, Desired.RUNNING, "anna")


def test_start_all_is_staggered_in_order() -> None:
    """Interval and jitter lie between two markets, none before the first."""

    async def main() -> list[tuple[float, MarketId]]:
        loop = asyncio.get_running_loop()
        seen: list[tuple[float, MarketId]] = []
        markets = Roster(clock=Clock(), journal=ListJournal(), draw=lambda: 0.5, interval_s=2.0, jitter_s=1.0)
        for market in (A, B, C):
            markets.add(market, lambda _, market=market: seen.append((loop.time(), market)), Desired.RUNNING)  # type: ignore[misc]
        await markets.start_all("test")
        return seen

    assert run(main()) == [(0.0, A), (2.5, B), (5.0, C)]


async def test_a_restart_resumes_what_ran() -> None:
    """The stopped stay stopped; the paused are started and paused."""
    journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
    await roster(journal, obeyed).start_all("restart")
    assert obeyed == [(A, Command.START), (C, Command.START), (C, Command.PAUSE)]
    assert journal.events == []


async def test_the_daemons_own_end_is_not_the_operators_wish() -> None:
    """Stopping for a restart leaves what is wanted as it was."""
    journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
    markets = roster(journal, obeyed)
    markets.stop_all("daemon", remember=False)
    assert journal.events == []
    assert markets[A].desired is Desired.RUNNING
    markets.stop_all("anna", remember=True)
    assert [event.market for event in journal.events if isinstance(event, DesiredChanged)] == [A, C]
    assert len(obeyed) == 6


@pytest.mark.parametrize("started", [False, True])
async def test_a_market_that_has_left_is_told_to_stop_and_to_run_with_all_others(started: bool) -> None:
    """It begins with neither, but once it is back: not alone among markets that stand still, nor still among others."""
    journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
    markets = roster(journal, obeyed)
    markets.leave(A)
    markets.stop_all("anna", remember=True)
    if started:
        markets.want_all("bob")
        await markets.start_all("bob")
        assert [market for market, command in obeyed if command is Command.START] == [B, C]
    markets.join(A, "edit")
    assert ((A, Command.START) in obeyed) is started
    assert markets[A].desired is (Desired.RUNNING if started else Desired.STOPPED)


async def test_moves_are_journalled_with_their_reason_and_can_be_waited_for() -> None:
    """The table decides; a signal that changes nothing leaves no trace."""
    journal = ListJournal()
    markets = roster(journal, [])
    reached = asyncio.create_task(markets.reached([A], RunState.LIVE))
    await asyncio.sleep(0)
    for signal in (Signal.START, Signal.START, Signal.SUBSCRIBED, Signal.WARMED):
        markets.move(A, signal, signal.name.lower())
    await reached
    assert markets[A].reason == "warmed"
    assert markets.count(RunState.LIVE) == 1
    assert markets.count(RunState.STOPPED, RunState.LIVE) == 3
    assert [(e.before, e.after) for e in journal.events if isinstance(e, RunStateChanged)] == [
        (RunState.STOPPED, RunState.STARTING),
        (RunState.STARTING, RunState.WARMING),
        (RunState.WARMING, RunState.LIVE),
    ]
    markets.move(A, Signal.GAVE_UP, "five falls in five minutes")
    assert markets.places[A].state is RunState.FAILED


async def test_a_market_that_falls_while_it_starts_says_why() -> None:
    """Its state is the same, so nothing is journalled; one that is stopped or failed keeps the reason for that."""
    journal = ListJournal()
    markets = roster(journal, [])
    markets.move(A, Signal.START, "started")
    markets.move(A, Signal.CRASHED, "ValueError: oops")
    assert (markets[A].state, markets[A].reason) == (RunState.STARTING, "ValueError: oops")
    markets.move(A, Signal.GAVE_UP, "fell too often: ValueError: oops")
    markets.move(A, Signal.CRASHED, "OSError: later")
    assert (markets[A].state, markets[A].reason) == (RunState.FAILED, "fell too often: ValueError: oops")
    moved = [event.after for event in journal.events if isinstance(event, RunStateChanged)]
    assert moved == [RunState.STARTING, RunState.FAILED]


async def test_a_market_that_is_not_configured_is_told_in_words() -> None:
    """No KeyError reaches an operator."""
    with pytest.raises(UnknownMarketError, match="no market 'v:Z' in the configuration"):
        roster(ListJournal(), []).command(MarketId("v:Z"), Command.STOP, "anna")


async def test_a_market_that_is_to_stand_still_is_neither_paused_nor_resumed() -> None:
    """Only START starts it: to want what no command brings about would be a wish for ever."""
    journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
    markets = roster(journal, obeyed)
    for command in (Command.PAUSE, Command.RESUME):
        assert markets.command(B, command, "anna").desired is Desired.STOPPED
    assert not obeyed
    assert not journal.events


async def test_what_is_wanted_is_on_disk_before_a_caller_hears_that_it_is_kept(tmp_path: Path) -> None:
    """So that a `kill -9` after the answer changes nothing; nothing was wanted: nothing to wait for."""
    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"roster")) as journal:
        markets = roster(journal, [])
        await markets.promises.kept()
        markets.command(A, Command.PAUSE, "cli")
        markets.command(C, Command.STOP, "cli")
        assert journal.last == 0
        await markets.promises.kept()
        assert journal.last == 2


async def test_a_caller_hears_of_a_disk_that_does_not_take_it() -> None:
    """The market obeys all the same."""
    journal, obeyed = ListJournal(), list[tuple[MarketId, Command]]()
    journal.full = True
    markets = roster(journal, obeyed)
    markets.command(A, Command.PAUSE, "cli")
    with pytest.raises(NeedsHuman, match="a restart would forget it: the disk is full"):
        await markets.promises.kept()
    assert obeyed == [(A, Command.PAUSE)]
    for _ in range(2):
        journal.full = False
        markets.command(A, Command.PAUSE, "cli")
        await markets.promises.kept()
        told = [(event.market, event.desired) for event in journal.events if isinstance(event, DesiredChanged)]
        assert told == [(A, Desired.PAUSED)], "what the caller was told to do: command it again"
