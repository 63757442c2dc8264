"""What lies behind a position: its stop, and what somebody traded by hand."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.holding import Holding
from kangbot.model.ids import ClientId, Symbol, VenueName, market_id
from kangbot.model.orders import Fill, FillCause, Intent, Side
from tests.support.trade_words import MARKET, START, dec, fill, intent


def hand(quantity: str | int, side: Side = Side.BUY, *, client: str | None = None) -> Fill:
    """Return a trade by hand; `client` where it bears an id that is not ours."""
    return Fill(
        market=MARKET,
        execution_id=fill("x", 1).execution_id,
        client_id=None if client is None else ClientId(client),
        venue_order_id=fill("x", 1).venue_order_id,
        side=side,
        price=dec(100),
        quantity=dec(quantity),
        fee_currency="USDT",
        at_ns=START,
    )


def after(*steps: tuple[Fill, Intent | None]) -> tuple[Holding, Decimal]:
    """Return what these fills come to, from flat, and the position."""
    holding, net = Holding(), dec(0)
    for one, meant in steps:
        holding = holding.filled(one, meant, before=net, after=net + one.signed, closed=False)
        net += one.signed
    return holding, net


ENTRY = (fill("e1", 2), intent(stop="90"))


def test_a_trade_by_hand_is_told_by_its_id() -> None:
    """None, or somebody else's; the venue's own doing is nobody's hand."""
    assert hand(1).by_hand
    assert hand(1, client="my-order").by_hand
    assert not fill("e1", 1).by_hand
    assert not fill("e1", 1, named=False, cause=FillCause.STOP).by_hand


def test_coins_that_a_hand_has_sold_are_nobodys_once_others_are_bought() -> None:
    """A contract's share by hand is there until flat; what a hand buys after that is theirs, all of it."""
    for market, share in ((market_id(VenueName("bybit"), Symbol("BTC/USDT")), 0), (MARKET, -2)):
        holding, net = Holding(), dec("0.1")  # what the last sale left
        for step in (ENTRY[0], hand(2, Side.SELL), fill("e2", 3)):
            one = msgspec.structs.replace(step, market=market)
            holding = holding.filled(one, None, before=net, after=net + one.signed, closed=False)
            net += one.signed
        assert holding.by_hand == share
        theirs = msgspec.structs.replace(hand(1), market=market)
        assert holding.filled(theirs, None, before=net, after=net + 1, closed=False).by_hand == share + 1


def test_the_stop_of_a_position_is_remembered_when_it_is_gone() -> None:
    """The one its entry carried, then the last that rested; gone with the position."""
    holding, net = after(ENTRY)
    assert holding.stop == dec(90)
    holding = holding.rests(dec(95)).rests(None)
    assert holding.stop == dec(95)
    more = holding.filled(fill("e2", 1), intent(2, stop="80"), before=net, after=net + 1, closed=False)
    assert more.stop == dec(95)
    flat = more.filled(hand(3, Side.SELL), None, before=dec(3), after=dec(0), closed=True)
    assert flat == Holding()


def test_an_exits_fill_carries_no_stop() -> None:
    """And an entry into a position whose stop nobody knew gives it one."""
    reducing = fill("e2", 1, side=Side.SELL)
    holding, _ = after((hand(2), None), (reducing, intent(2, stop="90")))
    assert holding.stop is None
    holding, _ = after((hand(2), None), (fill("e2", 1), intent(2, stop="90")))
    assert holding.stop == dec(90)


def test_what_somebody_added_by_hand_is_not_ours() -> None:
    """It stays theirs while our share comes and goes; what they take away is not ours to close either."""
    holding, net = after(ENTRY, (hand(1), None))
    assert (holding.by_hand, holding.ours(net)) == (dec(1), dec(2))
    holding, net = after(ENTRY, (hand(1), None), (fill("e2", 2, side=Side.SELL), intent(2)))
    assert (net, holding.ours(net)) == (dec(1), dec(0))
    holding, net = after(ENTRY, (hand("0.5", Side.SELL), None))
    assert (net, holding.ours(net)) == (dec("1.5"), dec("1.5"))
    short, net = after((hand(2, Side.SELL), None))
    assert (net, short.ours(net)) == (dec(-2), dec(0))
    for direction in (1, -1):
        shared = Holding(by_hand=dec("0.03") * direction)
        assert shared.ours(dec("0.05") * direction) == dec("0.02") * direction
        assert shared.ours(dec("0.01") * direction) == 0, "they hold more than there is: none of it is ours"
    assert shared.rests(dec(90)).by_hand == shared.by_hand


