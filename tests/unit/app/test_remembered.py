"""Those who remember by the journal."""

from kangbot.app.remembered import Remembered
from kangbot.risk.limits import Limits
from kangbot.settings import Settings


def test_their_names_are_those_of_every_journal_there_is() -> None:
    """A checkpoint has one state a name: another name would have a daemon forget what it was told."""
    fresh = Remembered.new(Settings(), Limits(leverage=None)).by_name()
    assert set(fresh) == {"risk", "past", "breakers", "pauses", "holds", "lives", "transfers", "margin"}
