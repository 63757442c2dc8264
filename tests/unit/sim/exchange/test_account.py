"""The account of the simulated venue: what is booked, what is kept back, and what may still be used."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.model.ids import MarketId, VenueOrderId
from kangbot.model.orders import OrderKind, OrderStatus, Side
from kangbot.sim.exchange.account import Account
from kangbot.sim.exchange.orders import OrderRequest, SimOrder
from kangbot.sim.exchange.position import Holding
from kangbot.sim.markets.listing import linear, spot
from kangbot.sim.markets.spec import VenueSpec
from tests.support.sim_bench import START_NS

D = Decimal
BTC, ETH, COINS = linear("BTCUSDT").market, linear("ETHUSDT").market, spot("BTCUSDT").market
SPEC = VenueSpec(
    markets=(linear("BTCUSDT"), linear("ETHUSDT"), spot("BTCUSDT")),
    start_ns=START_NS,
    balance=D(10_000),
    maintenance=D("0.1"),
)


@pytest.fixture
def account() -> Account:
    """Ten thousand Tether, and nothing else."""
    return Account(SPEC)


def resting(market: MarketId, side: Side, quantity: str, price: str, **changes: object) -> SimOrder:
    """Return a limit order that rests."""
    request = OrderRequest(
        market=market, side=side, kind=OrderKind.LIMIT, quantity=D(quantity), price=D(price), client_id="kb1"
    )
    order = SimOrder(
        order_id=VenueOrderId("1"),
        request=request,
        quantity=request.quantity,
        price=request.price,
        created_ns=START_NS,
        updated_ns=START_NS,
    )
    return msgspec.structs.replace(order, **changes)


# ------------------------------------------------------------------------------------------------------------- booking
def test_a_fill_of_a_contract_costs_its_fee_and_what_it_closes_is_won_or_lost(account: Account) -> None:
    """A rebate is received. The quantity closed and its profit are told before fees."""
    assert account.trade(BTC, D(2), D(1000), D("0.001"), 5) == (D(2), "USDT", D(0), D(0))
    assert account.trade(BTC, D(-3), D(1100), D("-0.001"), 6) == (D("-3.3"), "USDT", D(2), D(200))
    assert account.coins == {"USDT": D(10_000) - 2 + D("3.3") + 200}
    assert account.fees_paid == D("-1.3")
    holding = account.holding(BTC)
    assert (holding.net, holding.entry, holding.opened_ns) == (D(-1), D(1100), 6)


def test_a_fill_of_a_spot_pair_exchanges_coins_and_its_fee_is_of_what_came(account: Account) -> None:
    """Of the coin for a buy, of the currency for a sale; there is no position."""
    assert account.trade(COINS, D(2), D(1000), D("0.001"), 5) == (D("0.002"), "BTC", D(0), D(0))
    assert account.coins == {"USDT": D(8000), "BTC": D("1.998")}
    assert account.trade(COINS, D(-1), D(1200), D("0.001"), 6) == (D("1.2"), "USDT", D(0), D(0))
    assert account.coins == {"USDT": D(8000) + 1200 - D("1.2"), "BTC": D("0.998")}
    assert (account.open_markets(), account.fees_paid) == ([], D(0))


def test_funding_is_counted_and_money_that_is_moved_is_not(account: Account) -> None:
    """Both are in the wallet."""
    account.fund(D(-3))
    account.fund(D(1))
    account.move(D(500))
    account.move(D(-100))
    assert (account.coins["USDT"], account.funding) == (D(10_398), D(-2))


def test_each_kind_of_fill_has_its_fee(account: Account) -> None:
    """A spot pair has one for makers and takers."""
    rates = [account.fee_rate(market, maker=maker) for market in (BTC, COINS) for maker in (True, False)]
    assert rates == [SPEC.maker_fee, SPEC.taker_fee, SPEC.spot_fee, SPEC.spot_fee]


def test_open_markets_are_in_the_order_in_which_they_were_traded(account: Account) -> None:
    """One that is flat again is none of them, and one that nobody traded is flat."""
    for market, signed in ((ETH, D(1)), (BTC, D(1))):
        account.trade(market, signed, D(100), D(0), 5)
    assert account.open_markets() == [ETH, BTC]
    account.trade(ETH, D(-1), D(100), D(0), 6)
    assert account.open_markets() == [BTC]
    assert Account(SPEC).holding(BTC) == Holding()


def test_a_market_may_join_and_a_position_be_taken_up(account: Account) -> None:
    """As a later life of a paper account does."""
    late = linear("SOLUSDT")
    account.add_market(late)
    left = Holding(net=D(3), cost=D(300), opened_ns=1, updated_ns=2)
    account.take_up(late.market, left)
    assert (account.holding(late.market), account.leverage(late.market)) == (left, D(10))
    assert account.coins["USDT"] == 10_000  # what it cost is not asked for twice


# -------------------------------------------------------------------------------------------------------------- margin
def test_the_standing_values_positions_at_their_marks(account: Account) -> None:
    """Longs and shorts alike need margin, by the leverage of each market."""
    account.trade(BTC, D(2), D(1000), D(0), 5)
    account.trade(ETH, D(-10), D(100), D(0), 5)
    account.set_leverage(ETH, D(2))
    standing = account.standing({BTC: D(1100), ETH: D(90)}, [resting(BTC, Side.BUY, "1", "500")])
    assert (standing.wallet, standing.unrealised, standing.equity) == (D(10_000), D(300), D(10_300))
    assert standing.position_margin == D(2200) / 10 + D(900) / 2
    assert (standing.maintenance, standing.order_margin) == (D(310), D(50))
    assert standing.available == D(10_300) - 670 - 50
    told = account.balance({BTC: D(1100), ETH: D(90)}, [], 7)
    assert (told.currency, told.equity, told.available, told.at_ns) == ("USDT", D(10_300), D(9630), 7)


def test_nothing_is_available_where_there_is_less_than_is_needed(account: Account) -> None:
    """And not a negative amount."""
    account.trade(BTC, D(50), D(1000), D(0), 5)
    assert account.standing({BTC: D(700)}).available == 0


def test_leverage_is_the_venues_until_it_is_set_and_never_above_the_markets(account: Account) -> None:
    """Each market has its own."""
    calm = Account(
        msgspec.structs.replace(
            SPEC, markets=(msgspec.structs.replace(linear("BTCUSDT"), max_leverage=D(3)), linear("ETHUSDT"))
        )
    )
    assert (calm.leverage(BTC), calm.leverage(ETH)) == (D(3), D(10))
    account.set_leverage(BTC, D(25))
    assert (account.leverage(BTC), account.leverage(ETH)) == (D(25), D(10))


@pytest.mark.parametrize(("net", "covered"), [("100", "1000.01"), ("-100", "999.99")])
def test_equity_covers_the_maintenance_margin_or_it_does_not(account: Account, net: str, covered: str) -> None:
    """As much as the margin is not enough: 10,000 of equity against a tenth of 100,000, at a mark of 1000."""
    account.trade(BTC, D(net), D(1000), D(0), 5)
    marks = {"1000": False, covered: True}
    assert {mark: account.covers({BTC: D(mark)}.__getitem__) for mark in marks} == marks


def test_coins_are_no_part_of_what_covers_a_position(account: Account) -> None:
    """They are not sold by the venue."""
    account.trade(COINS, D(1), D(1000), D(0), 5)
    account.trade(BTC, D(90), D(1000), D(0), 5)
    assert not account.covers(lambda _: D(1000))


@pytest.mark.parametrize(
    ("order", "reserved"),
    [
        (resting(BTC, Side.BUY, "2", "1000"), "200"),
        (resting(BTC, Side.SELL, "2", "1000", filled=D("0.5"), status=OrderStatus.PARTIAL), "150"),
        (resting(BTC, Side.BUY, "2", "1000", untriggered=True), "0"),
        (msgspec.structs.replace(resting(BTC, Side.BUY, "2", "1000"), price=None, trigger=D(900)), "180"),
        (resting(COINS, Side.BUY, "2", "1000"), "2000"),
        (resting(COINS, Side.SELL, "2", "1000"), "0"),
        (resting(COINS, Side.BUY, "2", "1000", untriggered=True), "0"),
        (resting(BTC, Side.BUY, "2", "1000", status=OrderStatus.CANCELED), "0"),
    ],
)
def test_a_resting_order_keeps_back_what_it_would_need(account: Account, order: SimOrder, reserved: str) -> None:
    """Margin for a contract, the whole price for coins, nothing before its trigger; a sale of coins keeps those."""
    assert account.reserve(order) == D(reserved)


def test_an_order_that_only_reduces_keeps_nothing_back(account: Account) -> None:
    """It frees margin."""
    order = resting(BTC, Side.SELL, "2", "1000")
    reducing = msgspec.structs.replace(order, request=msgspec.structs.replace(order.request, reduce_only=True))
    assert account.reserve(reducing) == 0


# ------------------------------------------------------------------------------------------------------ what is bought
def affords(account: Account, market: MarketId, side: Side, quantity: str, *orders: SimOrder) -> bool:
    """Whether an order at 1000 may be accepted while these rest."""
    marks = dict.fromkeys(account.open_markets(), D(1000))
    return account.affords(market, side, D(quantity), D(1000), marks=marks, orders=orders)


def test_margin_and_the_takers_fee_are_asked_for_to_the_last_cent() -> None:
    """A quantity of 80 needs 8,000 and a fee of 2,000."""
    account = Account(msgspec.structs.replace(SPEC, taker_fee=D("0.025")))
    assert affords(account, BTC, Side.BUY, "80")
    assert affords(account, BTC, Side.SELL, "80")
    assert not affords(account, BTC, Side.BUY, "80.001")
    assert not affords(account, BTC, Side.BUY, "80", resting(ETH, Side.BUY, "1", "1"))


def test_what_closes_a_position_needs_nothing_and_what_goes_beyond_does(account: Account) -> None:
    """All is used: the whole can be sold, and not a step more."""
    account.trade(BTC, D(100), D(1000), D(0), 5)
    assert affords(account, BTC, Side.SELL, "100")
    assert not affords(account, BTC, Side.SELL, "100.001")
    assert not affords(account, BTC, Side.BUY, "0.001")
    assert not affords(account, ETH, Side.SELL, "0.01")


def test_what_goes_beyond_a_position_needs_margin_for_that_alone() -> None:
    """And the fee of all of it."""
    account = Account(msgspec.structs.replace(SPEC, taker_fee=D("0.025")))
    account.trade(BTC, D(20), D(1000), D(0), 5)  # 8,000 are left
    assert affords(account, BTC, Side.SELL, "80")  # 6,000 of margin and 2,000 of fee
    assert not affords(account, BTC, Side.SELL, "80.001")


def test_coins_are_paid_in_full_and_only_what_is_there_is_sold(account: Account) -> None:
    """What a resting sale will give away is promised, and so is what a resting purchase will cost."""
    assert affords(account, COINS, Side.BUY, "10")
    assert not affords(account, COINS, Side.BUY, "10.001")
    assert not affords(account, COINS, Side.BUY, "10", resting(COINS, Side.BUY, "0.001", "1000"))
    assert not affords(account, COINS, Side.SELL, "0.001")
    account.trade(COINS, D(2), D(1000), D(0), 5)
    assert affords(account, COINS, Side.SELL, "2")
    assert not affords(account, COINS, Side.SELL, "2.001")
    assert not affords(account, COINS, Side.SELL, "2", resting(COINS, Side.SELL, "0.001", "2000"))
    waits = resting(COINS, Side.SELL, "2", "2000", untriggered=True)
    assert affords(account, COINS, Side.SELL, "2", waits)


def test_an_order_is_paid_with_the_coin_that_it_gives_away(account: Account) -> None:
    """A contract is margined in the account's currency."""
    paid = [account.pays(market, side) for market in (BTC, COINS) for side in (Side.BUY, Side.SELL)]
    assert paid == ["USDT", "USDT", "USDT", "BTC"]


def test_a_position_is_told_with_its_stop_and_its_worth(account: Account) -> None:
    """Flat or not; where there is no mark nothing is won or lost."""
    account.trade(BTC, D(2), D(1000), D(0), 5)
    told = account.position(BTC, D(1100), D(900), 9)
    assert (told.net, told.entry, told.stop, told.mark, told.unrealised) == (D(2), D(1000), D(900), D(1100), D(200))
    assert (told.leverage, told.at_ns) == (D(10), 9)
    assert account.position(BTC, None, None, 9).unrealised == 0
    flat = account.position(ETH, D(100), None, 9)
    assert (flat.net, flat.entry, flat.unrealised) == (D(0), None, D(0))
