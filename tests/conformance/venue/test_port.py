"""What `ports.Venue` promises of orders and of the account, asked of every adapter in front of a venue that answers."""

from decimal import Decimal

import pytest

from kangbot.errors import DuplicateId, InsufficientFunds, NotFound, Refused
from kangbot.model.ids import ClientId, stop_id
from kangbot.model.money import floor_to
from kangbot.model.orders import Fill, OrderKind, OrderStatus, Purpose, Side, TimeInForce
from kangbot.ports import IdRule
from tests.support.venue_bench import Bench
from tests.support.venue_words import NOBODY, below, held, resting, settled


# ------------------------------------------------------------------------------------------------------------- orders
async def test_a_market_entry_with_its_stop_is_a_protected_position(bench: Bench) -> None:
    """From one request: acknowledged, filled, the stop resting at the venue."""
    stop = below(bench, bench.linear, "0.03")
    entry = bench.intent(bench.linear, stop=stop)
    acknowledged = await bench.venue.submit(bench.linear, entry)
    assert acknowledged.status is OrderStatus.ACKED
    assert (acknowledged.client_id, acknowledged.market) == (entry.client_id, bench.linear.market)
    report = await settled(bench, entry, bench.linear)
    assert (report.status, report.filled) == (OrderStatus.FILLED, entry.quantity)
    assert report.venue_order_id == acknowledged.venue_order_id
    position = await held(bench, bench.linear)
    assert position is not None
    assert (position.net, position.stop) == (entry.quantity, stop)
    protective = [order for order in await bench.venue.open_orders() if order.protective]
    assert [(order.side, order.trigger, order.client_id) for order in protective] == [(Side.SELL, stop, None)]


async def test_a_limit_order_rests_until_it_is_cancelled(bench: Bench) -> None:
    """Open by its id and in the list of all; afterwards cancelled, and no longer there to cancel."""
    entry = resting(bench, bench.linear)
    await bench.venue.submit(bench.linear, entry)
    assert (await settled(bench, entry, bench.linear)).status is OrderStatus.ACKED
    assert [order.client_id for order in await bench.venue.open_orders()] == [entry.client_id]
    await bench.venue.cancel(bench.linear, entry.client_id)
    assert (await settled(bench, entry, bench.linear)).status is OrderStatus.CANCELED
    assert await bench.venue.open_orders() == []
    with pytest.raises(NotFound):
        await bench.venue.cancel(bench.linear, entry.client_id)


async def test_post_only_never_takes(bench: Bench) -> None:
    """It rests below the market; across it, it ends without a fill."""
    maker = resting(bench, bench.linear, time_in_force=TimeInForce.POST_ONLY)
    crossing = bench.intent(
        bench.linear,
        kind=OrderKind.LIMIT,
        price=floor_to(bench.price(bench.linear) * Decimal("1.01"), bench.linear.tick),
        time_in_force=TimeInForce.POST_ONLY,
    )
    await bench.venue.submit(bench.linear, maker)
    assert (await settled(bench, maker, bench.linear)).status is OrderStatus.ACKED
    try:
        await bench.venue.submit(bench.linear, crossing)
    except Refused:
        return  # some venues refuse at once what others acknowledge and cancel
    report = await settled(bench, crossing, bench.linear)
    assert report.status in {OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED}
    assert report.filled == 0


async def test_immediate_or_cancel_does_not_rest(bench: Bench) -> None:
    """Away from the market nothing of it is filled or stays."""
    entry = resting(bench, bench.linear, time_in_force=TimeInForce.IOC)
    await bench.venue.submit(bench.linear, entry)
    report = await settled(bench, entry, bench.linear)
    assert report.status.terminal
    assert report.filled == 0
    assert await bench.venue.open_orders() == []


async def test_reduce_only_closes_and_never_opens(bench: Bench) -> None:
    """More than is held closes what is held; with nothing held it is refused."""
    exit_ = {"purpose": Purpose.EXIT, "side": Side.SELL, "reduce_only": True}
    with pytest.raises(Refused):
        await bench.venue.submit(bench.linear, bench.intent(bench.linear, **exit_))
    entry = bench.intent(bench.linear)
    await bench.venue.submit(bench.linear, entry)
    await bench.venue.submit(bench.linear, bench.intent(bench.linear, quantity=entry.quantity * 2, **exit_))
    assert await held(bench, bench.linear) is None


