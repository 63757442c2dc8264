"""A position as the venue keeps it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kangbot.sim.exchange.position import Holding

D = Decimal


def test_adding_averages_the_entry_and_reducing_keeps_it() -> None:
    """The profit of a part is that of its quantity."""
    holding, _, _ = Holding().traded(D(2), D(100), 1)
    holding, _, _ = holding.traded(D(2), D(110), 2)
    assert (holding.entry, holding.opened_ns) == (D(105), 1)
    holding, closed, profit = holding.traded(D(-1), D(115), 3)
    assert (holding.net, holding.entry, closed, profit, holding.realised) == (D(3), D(105), D(1), D(10), D(10))
    assert holding.unrealised(D(100)) == -15


def test_a_trade_beyond_flat_opens_the_other_side() -> None:
    """What is left opens at the price of the trade."""
    holding, _, _ = Holding().traded(D(-1), D(100), 1)
    holding, closed, profit = holding.traded(D(3), D(90), 2)
    assert (holding.net, holding.entry, closed, profit, holding.opened_ns) == (D(2), D(90), D(1), D(10), 2)


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 1000)), max_size=50))
def test_profit_and_cost_account_for_every_trade(trades: list[tuple[int, int]]) -> None:
    """Realised profit less the open cost is the cash that trading moved."""
    holding, cash = Holding(), D(0)
    for at_ns, (signed, price) in enumerate(trades):
        holding, _, _ = holding.traded(D(signed), D(price), at_ns)
        cash -= D(signed) * price
    assert holding.net == sum(signed for signed, _ in trades)
    assert abs(holding.realised - holding.cost - cash) < D("1e-15")
    assert (holding.entry is None) == (holding.net == 0)
