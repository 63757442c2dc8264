"""How many events of each kind were written, since start and of late; bounded whatever comes."""

from kangbot.health.event_counts import MOST_KINDS, OTHER, EventCounts
from kangbot.health.report import EventReport
from kangbot.model.events import EntriesPaused, Noted, Severity


def note(kind: str) -> Noted:
    return Noted(kind=kind, severity=Severity.INFO, market=None, message="", at_ns=0)


PAUSE = EntriesPaused(market=None, until_ns=1, cause="no money", at_ns=0)


def test_events_count_by_their_kind_and_notes_by_their_own() -> None:
    """What came most of late stands first."""
    counts = EventCounts()
    for event in (PAUSE, note("stop.missing"), PAUSE):
        counts.observe(event)
    assert counts.reports() == [
        EventReport(kind="entries_paused", recent=2, total=2),
        EventReport(kind="stop.missing", recent=1, total=1),
    ]


def test_what_is_older_than_a_quarter_of_an_hour_counts_in_the_total_alone() -> None:
    """One sample a minute, and sixteen of them: none is older than that."""
    counts = EventCounts()
    counts.observe(PAUSE)
    for minute in range(40):
        counts.sample()
        if minute == 20:
            counts.observe(PAUSE)
        recent = [one.recent for one in counts.reports()]
        assert recent == [1 if minute < 15 or 20 <= minute < 36 else 0]
    assert [one.total for one in counts.reports()] == [2]


def test_kinds_without_end_are_counted_together() -> None:
    """So that neither the memory nor the series of a scrape can grow."""
    counts = EventCounts()
    for number in range(10 * MOST_KINDS):
        counts.observe(note(f"kind.{number}"))
    counts.sample()
    counts.observe(note("kind.0"))
    reports = counts.reports()
    assert len(reports) == MOST_KINDS + 1
    assert {one.kind: one.total for one in reports}[OTHER] == 9 * MOST_KINDS
    assert reports[0] == EventReport(kind=OTHER, recent=9 * MOST_KINDS, total=9 * MOST_KINDS)