async def test_a_second_order_under_the_same_id_is_a_duplicate(bench: Bench) -> None:
    """While the first is open, and for ever where the venue's rule is so."""
    entry = resting(bench, bench.linear)
    await bench.venue.submit(bench.linear, entry)
    with pytest.raises(DuplicateId):
        await bench.venue.submit(bench.linear, entry)
    assert len(await bench.venue.open_orders()) == 1
    await bench.venue.cancel(bench.linear, entry.client_id)
    if bench.venue.id_rule is IdRule.FOR_EVER:
        with pytest.raises(DuplicateId):
            await bench.venue.submit(bench.linear, entry)
        assert await bench.venue.open_orders() == []


async def test_what_cannot_be_placed_is_refused(bench: Bench) -> None:
    """Too small, or beyond what the account can pay: definitive, and no such order exists afterwards."""
    small = bench.intent(bench.linear, quantity=bench.linear.step / 2)
    large = bench.intent(bench.linear, quantity=bench.linear.max_quantity)
    for entry, expected in ((small, Refused), (large, InsufficientFunds)):
        with pytest.raises(expected):
            await bench.venue.submit(bench.linear, entry)
        assert (await bench.venue.find(bench.linear, entry.client_id)).report is None


async def test_a_spot_pair_is_bought_and_sold(bench: Bench) -> None:
    """Sized in its base currency both ways; what is held is a balance."""
    entry = bench.intent(bench.spot)
    entry = bench.intent(bench.spot, quantity=entry.quantity * 10)  # the fee takes less than nine tenths
    await bench.venue.submit(bench.spot, entry)
    report = await settled(bench, entry, bench.spot)
    assert (report.status, report.filled, report.market) == (OrderStatus.FILLED, entry.quantity, bench.spot.market)
    balance = next(one for one in await bench.venue.balances() if one.currency == bench.spot.base)
    assert 0 < balance.equity <= entry.quantity
    left = floor_to(balance.equity, bench.spot.step)
    exit_ = bench.intent(bench.spot, side=Side.SELL, purpose=Purpose.EXIT, quantity=left)
    await bench.venue.submit(bench.spot, exit_)
    assert (await settled(bench, exit_, bench.spot)).status is OrderStatus.FILLED
    rest = resting(bench, bench.spot)
    await bench.venue.submit(bench.spot, rest)
    assert [order.market for order in await bench.venue.open_orders()] == [bench.spot.market]
    await bench.venue.cancel(bench.spot, rest.client_id)


async def test_a_positions_stop_is_set_moved_and_removed(bench: Bench) -> None:
    """Setting it twice is setting it once; without a position it is not found."""
    stop = below(bench, bench.linear, "0.03")
    with pytest.raises(NotFound):
        await bench.venue.protect(bench.linear, stop)
    await bench.venue.submit(bench.linear, bench.intent(bench.linear))
    higher = below(bench, bench.linear, "0.02")
    for asked in (stop, stop, higher, None, None):
        await bench.venue.protect(bench.linear, asked)
        position = await held(bench, bench.linear)
        assert position is not None
        assert position.stop == asked


