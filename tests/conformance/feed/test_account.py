"""What `ports.Feeds` promises of the account's stream, asked of every adapter that has one.

Topics of one stream overtake each other, as they do at the venues: order holds within a kind of event.
"""

import asyncio
from collections import Counter

from kangbot.model.ids import ClientId
from kangbot.model.orders import Balance, Fill, OrderReport, OrderStatus, VenuePosition
from tests.support.feed_bench import AccountBench
from tests.support.feed_words import Told, until

QUIET_S = 0.4


def statuses(told: Told, client_id: ClientId) -> list[OrderStatus]:
    """Return what was told of an order, in its order."""
    return [report.status for report in told.of(OrderReport) if report.client_id == client_id]


def filled(told: Told, client_id: ClientId) -> bool:
    """Whether the order was told as filled."""
    return OrderStatus.FILLED in statuses(told, client_id)


async def listening(account: AccountBench) -> Told:
    """Return a sink to which the whole account is live."""
    told = Told()
    async with asyncio.timeout(120):
        await account.feeds.account(told).live()
    await until(lambda: told.lives() != {} and all(lives[-1] for lives in told.lives().values()))
    return told


async def test_orders_executions_positions_and_money_are_told_in_order(account: AccountBench) -> None:
    """Each kind as it happened: no order goes backwards, fills come as the venue lists them, the position grows."""
    told = await listening(account)
    entries = [await account.enter() for _ in range(5)]
    quantity = sum(entry.quantity for entry in entries)
    await until(lambda: any(position.net == quantity for position in told.of(VenuePosition)))
    await until(lambda: all(filled(told, entry.client_id) for entry in entries) and told.heard(Balance, 4))
    listed = [event for event in await account.venue.executions(entries[0].at_ns) if isinstance(event, Fill)]
    await until(lambda: len(told.of(Fill)) >= len(listed))
    assert [fill.execution_id for fill in told.of(Fill)] == [fill.execution_id for fill in listed]
    assert sum(fill.signed for fill in listed) == quantity
    for entry in entries:
        seen = statuses(told, entry.client_id)
        assert seen[-1] is OrderStatus.FILLED
        assert not any(status.terminal for status in seen[:-1])
    nets = [position.net for position in told.of(VenuePosition) if position.market == account.one.market]
    assert nets == sorted(nets)
    assert nets[-1] == quantity
    assert {balance.currency for balance in told.of(Balance)} == {"USDT"}


async def test_the_account_says_nothing_of_markets(account: AccountBench) -> None:
    """Prices move all the while; who asked for the account hears of them only where something is held."""
    told = await listening(account)
    await asyncio.sleep(QUIET_S)
    kinds = {type(event) for event in told.events}
    assert kinds <= {OrderReport, Fill, VenuePosition, Balance}


async def test_an_account_that_was_let_go_is_silent(account: AccountBench) -> None:
    """However often; asked for again, it is told again."""
    told = Told()
    hold = account.feeds.account(told)
    await until(lambda: told.lives() != {})
    await hold.aclose()
    await hold.aclose()
    count = len(told.events)
    await account.enter()
    await asyncio.sleep(QUIET_S)
    assert len(told.events) == count
    again = await listening(account)
    entry = await account.enter()
    await until(lambda: filled(again, entry.client_id))


async def test_after_a_break_the_account_is_told_as_down_and_live(connected_account: AccountBench) -> None:
    """Live again asks for a comparison with the venue: what happened in between is there, and is never told twice."""
    told = await listening(connected_account)
    first = await connected_account.enter()
    await until(lambda: filled(told, first.client_id) and told.heard(Fill))
    topics = len(told.lives())
    await connected_account.cut()
    between = await connected_account.enter()
    await until(lambda: len(told.changes) == 3 * topics)
    last = await connected_account.enter()
    await until(lambda: any(fill.client_id == last.client_id for fill in told.of(Fill)))
    assert list(told.lives().values()) == [[True, False, True]] * topics
    assert all(reason.startswith("closed: ") for reason in told.down_reasons())
    times = Counter(fill.execution_id for fill in told.of(Fill))
    assert max(times.values()) == 1
    listed = [one for one in await connected_account.venue.executions(first.at_ns) if isinstance(one, Fill)]
    assert [fill.client_id for fill in listed] == [first.client_id, between.client_id, last.client_id]
    assert set(times) <= {fill.execution_id for fill in listed}
