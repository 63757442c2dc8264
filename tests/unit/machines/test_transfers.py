"""Which transfers the journal has, and from when on there may be others."""

from decimal import Decimal

import pytest

from kangbot.machines.transfers import OVERLAP_NS, SECOND_NS, Transfers
from kangbot.model.events import EquityMarked, Transferred
from kangbot.model.ids import TransferId
from kangbot.model.orders import Transfer

NOON_NS = 20_000 * 86_400 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


def marked(at_ns: int, venue_ns: int = 0) -> EquityMarked:
    """The equity was known then."""
    return EquityMarked(venue="bybit", currency="USDT", equity=Decimal(1000), at_ns=at_ns, venue_ns=venue_ns)


def transferred(name: str, at_ns: int) -> Transferred:
    """Five were moved, and told of."""
    transfer = Transfer(transfer_id=TransferId(name), amount=Decimal(5), currency="USDT", at_ns=at_ns)
    return Transferred(venue="bybit", transfer=transfer, moved_ns=at_ns, at_ns=at_ns + 1)


def test_before_any_equity_is_known_nothing_was_moved_that_matters() -> None:
    """What was there at the beginning is in the first statement."""
    known = Transfers()
    assert known.since_ns(NOON_NS) == NOON_NS
    known.observe(marked(NOON_NS))
    assert known.since_ns(NOON_NS + DAY_NS) == NOON_NS


def test_it_is_asked_for_again_from_a_while_before_the_last_equity() -> None:
    """However long the daemon was away; and from now where the clock was set back."""
    known = Transfers()
    known.observe(marked(NOON_NS))
    known.observe(marked(NOON_NS + DAY_NS))
    assert known.since_ns(NOON_NS + 40 * DAY_NS) == NOON_NS + DAY_NS - OVERLAP_NS
    assert known.since_ns(NOON_NS + DAY_NS // 2) == NOON_NS + DAY_NS // 2 - OVERLAP_NS


@pytest.mark.parametrize("wrong_ns", [-DAY_NS, DAY_NS])
def test_a_clock_that_was_wrong_in_an_earlier_life_moves_nothing_into_the_next(wrong_ns: int) -> None:
    """What was there at the beginning was moved before it, by whatever clock of ours; what came later was not."""
    known = Transfers()
    known.observe(marked(NOON_NS + wrong_ns, venue_ns=NOON_NS))
    assert known.since_ns(NOON_NS + 1) == NOON_NS
    known.observe(marked(NOON_NS + SECOND_NS, venue_ns=NOON_NS + SECOND_NS))
    assert known.since_ns(NOON_NS + SECOND_NS) == NOON_NS


def test_a_clock_that_was_set_back_hides_no_transfer() -> None:
    """The first equity of a day that has not come yet, in records that have our time alone."""
    known = Transfers()
    known.observe(marked(NOON_NS + 300 * DAY_NS))
    known.observe(marked(NOON_NS))
    assert known.since_ns(NOON_NS + 1) == NOON_NS


@pytest.mark.parametrize("resumed", [False, True])
def test_each_is_new_once(resumed: bool) -> None:
    """After a restart too; and of a week ago it is not asked for again."""
    known = Transfers()
    known.observe(marked(NOON_NS))
    known.observe(transferred("a", NOON_NS + SECOND_NS))
    if resumed:
        state, known = known.checkpoint(), Transfers()
        known.resume(state)
    assert [known.new(transferred(name, NOON_NS).transfer) for name in "ab"] == [False, True]
    known.observe(transferred("b", NOON_NS + 8 * DAY_NS))
    assert [known.new(transferred(name, NOON_NS).transfer) for name in "ab"] == [True, False]
    assert known.since_ns(NOON_NS + DAY_NS) == NOON_NS
