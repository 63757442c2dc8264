"""What the venue says of a market's leverage, and when it is put back."""

from decimal import Decimal

from kangbot.machines.leverage import AGAIN_NS, QUIET_NS, Leverage

SET = 1_000_000_000_000
LATER = SET + QUIET_NS


def test_what_was_never_set_differs_from_nothing() -> None:
    """A market that has not been started is traded by whoever set its leverage."""
    assert Leverage().stated(Decimal(10), LATER) == Leverage()


def test_another_leverage_is_known_until_it_is_the_same_again() -> None:
    """By the venue's word, or because it was set again."""
    known = Leverage().placed(3, SET).stated(Decimal(3), LATER)
    assert known.differs is None
    other = known.stated(Decimal(10), LATER)
    assert other.differs == 10
    assert other.stated(Decimal(5), LATER).differs == 5
    assert other.stated(Decimal("3.0"), LATER).differs is None
    assert other.placed(3, LATER).differs is None


def test_a_statement_that_says_nothing_of_it_changes_nothing() -> None:
    """Flat ones have none in a round, and none has one in portfolio margin."""
    known = Leverage().placed(3, SET)
    assert known.stated(None, LATER) == known
    other = known.stated(Decimal(10), LATER)
    assert other.stated(None, LATER) == other


def test_what_may_be_from_before_it_was_set_says_nothing() -> None:
    """A push that was on its way, or a question that was asked before."""
    known = Leverage().placed(3, SET)
    assert known.stated(Decimal(10), LATER - 1) == known


def test_it_is_put_back_and_not_again_and_again() -> None:
    """Two daemons that want another one each must not prepare their markets for ever."""
    other = Leverage().placed(3, SET).stated(Decimal(10), LATER)
    assert (Leverage().placed(3, SET).due(LATER), other.due(LATER)) == (False, True)
    again = other.put_back(LATER).placed(3, LATER).stated(Decimal(10), LATER + QUIET_NS)
    assert again.differs == 10
    assert not again.due(LATER + AGAIN_NS - 1)
    assert again.due(LATER + AGAIN_NS)
