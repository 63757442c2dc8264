"""What the venue said of an order and cannot be, over restarts."""

from kangbot.machines.contradiction import contradicted, of_contradiction
from kangbot.model.events import Noted, Severity
from tests.support.trade_words import MARKET, START


def note(kind: str, message: str = "") -> Noted:
    """Return a note of that kind."""
    return Noted(kind=kind, severity=Severity.CRITICAL, market=MARKET, message=message, fields={}, at_ns=START)


def test_it_stands_until_a_person_releases_the_market() -> None:
    """The newest is the one that is told; whatever else is noted lifts nothing."""
    standing = contradicted("", note("order.impossible", "one cannot be"))
    assert standing == "one cannot be"
    assert contradicted(standing, note("order.impossible", "two cannot be")) == "two cannot be"
    assert contradicted(standing, note("market.quarantine", "a hand")) == standing
    assert contradicted(standing, note("market.released")) == ""


def test_only_notes_of_it_are_heard() -> None:
    """A memory of a market is made for these alone."""
    kinds = ("order.impossible", "market.released", "order.foreign")
    assert [of_contradiction(note(kind)) for kind in kinds] == [True, True, False]
