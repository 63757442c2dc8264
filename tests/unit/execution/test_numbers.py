"""The numbers of intents: one sequence for all markets of a journal, whatever the venue knows already."""

from kangbot.execution.numbers import Numbers
from kangbot.model.ids import LOST_AT_MOST, MarketId
from tests.support.trade_words import MARKET


def test_numbers_count_on_from_the_journal() -> None:
    """The one that comes is known before it is taken."""
    numbers = Numbers(7)
    assert (numbers.upcoming, numbers.take(MARKET), numbers.take(MARKET), numbers.upcoming) == (7, 7, 8, 9)


def test_numbers_go_on_beyond_what_the_venue_knows_of_an_older_journal() -> None:
    """A number that was given is no news; one that was not is, and so may be others after it."""
    numbers = Numbers(7)
    assert [numbers.heed(used) for used in ([], [0], [6], [6, 7, 2], [7])] == [0, 0, 0, 7, 0]
    assert numbers.take(MARKET) == 7 + LOST_AT_MOST


def test_what_leaves_before_the_venue_has_told_its_numbers_bears_none_that_it_may_know() -> None:
    """They are beyond all that an older copy of the journal would give again; which of those it knows is told once."""
    numbers = Numbers(7, unheard=True)
    far = 7 + LOST_AT_MOST
    assert (numbers.upcoming, numbers.take(MARKET), numbers.take(MARKET)) == (far, far, far + 1)
    assert not numbers.strange(far, MARKET)
    assert [numbers.heed(used) for used in ([far + 1, 9, 8], [far + 1, 9])] == [9, 0]
    assert numbers.take(MARKET) == far + 2
    heard = Numbers(7, unheard=True)
    assert (heard.heed([6]), heard.upcoming, heard.take(MARKET)) == (0, 7, 7)


def test_a_number_is_strange_that_was_not_given_or_to_another_market() -> None:
    """An order that bears it is none of ours."""
    numbers = Numbers(7)
    numbers.take(MARKET)
    other = MarketId("bybit:ETH-USDT:USDT")
    assert [numbers.strange(7, MARKET), numbers.strange(7, other), numbers.strange(8, MARKET)] == [False, True, True]
    assert not numbers.strange(6, other)  # of an earlier life: whose it was is in the journal


def test_who_got_a_number_is_known_for_a_while() -> None:
    """Long enough for a twin that starts beside us; a daemon gives numbers for months."""
    numbers, other = Numbers(1), MarketId("bybit:ETH-USDT:USDT")
    for _ in range(1025):
        numbers.take(MARKET)
    assert (numbers.strange(1, other), numbers.strange(2, other)) == (False, True)


def test_a_leap_passes_over_what_may_have_left_without_us() -> None:
    """Beyond the number that somebody else has used, and beyond all that was given."""
    numbers = Numbers(7)
    numbers.take(MARKET)
    numbers.leap(7)
    assert not numbers.strange(7, MarketId("bybit:ETH-USDT:USDT"))  # it is a twin's by now, in whichever market
    assert numbers.take(MARKET) == 8 + LOST_AT_MOST
    numbers.leap(3)
    assert numbers.take(MARKET) == 9 + 2 * LOST_AT_MOST
