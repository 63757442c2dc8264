"""The desk where errors are classified, on virtual time: what is told, what is journalled, what is carried out."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import structlog

from kangbot.errors import Ambiguous, InsufficientFunds, NeedsHuman, NotFound, Refused
from kangbot.health.faults import FaultDesk
from kangbot.machines.entry_holds import EntryHolds
from kangbot.machines.faults import DEFAULTS, Action, Gravity, Kind, Operation, Policy, Rule
from kangbot.model.events import EntriesPaused, Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.loop import run
from tests.support.order_disk import Disk, loop
from tests.support.trade_words import MARKET, START


def told(story: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a story on virtual time."""

    @wraps(story)
    def test() -> None:
        run(story())

    return test


class Rig:
    """A desk with a journal, and with somebody who carries out what it asks for."""

    def __init__(self, policy: Policy = DEFAULTS, holds: EntryHolds | None = None, at_ns: int = START) -> None:
        virtual = loop()
        self.disk = Disk()
        self.changed: list[MarketId | None] = []
        self.resets = 0
        self.ends: list[BaseException] = []
        world = World(clock=Clock(monotonic_ns=lambda: virtual.now_ns, anchor_ns=at_ns), seed=b"faults")
        self.desk = FaultDesk(
            world=world,
            journal=self.disk,
            policy=policy,
            shut_down=lambda _name, error: self.ends.append(error),
            mask=lambda text: text.replace("hunter2", "***"),
            holds=holds,
        )
        self.desk.attend(changed=self.changed.append, reset=self._reset)

    def _reset(self) -> None:
        self.resets += 1

    @property
    def notes(self) -> list[Noted]:
        """What was journalled."""
        return [record.event for record in self.disk.records if isinstance(record.event, Noted)]


@told
async def test_the_same_error_is_logged_once_and_once_when_it_ends() -> None:
    """With what it was about, and in the end with how often it came."""
    rig = Rig()
    with structlog.testing.capture_logs() as lines:
        for _ in range(4):
            rig.desk.ended(MARKET, Operation.ENTRY, Ambiguous("broke off"), "kb1-1")
        await asyncio.sleep(2)
        rig.desk.ended(MARKET, Operation.ENTRY, None)
        rig.desk.ended(MARKET, Operation.ENTRY, None)
    assert [line["event"] for line in lines] == ["error.met", "error.over"]
    assert lines[0]["market"] == MARKET
    assert (lines[0]["operation"], lines[0]["subject"], lines[0]["kind"]) == ("entry", "kb1-1", "ambiguous")
    assert (lines[1]["count"], lines[1]["lasted_s"]) == (4, 2.0)


@told
async def test_entries_are_paused_for_want_of_money_and_resumed_by_themselves() -> None:
    """A person finds it in the journal; the market is told to look when it is over."""
    rig = Rig()
    rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"), "kb1-1")
    assert rig.desk.held(MARKET) == "insufficient_balance: too little"
    await asyncio.sleep(0.1)
    (note,) = rig.notes
    assert (note.kind, note.severity, note.market) == ("entries.paused", Severity.ERROR, MARKET)
    assert note.fields == {"kind": "insufficient_balance", "operation": "entry", "subject": "kb1-1"}
    assert note.message == "no entry for 300 s at a time: too little"
    await asyncio.sleep(299)
    assert rig.changed == []
    await asyncio.sleep(2)
    assert rig.changed == [MARKET]
    assert rig.desk.held(MARKET) == ""


@told
async def test_a_market_that_was_to_go_slower_looks_when_it_may_enter_again() -> None:
    """As after a pause, though no person is told of it."""
    rig = Rig()
    rig.desk.met(Kind.RATE_LIMIT, Operation.ENTRY, MARKET, "too many visits")
    await asyncio.sleep(29)
    assert (rig.desk.held(MARKET), rig.changed) == ("rate_limit: too many visits", [])
    await asyncio.sleep(2)
    assert (rig.desk.held(MARKET), rig.changed) == ("", [MARKET])
    assert rig.notes == []


