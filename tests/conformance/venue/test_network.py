"""What `ports.Venue` promises where requests and answers may be lost: every adapter with a network in between."""

import asyncio

import pytest

from kangbot.errors import Ambiguous, DuplicateId, Misstamped, RateLimited, Retryable
from kangbot.model.orders import OrderStatus
from kangbot.ports import IdRule
from tests.support.venue_bench import RemoteBench
from tests.support.venue_words import NOBODY, resting


async def test_a_clock_that_is_off_gets_no_order_placed(remote: RemoteBench) -> None:
    """Refused, not unknown: the venue looked at the stamp and at nothing else."""
    late = remote.late()
    entry = remote.intent(remote.linear)
    with pytest.raises(Misstamped):
        await late.submit(remote.linear, entry)
    assert (await remote.venue.find(remote.linear, entry.client_id)).report is None


async def test_a_rate_limit_says_how_long(remote: RemoteBench) -> None:
    """Nothing happened, and nothing should be asked before."""
    least_s, most_s = await remote.limit()
    entry = remote.intent(remote.linear)
    with pytest.raises(RateLimited) as caught:
        await remote.venue.submit(remote.linear, entry)
    assert least_s * 1e9 < caught.value.retry_after_ns <= most_s * 1e9
    with pytest.raises(RateLimited):
        await remote.venue.positions()
    await remote.heal()
    assert (await remote.venue.find(remote.linear, entry.client_id)).report is None


@pytest.mark.parametrize("after", [True, False])
async def test_an_unanswered_order_is_ambiguous_and_asking_tells(remote: RemoteBench, *, after: bool) -> None:
    """The same silence, whether the venue had taken the order or not."""
    await remote.lose_answer("submit", after=after)
    entry = resting(remote, remote.linear)
    with pytest.raises(Ambiguous):
        await remote.venue.submit(remote.linear, entry)
    report = (await remote.venue.find(remote.linear, entry.client_id)).report
    assert (report is not None) is after
    if report is not None:
        assert (report.status, report.client_id) == (OrderStatus.ACKED, entry.client_id)
        if remote.venue.id_rule is IdRule.FOR_EVER:
            with pytest.raises(DuplicateId):
                await remote.venue.submit(remote.linear, entry)


async def test_a_broken_proxy_makes_a_change_ambiguous_and_a_question_repeatable(remote: RemoteBench) -> None:
    """Each call by what it could have done."""
    entry = resting(remote, remote.linear)
    for method, call, expected in (
        ("submit", lambda: remote.venue.submit(remote.linear, entry), Ambiguous),
        ("cancel", lambda: remote.venue.cancel(remote.linear, entry.client_id), Ambiguous),
        ("protect", lambda: remote.venue.protect(remote.linear, None), Ambiguous),
        ("prepare", lambda: remote.venue.prepare(remote.linear, 7), Ambiguous),
        ("find", lambda: remote.venue.find(remote.linear, NOBODY), Retryable),
        ("open_orders", remote.venue.open_orders, Retryable),
        ("executions", lambda: remote.venue.executions(remote.recent_ns()), Retryable),
        ("positions", remote.venue.positions, Retryable),
        ("balances", remote.venue.balances, Retryable),
    ):
        await remote.fail(method)
        with pytest.raises(expected) as caught:
            await call()
        assert type(caught.value) is expected, method
        await remote.heal()


async def test_a_cancelled_call_is_cancelled_at_once(remote: RemoteBench) -> None:
    """The order may have happened; asking tells; the adapter goes on."""
    await remote.lose_answer("submit", after=True)
    entry = resting(remote, remote.linear)
    call = asyncio.ensure_future(remote.venue.submit(remote.linear, entry))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await remote.heal()
    assert await remote.venue.positions() == []
