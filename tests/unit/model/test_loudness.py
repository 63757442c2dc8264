"""What a person looks for by its severity is found: the history and the messages say the same of an event."""

from decimal import Decimal

import pytest

from kangbot.model.events import (
    BreakerChanged,
    BreakerState,
    DrawdownReset,
    EntriesPaused,
    Event,
    KillSwitchReleased,
    KillSwitchSet,
    Lane,
    Noted,
    RequestsPaused,
    RunState,
    RunStateChanged,
    Severity,
)
from kangbot.model.loudness import LONG_PAUSE_NS, severity_of
from kangbot.notify.wording import notice_of
from kangbot.storage.projection import project
from tests.support.records import EVERY, MARKET, NOON_NS, records


def state(after: RunState) -> Event:
    """Return a market that came into this state."""
    return RunStateChanged(market=MARKET, before=RunState.LIVE, after=after, reason="why", at_ns=NOON_NS)


def breaker(lane: Lane, after: BreakerState) -> Event:
    """Return a breaker that came into this state."""
    return BreakerChanged(
        market=MARKET, lane=lane, before=BreakerState.CLOSED, after=after, until_ns=0, trips=1, cause="", at_ns=NOON_NS
    )


@pytest.mark.parametrize(
    ("event", "severity"),
    [
        (state(RunState.FAILED), Severity.CRITICAL),
        (state(RunState.PAUSED), None),
        (breaker(Lane.EXIT, BreakerState.OPEN), Severity.ERROR),
        (breaker(Lane.ENTRY, BreakerState.OPEN), Severity.WARNING),
        (breaker(Lane.EXIT, BreakerState.CLOSED), None),
        (KillSwitchSet(reason="why", flatten=False, caller="cli", at_ns=NOON_NS), Severity.CRITICAL),
        (KillSwitchReleased(caller="cli", at_ns=NOON_NS), Severity.WARNING),
        (
            DrawdownReset(currency="USDT", highest=Decimal(9), equity=Decimal(8), caller="cli", at_ns=NOON_NS),
            Severity.WARNING,
        ),
        (RequestsPaused(budget="all", until_ns=NOON_NS + LONG_PAUSE_NS, at_ns=NOON_NS), Severity.ERROR),
        (RequestsPaused(budget="all", until_ns=NOON_NS + 1, at_ns=NOON_NS), Severity.INFO),
        (EntriesPaused(market=None, until_ns=NOON_NS + 1, cause="why", caller="cli", at_ns=NOON_NS), Severity.WARNING),
        (EntriesPaused(market=None, until_ns=0, cause="", caller="cli", at_ns=NOON_NS), Severity.INFO),
    ],
)  # fmt: skip
def test_what_stops_something_is_loud(event: Event, severity: Severity | None) -> None:
    """A kill switch or a market that has FAILED is among what is critical; a market that was paused is not."""
    assert severity_of(event) is severity


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_the_history_and_a_message_agree(event: Event) -> None:
    """One place says it."""
    notice = notice_of(event)
    if notice is not None:
        assert notice.severity is severity_of(event)
    for upsert, values in project(records([event])):
        if upsert.table == "events":
            told = dict(zip(upsert.columns, values[0], strict=True))["severity"]
            assert told == (severity_of(event) or None)


def test_a_note_is_as_loud_as_it_says() -> None:
    """Whoever notes it knows."""
    note = Noted(kind="k", severity=Severity.ERROR, market=None, message="m", at_ns=NOON_NS)
    assert severity_of(note) is Severity.ERROR