@told
async def test_a_pause_that_is_met_while_a_shorter_one_holds_is_told_at_once() -> None:
    """Else people would hear of it when it is over and the same fails again; what holds for longer stays as it is."""
    rig = Rig()
    rig.desk.met(Kind.RATE_LIMIT, Operation.ENTRY, MARKET, "too many visits")
    await asyncio.sleep(1)
    for _ in range(3):
        rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
    await asyncio.sleep(1)
    rig.desk.met(Kind.RATE_LIMIT, Operation.ENTRY, MARKET, "too many visits")
    assert rig.desk.held(MARKET) == "insufficient_balance: too little"
    assert [(note.kind, note.fields["kind"]) for note in rig.notes] == [("entries.paused", "insufficient_balance")]
    await asyncio.sleep(298)
    assert rig.changed == []
    await asyncio.sleep(2)
    assert rig.changed == [MARKET]


@told
async def test_each_market_looks_when_its_own_pause_is_over() -> None:
    """Also where another's ended before it, and where it was prolonged meanwhile."""
    rig, other = Rig(), MarketId("bybit:other")
    for market, wait_s in ((MARKET, 100), (other, 150), (MARKET, 151)):
        rig.desk.ended(market, Operation.ENTRY, InsufficientFunds("too little"))
        await asyncio.sleep(wait_s)
    assert rig.changed == [other]
    await asyncio.sleep(150)
    assert rig.changed == [other, MARKET]


@told
async def test_nothing_becomes_of_a_pause_once_the_desk_is_closed() -> None:
    """Whoever it would tell is on the way out too."""
    rig = Rig()
    rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
    rig.desk.close()
    await asyncio.sleep(301)
    assert rig.changed == []


@told
async def test_a_pause_ends_when_a_person_says_so() -> None:
    """The market looks at once; nothing is said of a market that was not paused."""
    rig = Rig()
    rig.desk.forgive(MARKET, "ann")
    assert rig.changed == []
    rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
    rig.desk.forgive(MARKET, "ann")
    assert rig.changed == [MARKET]
    assert rig.desk.held(MARKET) == ""
    rig.desk.close()


@told
async def test_the_end_of_a_pause_by_hand_can_be_waited_for_on_a_full_disk_too() -> None:
    """So that a restart does not bring back what a person was told is over."""
    rig = Rig()
    assert rig.desk.forgive(MARKET, "ann") is None
    rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
    rig.disk.full = True
    written = rig.desk.forgive(MARKET, "ann")
    assert written is not None
    assert await written
    assert remembered(rig).left(START) == []
    rig.desk.close()


@told
async def test_a_pause_of_no_time_keeps_nothing_back() -> None:
    """As the configuration may have it: the person is told, and the next life has nothing to obey."""
    rig = Rig({**DEFAULTS, Kind.REFUSED: Rule(severity=Gravity.HIGH, action=Action.PAUSE, wait_ns=0)})
    rig.desk.ended(MARKET, Operation.ENTRY, Refused("never"))
    assert rig.desk.held(MARKET) == ""
    await asyncio.sleep(1)
    assert ([note.kind for note in rig.notes], remembered(rig).left(START)) == (["entries.paused"], [])


@told
async def test_an_order_that_is_not_found_has_the_books_compared() -> None:
    """Once, however often it is asked for."""
    rig = Rig()
    for _ in range(5):
        rig.desk.ended(MARKET, Operation.PROTECT, NotFound("no position"))
    assert rig.resets == 1


@told
async def test_an_error_that_nobody_knows_is_an_alert() -> None:
    """Grave, once, and without the secret that was in its words."""
    rig = Rig()
    for _ in range(3):
        rig.desk.ended(MARKET, Operation.CANCEL, ValueError("key=hunter2"))
    await asyncio.sleep(0.1)
    (note,) = rig.notes
    assert (note.kind, note.severity) == ("error.alert", Severity.ERROR)
    assert "hunter2" not in note.message
    (tally,) = rig.desk.tallies()
    assert (tally.kind, tally.severity, tally.recent) == (Kind.UNKNOWN, Gravity.HIGH, 3)
    assert "hunter2" not in tally.message


@told
async def test_a_kind_that_is_to_end_the_daemon_ends_it_once() -> None:
    """In order, by whoever owns its end, with what a person can do."""
    rig = Rig({**DEFAULTS, Kind.REFUSED: Rule(severity=Gravity.CRITICAL, action=Action.SHUTDOWN)})
    for _ in range(2):
        rig.desk.ended(None, Operation.RECONCILE, Refused("never"))
    (end,) = rig.ends
    assert isinstance(end, NeedsHuman)
    assert "never" in end.message
    assert "[errors.refused]" in end.remedy


