"""What a market writes, and writes again: in order, in parts, and never more than so much of it."""

from collections.abc import Awaitable
from typing import cast

import pytest
from structlog.testing import capture_logs

from kangbot.execution.errands import Errands
from kangbot.execution.outcome import WriteEnded
from kangbot.execution.records import Records
from kangbot.machines.backlog import Group
from kangbot.model.events import CashFlowApplied, Event, Noted, Severity
from kangbot.ports import Journal
from tests.support.trade_words import MARKET, SECOND, START, funding

KEPT, PART = 20, 5


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep little, and write few at once."""
    monkeypatch.setattr("kangbot.execution.records.KEPT", KEPT)
    monkeypatch.setattr("kangbot.execution.records._PART", PART)


class Desk:
    """The journal and the errands in one: remembers what is under way, and ends it as the test says."""

    def __init__(self) -> None:
        self.flying: list[Group] = []
        self.on_disk: list[Event] = []
        self.heard: list[Event] = []  # by whoever listens to the journal
        self.records = Records(journal=cast("Journal", self), errands=cast("Errands", self))

    def append(self, *events: Event, reserve: bool, again: bool) -> Awaitable[int]:
        assert reserve
        if not again:
            self.heard.extend(events)
        return cast("Awaitable[int]", events)

    def keep(self, written: Awaitable[int], events: Group, *, again: bool) -> None:
        assert again is bool(self.records.behind)
        self.flying.append(events)

    def stands(self) -> tuple[int, str, int | None]:
        """How much waits, why, and when it is written again."""
        return self.records.count, self.records.behind, self.records.due_ns

    def full(self) -> bool:
        """Whether no more may be learnt."""
        return self.records.full

    def end(self, now_s: int, *, well: bool) -> None:
        """End what has been under way for longest."""
        events = self.flying.pop(0)
        if well:
            self.on_disk.extend(events)
        if not well or self.records.behind:  # nobody hears that a first attempt went well
            self.records.ended(WriteEnded(events=events, error="" if well else "no room"), now_s * SECOND)


def fact(number: int) -> CashFlowApplied:
    """Return what nothing else says."""
    return CashFlowApplied(flow=funding(f"f{number}", number), at_ns=START)


def note(number: int) -> Noted:
    """Return a note like the others."""
    return Noted(kind="odd", severity=Severity.INFO, market=MARKET, message=f"{number}", at_ns=START)


def test_what_waits_is_tried_by_its_oldest_group_and_follows_in_parts() -> None:
    """However much waits, an attempt costs the same; the order is that of what happened."""
    desk = Desk()
    for number in range(12):
        desk.records.write((fact(number),))
        if not number:
            desk.end(1, well=False)
    assert desk.stands() == (12, "the journal is behind: no room", 2 * SECOND)
    for now_s in (2, 3, 4):
        desk.records.tick(now_s * SECOND)
        assert desk.flying == [(fact(0),)]
        assert desk.stands()[2] is None
        desk.records.tick((now_s + 1) * SECOND)
        desk.end(now_s, well=False)
    assert desk.stands()[0] == 12
    desk.records.tick(4 * SECOND)
    assert not desk.flying
    desk.records.tick(5 * SECOND)
    desk.end(5, well=True)
    assert [len(group) for group in desk.flying] == [PART]
    desk.records.write((fact(12),))
    desk.end(5, well=False)
    desk.records.tick(6 * SECOND)
    assert desk.flying == [(fact(1),)]
    while desk.flying:
        desk.end(6, well=True)
    assert desk.on_disk == desk.heard == [fact(number) for number in range(13)]
    assert desk.stands() == (0, "", None)


def test_what_was_under_way_when_the_disk_failed_comes_before_what_was_learnt_since() -> None:
    """Also where it fails only while the first is being written again."""
    desk = Desk()
    desk.records.write((fact(0),))
    desk.records.write((fact(1), fact(2)))
    desk.records.write((fact(3),))
    desk.end(1, well=False)
    desk.records.write((fact(4),))
    desk.records.tick(2 * SECOND)
    second, third, again = desk.flying
    desk.flying = [again]
    for late in (second, third):
        desk.records.ended(WriteEnded(events=late, error="no room"), 2 * SECOND)
    assert desk.stands()[::2] == (5, None)  # what is under way says how to go on
    while desk.flying:
        desk.end(3, well=True)
    assert desk.on_disk == desk.heard == [fact(number) for number in range(5)]


def test_the_order_stays_where_a_second_group_fails_after_the_first() -> None:
    """Both were on their way: what happened first is written first, however the disk answers."""
    desk = Desk()
    for number in range(3):
        desk.records.write((fact(number),))
    for _ in range(3):
        desk.end(1, well=False)
    desk.records.tick(2 * SECOND)
    while desk.flying:
        desk.end(2, well=True)
    assert desk.on_disk == [fact(number) for number in range(3)]
    assert desk.stands() == (0, "", None)


def test_the_log_has_each_note_and_that_the_journal_falls_behind_and_catches_up() -> None:
    """The disk that takes nothing is said once, and the notes of that time are not kept from whoever reads the log."""
    desk = Desk()
    with capture_logs() as logs:
        for number in range(2):
            desk.records.write((note(number), fact(number)))
        for failed_s in (1, 3):
            desk.end(failed_s, well=False)
            desk.records.tick((failed_s + 1) * SECOND)
        while desk.flying:
            desk.end(9, well=True)
    assert [(one["event"], one["log_level"]) for one in logs] == [
        ("odd", "info"),
        ("odd", "info"),
        ("journal.behind", "error"),
        ("journal.caught_up", "info"),
    ]
    assert [one["message"] for one in logs if one["event"] == "odd"] == ["0", "1"]


def test_no_more_than_so_much_waits_and_then_nothing_more_is_to_be_learnt() -> None:
    """Notes make room first; where only facts are left, it is full until the disk has taken some."""
    desk = Desk()
    desk.records.write((fact(0),))
    desk.end(1, well=False)
    for number in range(100):
        desk.records.write((note(number),))
        assert desk.stands()[0] <= KEPT
        assert not desk.full()
    for number in range(1, KEPT):
        desk.records.write((fact(number),))
    assert desk.full()
    for number in range(100, 1_000):
        desk.records.write((note(number),))
        assert desk.full()
        assert desk.stands()[0] <= KEPT * 5 // 4 + 1
    desk.records.tick(2 * SECOND)
    assert desk.full()  # what is on its way may come back
    while desk.flying:
        desk.end(2, well=True)
    assert not desk.full()
    for told in (desk.on_disk, desk.heard):
        assert [event for event in told if isinstance(event, CashFlowApplied)] == [fact(n) for n in range(KEPT)]
    notes = [event for event in desk.on_disk if isinstance(event, Noted)]
    assert sum(int(one.fields.get("times", "1")) for one in notes) == 1_000
    assert notes[-1].message == "999"


async def test_nothing_written_is_kept_at_once() -> None:
    """A person's command that changes nothing waits for no disk."""
    await Desk().records.kept()