def test_a_position_that_turned_around_is_another_one() -> None:
    """By hand it is theirs, whole; by our order it is ours."""
    holding, net = after(ENTRY, (hand(3, Side.SELL), None))
    assert (holding, holding.ours(net)) == (Holding(by_hand=dec(-1)), dec(0))
    holding, net = after((hand(1), None), (fill("e1", 3, side=Side.SELL), intent(stop="110")))
    assert (holding, holding.ours(net)) == (Holding(stop=dec(110)), dec(-2))


def test_what_a_closing_order_leaves_over_is_theirs_who_traded_after_it() -> None:
    """Their trade is heard of first; at the venue the closing one came before it, and turned nothing around."""
    exit_ = msgspec.structs.replace(intent(2, stop="90"), reduce_only=True)
    short = (fill("e1", 2, side=Side.SELL), intent(stop="110"))
    for closing in (
        (fill("e2", 2, number=2), exit_),
        (fill("s1", 2, named=False, cause=FillCause.STOP), None),
        (fill("s1", 2, named=False, cause=FillCause.LIQUIDATION), None),
    ):
        holding, net = after(short, (hand("0.5"), None), closing)
        assert (net, holding.by_hand, holding.ours(net)) == (dec("0.5"), dec("0.5"), dec(0)), "past flat"
        holding, net = after(short, (hand(2), None), closing)
        assert (net, holding.by_hand, holding.ours(net)) == (dec(2), dec(2), dec(0)), "from flat"
    holding, net = after((fill("e2", 2, number=2), exit_), (fill("e1", 3, side=Side.SELL), intent(stop="110")))
    assert (holding, holding.ours(net)) == (Holding(stop=dec(110)), dec(-1)), "an entry of ours that is late"
    forgotten, net = after(short, (hand("0.5"), None), (fill("e2", 2, number=2), None))
    assert (net, forgotten.ours(net)) == (dec("0.5"), dec("0.5")), "an order of ours that we know nothing of"
    spot = msgspec.structs.replace(fill("e2", 2), market=market_id(VenueName("bybit"), Symbol("BTC/USDT")))
    bought = Holding().filled(spot, exit_, before=dec("-0.5"), after=dec("1.5"), closed=False)
    assert bought.by_hand == 0, "coins are netted by nobody"


def test_small_coins_are_told_apart_like_large_ones() -> None:
    """A hundredth of one: its stop, a hand's share that we buy beside, and what a hand's sale of all leaves over."""
    spot = market_id(VenueName("bybit"), Symbol("BTC/USDT"))
    assert after((hand("0.05"), None))[0] == Holding(by_hand=dec("0.05"))
    holding, net = after((fill("e1", "0.01"), intent(stop="90")), (hand("0.02"), None), (fill("e2", "0.01"), None))
    assert (holding, holding.ours(net)) == (Holding(stop=dec(90), by_hand=dec("0.02")), dec("0.02"))
    steps = [fill("e1", "0.1"), hand("0.08", Side.SELL), fill("e2", "0.05"), hand("0.06"), fill("e3", "0.01")]
    holding, net = Holding(), dec(0)
    for step in steps:
        one = msgspec.structs.replace(step, market=spot)
        holding = holding.filled(one, None, before=net, after=net + one.signed, closed=False)
        net += one.signed
    assert (holding.by_hand, holding.ours(net)) == (dec("0.06"), dec("0.08"))
    left = Holding(stop=dec(90)).filled(
        msgspec.structs.replace(hand(1, Side.SELL), market=spot),
        None,
        before=dec("1.0004"),
        after=dec("0.0004"),
        closed=True,
    )
    assert left == Holding()


def test_a_position_from_flat_has_the_stop_of_its_own_entry() -> None:
    """Whatever rested before; an entry that only closes what a hand had sold leaves none behind."""
    before = Holding(stop=dec(80))
    entered = before.filled(fill("e1", 1), intent(stop="90"), before=dec(0), after=dec(1), closed=False)
    assert entered.stop == dec(90)
    closed = Holding(by_hand=dec(-1)).filled(
        fill("e1", 1), intent(stop="90"), before=dec(-1), after=dec(0), closed=True
    )
    assert closed == Holding()


@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5).filter(bool)), max_size=12))
def test_our_share_is_never_more_than_there_is(steps: list[tuple[bool, int]]) -> None:
    """Nor of the other side, whoever trades in whatever order."""
    trades = []
    for number, (ours, quantity) in enumerate(steps, 1):
        side = Side.BUY if quantity > 0 else Side.SELL
        size = abs(quantity)
        trades.append(
            (fill(f"e{number}", size, number=number, side=side), intent(number)) if ours else (hand(size, side), None)
        )
    holding, net = after(*trades)
    share = holding.ours(net)
    assert abs(share) <= abs(net)
    assert share * net >= 0
    if not any(not ours for ours, _ in steps):
        assert share == net
