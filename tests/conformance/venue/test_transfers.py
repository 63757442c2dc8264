"""What `ports.Venue` promises of money that is moved into the account and out of it."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from kangbot.model.orders import Transfer
from kangbot.ports import Venue
from tests.support.venue_bench import MovingBench


async def transfers(venue: Venue, since_ns: int) -> Sequence[Transfer]:
    """Return what was moved; nothing is unclear of what trades and transfers change."""
    told = await venue.transfers(since_ns)
    found = [each for each in told if isinstance(each, Transfer)]
    assert found == list(told)
    return found


async def test_nothing_was_moved_at_first(moving: MovingBench) -> None:
    """What an account begins with is no transfer."""
    assert list(await transfers(moving.venue, moving.recent_ns())) == []


async def test_what_was_moved_is_told_with_its_sign_oldest_first(moving: MovingBench) -> None:
    """Each under an id of its own, the same whenever it is asked for; trades are none."""
    before = next(one for one in await moving.venue.balances() if one.currency == "USDT")
    await moving.venue.submit(moving.linear, moving.intent(moving.linear))
    for amount in ("250.5", "-0.00000001", "-1000"):
        await moving.move_by_hand(Decimal(amount))
        await asyncio.sleep(0.002)  # a venue tells its time in milliseconds
    told = await transfers(moving.venue, moving.recent_ns())
    assert [str(transfer.amount.normalize()) for transfer in told] == ["250.5", "-1E-8", "-1E+3"]
    assert {transfer.currency for transfer in told} == {"USDT"}
    assert len({transfer.transfer_id for transfer in told}) == 3
    assert list(await transfers(moving.venue, moving.recent_ns())) == list(told)
    after = next(one for one in await moving.venue.balances() if one.currency == "USDT")
    assert Decimal(-760) < after.equity - before.equity < Decimal(-740)


async def test_they_are_told_from_the_time_that_is_asked_for(moving: MovingBench) -> None:
    """That one is among them."""
    for amount in (1, 2, 3):
        await moving.move_by_hand(Decimal(amount))
        await asyncio.sleep(0.002)
    whole = await transfers(moving.venue, moving.recent_ns())
    assert list(await transfers(moving.venue, whole[1].at_ns)) == list(whole[1:])
    assert list(await transfers(moving.venue, whole[-1].at_ns + 1_000_000)) == []


async def test_more_than_a_page_of_them_is_told_whole(moving: MovingBench) -> None:
    """Whoever moves money often is told of all of it."""
    for amount in range(1, 122):
        await moving.move_by_hand(Decimal(amount))
    told = await transfers(moving.venue, moving.recent_ns())
    assert sorted(int(transfer.amount) for transfer in told) == list(range(1, 122))


async def test_it_is_asked_for_as_far_back_as_one_likes(moving: MovingBench) -> None:
    """A venue limits the span of one question; the daemon may have been away for longer."""
    await moving.move_by_hand(Decimal(5))
    told = await transfers(moving.venue, moving.recent_ns() - 40 * 86_400 * 1_000_000_000)
    assert [transfer.amount for transfer in told] == [5]