async def test_the_stop_beside_a_spot_holding_is_placed_moved_and_removed(bench: Bench) -> None:
    """Asking twice is asking once; it is listed under its name, occupies nothing, and is refused above the price."""
    entry = bench.intent(bench.spot, quantity=bench.intent(bench.spot).quantity * 10)
    await bench.venue.submit(bench.spot, entry)
    quantity = floor_to(entry.quantity * Decimal("0.9"), bench.spot.step)
    name = stop_id(entry.client_id, 0)

    async def cover(stop: Decimal | None, covered: Decimal, *, fresh: bool = False) -> ClientId | None:
        return await bench.venue.cover(bench.spot, stop, covered, entry.client_id, fresh=fresh)

    stop, half = below(bench, bench.spot, "0.03"), floor_to(quantity / 2, bench.spot.step)
    asked = ((stop, quantity), (stop, quantity), (below(bench, bench.spot, "0.02"), half))
    for fresh, (trigger, covered) in zip((True, True, False), asked, strict=True):
        assert await cover(trigger, covered, fresh=fresh) == name
        (report,) = await bench.venue.open_orders()
        assert (report.client_id, report.protective, report.status) == (name, True, OrderStatus.ACKED)
        assert (report.trigger, report.quantity, report.side) == (trigger, covered, Side.SELL)
    with pytest.raises(Refused):
        await cover(bench.price(bench.spot) * 2, half)
    exit_ = bench.intent(bench.spot, side=Side.SELL, purpose=Purpose.EXIT, quantity=quantity)
    await bench.venue.submit(bench.spot, exit_)
    assert (await settled(bench, exit_, bench.spot)).status is OrderStatus.FILLED
    assert await cover(None, Decimal(0)) is None
    assert await bench.venue.open_orders() == []


async def test_preparing_is_idempotent(bench: Bench) -> None:
    """One-way mode and the leverage asked for, the second time as the first."""
    for leverage in (3, 3, 5):
        await bench.venue.prepare(bench.linear, leverage)
    await bench.venue.submit(bench.linear, bench.intent(bench.linear))
    position = await held(bench, bench.linear)
    assert position is not None
    assert position.leverage == 5


# ------------------------------------------------------------------------------------------------------------ account
async def test_an_unknown_order_is_absent_everywhere(bench: Bench) -> None:
    """None is an answer, of every endpoint, and it has its time."""
    lookup = await bench.venue.find(bench.linear, NOBODY)
    assert lookup.report is None
    assert lookup.at_ns > 0
    with pytest.raises(NotFound):
        await bench.venue.cancel(bench.linear, NOBODY)


async def test_open_orders_are_all_of_them(bench: Bench) -> None:
    """More than a page, of several markets, and one placed by hand."""
    for instrument in (bench.linear, bench.other):
        for _ in range(30):
            await bench.venue.submit(instrument, resting(bench, instrument))
    quantity = bench.intent(bench.other).quantity
    await bench.order_by_hand(bench.other, Side.BUY, quantity, below(bench, bench.other, "0.06"))
    orders = await bench.venue.open_orders()
    assert len({order.venue_order_id for order in orders}) == len(orders) == 61
    assert sum(order.client_id is None for order in orders) == 1


async def test_executions_are_every_fill_once_and_oldest_first(bench: Bench) -> None:
    """More than a page; their sum is the position; from a later time there are fewer."""
    for _ in range(60):
        await bench.venue.submit(bench.linear, bench.intent(bench.linear))
        await bench.venue.submit(bench.other, bench.intent(bench.other))
    fills = [event for event in await bench.venue.executions(bench.recent_ns()) if isinstance(event, Fill)]
    assert len({fill.execution_id for fill in fills}) == len(fills) >= 120
    assert [fill.at_ns for fill in fills] == sorted(fill.at_ns for fill in fills)
    position = await held(bench, bench.linear)
    assert position is not None
    assert sum(fill.signed for fill in fills if fill.market == bench.linear.market) == position.net
    assert all(fill.fee > 0 and fill.fee_currency == "USDT" for fill in fills)
    of_one = await bench.venue.executions(bench.recent_ns(), bench.other.market)
    assert [event for event in of_one if isinstance(event, Fill)] == [
        fill for fill in fills if fill.market == bench.other.market
    ]
    newest = fills[-1].at_ns
    assert len(await bench.venue.executions(newest)) < len(fills)
    assert await bench.venue.executions(newest + 2_000_000) == []


async def test_flat_is_an_empty_answer(bench: Bench) -> None:
    """And money is there from the start."""
    assert await bench.venue.positions() == []
    balance = next(one for one in await bench.venue.balances() if one.currency == "USDT")
    assert balance.equity > 0
    assert 0 < balance.available <= balance.equity