@told
async def test_a_task_that_died_is_counted_and_ends_nothing_twice() -> None:
    """Its end is the daemon's end already."""
    rig = Rig()
    rig.desk.ended(None, Operation.TASK, ValueError("boom"))
    assert rig.ends == []
    (tally,) = rig.desk.tallies()
    assert (tally.kind, tally.market, tally.severity) == (Kind.CRITICAL, None, Gravity.CRITICAL)


@told
async def test_what_tells_of_itself_is_only_counted() -> None:
    """A feed that is down has its own line in the log, and its own note."""
    rig = Rig()
    with structlog.testing.capture_logs() as lines:
        for _ in range(10):
            rig.desk.met(Kind.FEED, Operation.FEED, None, "feed.down: gone")
        rig.desk.ended(None, Operation.FEED, None)
    assert lines == []
    await asyncio.sleep(0.1)
    assert rig.notes == []
    assert rig.desk.tallies()[0].total == 10


@told
async def test_a_hold_that_ends_without_anybody_attending_is_harmless() -> None:
    """Of a daemon whose floor is not there yet."""
    world = World(clock=Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START), seed=b"faults")
    desk = FaultDesk(world=world, journal=Disk())
    desk.ended(None, Operation.RECONCILE, NeedsHuman("wrong key", remedy="mend it"))
    assert desk.held(MARKET) == "authentication: wrong key. mend it", "a person is told what to do"
    desk.ended(MARKET, Operation.PROTECT, NotFound("no position"))
    await asyncio.sleep(601)
    assert desk.held(MARKET) == ""


def remembered(rig: Rig) -> EntryHolds:
    """What the next life knows by the journal."""
    holds = EntryHolds()
    for record in rig.disk.records:
        holds.observe(record.event)
    return holds


@told
async def test_a_pause_goes_on_in_the_next_life_until_the_same_moment() -> None:
    """And the market is told to look then, as it would have been."""
    first = Rig()
    first.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
    await asyncio.sleep(100)
    first.desk.close()
    second = Rig(holds=remembered(first), at_ns=START + 100 * 10**9)
    hold = second.desk.hold(MARKET)
    assert hold is not None
    assert hold.until_ns == START + 300 * 10**9
    assert second.desk.held(MARKET) == "insufficient_balance: too little"
    await asyncio.sleep(199)
    assert second.changed == []
    await asyncio.sleep(2)
    assert second.changed == [MARKET]
    assert second.desk.hold(MARKET) is None
    third = Rig(holds=remembered(first), at_ns=START + 301 * 10**9)
    assert third.desk.held(MARKET) == ""


@told
async def test_a_pause_that_was_ended_by_hand_stays_ended() -> None:
    """The account's as well."""
    rig = Rig()
    rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
    rig.desk.ended(None, Operation.RECONCILE, NeedsHuman("wrong key", remedy="mend it"))
    await asyncio.sleep(1)
    assert len(remembered(rig).left(START)) == 2
    for whose in (MARKET, None):
        rig.desk.forgive(whose, "ann")
    await asyncio.sleep(1)
    assert remembered(rig).left(START) == []
    assert Rig(holds=remembered(rig)).desk.held(MARKET) == ""
    rig.desk.close()


@told
async def test_a_pause_that_is_prolonged_is_written_down_at_most_twice_a_minute() -> None:
    """Of an account whose key stays refused, every second, for ten minutes."""
    rig = Rig()
    for _ in range(600):
        rig.desk.ended(None, Operation.RECONCILE, NeedsHuman("wrong key", remedy="mend it"))
        await asyncio.sleep(1)
    assert sum(isinstance(record.event, EntriesPaused) for record in rig.disk.records) == 20
    (hold,) = remembered(rig).left(START + 600 * 10**9)
    assert hold.until_ns >= START + (600 + 570) * 10**9
    rig.desk.close()


