"""What an account is worth where spot markets trade in it: its money, and the coins that these markets hold.

Money and coins are told by different ways: a purchase takes from the balance before its execution is heard, or after.
Counted at any moment, it would look like a loss, or like a gain that is lost again once the other half is known. So a
balance is counted only together with books that are known to be of the same moment: the executions were asked for after
it, every market has heard of them, and nothing was traded since shortly before it. What cannot be counted waits for the
next balance; until then the account is worth what it was.

What somebody else holds in the account, and coins of markets that do not run here, are no part of it.
"""

from collections.abc import Iterable

import msgspec

from kangbot.model.money import ZERO, Money, Quantity

SHORTLY_NS = 2_000_000_000  # so long after a trade a venue's balance may be without it


class Stated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A balance that the venue stated."""

    money: Money
    at_ns: int  # the venue's clock
    told_ns: int  # our clock: when the markets were given the executions that were asked for after it


class Stake(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one spot market has in the account, by its own books."""

    currency: str  # in which it is valued
    value: Money | None  # of its coins; None where nobody knows a price
    traded_ns: int  # its newest fill, by the venue's clock; 0 for none
    compared_ns: int  # when its books were compared with the venue last, by our clock
    in_flight: bool  # news of an order are due, or were missed
    coin: str = ""  # what is held
    held: Quantity = ZERO  # so much of it, by its books


def worth(stated: Stated, stakes: Iterable[Stake]) -> Money | None:
    """Return money and coins together; None where the books are not known to be of that balance's moment."""
    whole = stated.money
    for stake in stakes:
        if stake.value is None or stake.in_flight or stake.compared_ns < stated.told_ns:
            return None
        if stake.traded_ns > stated.at_ns - SHORTLY_NS:
            return None
        whole += stake.value
    return whole
