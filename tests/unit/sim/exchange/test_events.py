"""What the simulated venue tells, and what of it an account's owner hears."""

from decimal import Decimal

import pytest

from kangbot.model.data import Quote, Trade
from kangbot.model.orders import Balance, CashFlow, Fill, OrderReport, OrderStatus, Side, VenuePosition
from kangbot.sim.exchange.events import Executed, Funded, OrderChanged, account_event
from kangbot.sim.markets.klines import Candle
from kangbot.sim.markets.spec import MINUTE_NS
from tests.support.sim_bench import START_NS, Bench

D = Decimal


@pytest.fixture
def bench() -> Bench:
    """A venue that has told of everything there is: a trade, a funding, a closed minute."""
    bench = Bench(funding_interval_s=60)
    bench.submit(Side.BUY, "0.5", client_id="kb1")
    bench.now_ns = START_NS + 2 * MINUTE_NS
    bench.venue.advance(bench.now_ns)
    bench.quote(bench.btc, "1001")
    return bench


def test_the_owner_is_told_in_the_words_of_the_house_and_not_of_the_market(bench: Bench) -> None:
    """Orders as reports, executions as fills and flows, positions and money as they are."""
    heard = {type(event): type(account_event(event)) for event in bench.venue.drain()}
    assert heard == {
        OrderChanged: OrderReport,
        Executed: Fill,
        Funded: CashFlow,
        VenuePosition: VenuePosition,
        Balance: Balance,
        Quote: type(None),
        Trade: type(None),
        Candle: type(None),
    }


def test_an_order_is_told_as_it_was_and_a_fill_is_the_one_that_was_executed(bench: Bench) -> None:
    """The report is of the order after the change."""
    changed = next(event for event in bench.venue.drain() if isinstance(event, OrderChanged))
    told = account_event(changed)
    assert isinstance(told, OrderReport)
    assert (told.client_id, told.status, told.filled) == ("kb1", OrderStatus.FILLED, D("0.5"))


def test_a_fill_and_a_payment_are_found_by_the_same_names(bench: Bench) -> None:
    """A payment has no order behind it: its own id stands for one, and nobody's client id."""
    executed, *payments = bench.venue.executions
    assert isinstance(executed, Executed)
    assert (executed.market, executed.at_ns) == (bench.btc, executed.fill.at_ns)
    assert (executed.order_id, executed.client_id) == (executed.fill.venue_order_id, "kb1")
    assert [payment.at_ns for payment in payments] == [
        at_ns for at_ns in range(START_NS // MINUTE_NS * MINUTE_NS, bench.now_ns, MINUTE_NS) if at_ns > START_NS
    ]
    for payment in payments:
        assert isinstance(payment, Funded)
        assert (payment.market, payment.order_id, payment.client_id) == (bench.btc, payment.flow.execution_id, "")