@told
async def test_a_key_that_has_ended_is_told_once_for_all_markets() -> None:
    """Whichever meet it, by whatever they did; none enters, and the account's rounds are part of it."""
    rig = Rig()
    ended = NeedsHuman("33004: the key has ended.", remedy="Renew it.", code="33004", of_account=True)
    others = [MarketId(f"bybit:M{number}") for number in range(5)]
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            for market in others:
                rig.desk.ended(market, Operation.ENTRY, ended, "kb1-1")
            rig.desk.ended(MARKET, Operation.EXIT, ended)
            rig.desk.ended(None, Operation.RECONCILE, ended)
            await asyncio.sleep(60)
    (note,) = rig.notes
    assert (note.kind, note.market) == ("entries.paused", None)
    assert note.message == (
        "no entry for 600 s at a time of any market, and exits may be refused too: 33004: the key has ended. Renew it."
    )
    assert all(rig.desk.held(market) for market in (MARKET, *others))
    assert [line["event"] for line in lines].count("error.met") == 2  # an entry's and an exit's
    rig.desk.ended(others[0], Operation.EXIT, None)
    with structlog.testing.capture_logs() as lines:
        rig.desk.ended(others[1], Operation.EXIT, ended)
    assert [line["event"] for line in lines] == ["error.met"]  # it is news again
    rig.desk.close()


@told
async def test_what_one_market_may_not_do_is_that_markets_alone() -> None:
    """Its mode, a list of symbols for the key: the others enter."""
    rig = Rig()
    rig.desk.ended(MARKET, Operation.ENTRY, NeedsHuman("hedge mode", remedy="Set one-way mode."))
    assert rig.desk.held(MARKET)
    assert not rig.desk.held(MarketId("bybit:other"))
    rig.desk.close()


def paused_and_resumed(rig: Rig) -> list[tuple[str, str]]:
    """What people are told of pauses, and why each is over."""
    return [
        (note.kind, note.message.partition(": ")[2] if note.kind == "entries.resumed" else note.fields["kind"])
        for note in rig.notes
    ]


@told
async def test_want_of_money_for_weeks_is_told_once_and_so_is_its_end() -> None:
    """The log has each of the tries, and the market is held after each of them."""
    rig = Rig()
    with structlog.testing.capture_logs() as lines:
        for _ in range(24):
            rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
            assert rig.desk.held(MARKET)
            await asyncio.sleep(3600)
    assert [line["event"] for line in lines].count("entries.paused_again") == 23
    assert paused_and_resumed(rig) == [("entries.paused", "insufficient_balance")]
    rig.desk.ended(MARKET, Operation.ENTRY, None)
    await asyncio.sleep(1)
    over = ("entries.resumed", "what failed works again: insufficient_balance")
    assert paused_and_resumed(rig)[1:] == [over]
    assert (rig.notes[1].market, rig.notes[1].fields) == (MARKET, {"kind": "insufficient_balance"})
    rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
    rig.desk.ended(MARKET, Operation.ENTRY, None)  # one that was under way
    await asyncio.sleep(200)
    assert paused_and_resumed(rig)[2:] == [("entries.paused", "insufficient_balance")]
    await asyncio.sleep(101)
    assert paused_and_resumed(rig)[3:] == [over]


@told
async def test_whoever_has_entries_tried_again_hears_whether_they_are_refused_again() -> None:
    """Too little was paid in: within the hour it is news, since the pause was ended by hand; also one that ran out."""
    rig = Rig()
    for wait_s in (10, 400, 400):
        rig.desk.ended(MARKET, Operation.ENTRY, InsufficientFunds("too little"))
        await asyncio.sleep(wait_s)
        rig.desk.forgive(MARKET, "ann")
    await asyncio.sleep(1)
    said = [("entries.paused", "insufficient_balance"), ("entries.resumed", "ann has them tried again")]
    assert paused_and_resumed(rig) == said * 3


@told
async def test_whoever_was_alerted_to_an_operation_that_fails_is_told_when_it_works_again() -> None:
    """Once, for what was told of and nothing else: one that fails now and then is nobody's matter."""
    rig = Rig()
    for _ in range(5):
        rig.desk.ended(MARKET, Operation.EXIT, TimeoutError())
    rig.desk.ended(MARKET, Operation.EXIT, None)
    await asyncio.sleep(0.1)
    assert rig.notes == []
    for _ in range(6):
        rig.desk.ended(MARKET, Operation.EXIT, TimeoutError())
    rig.desk.ended(MARKET, Operation.ENTRY, None)
    for _ in range(2):
        rig.desk.ended(MARKET, Operation.EXIT, None)
    await asyncio.sleep(0.1)
    alert, over = rig.notes
    assert (alert.kind, over.kind, over.severity, over.market) == ("error.alert", "error.over", Severity.INFO, MARKET)
    assert over.message == "exit works again, after 6 errors"
    assert over.fields == alert.fields == {"kind": "timeout", "operation": "exit"}
