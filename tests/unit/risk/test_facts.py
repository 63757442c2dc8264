"""What an order adds to exposure at its worst."""

from collections.abc import Callable
from decimal import Decimal

from kangbot.model.orders import OrderKind, Proposal
from kangbot.risk.facts import worst_notional

D = Decimal
Propose = Callable[..., Proposal]


def test_the_worst_of_a_limit_order_is_its_dearer_price(propose: Propose) -> None:
    """A short fills at its limit or higher; a market order fills worse than its reference by the slippage."""
    assert worst_notional(propose(kind=OrderKind.LIMIT, price=D(90), quantity=D(2)), D(10)) == 200
    assert worst_notional(propose(kind=OrderKind.LIMIT, price=D(110), quantity=D(2)), D(10)) == 220
    assert worst_notional(propose(quantity=D(2)), D(10)) == 220
