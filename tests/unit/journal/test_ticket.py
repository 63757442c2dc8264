"""A ticket may be awaited never, once or by many, before or after."""

import asyncio

import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal.ticket import Ticket


async def test_ticket_settled_before_the_await_answers_at_once() -> None:
    """No turn of the loop is needed."""
    ticket = Ticket()
    ticket.settle(7)
    assert await ticket == 7
    assert await ticket == 7


async def test_all_awaiters_get_the_answer() -> None:
    """Several may wait; one that is cancelled takes the answer from nobody."""
    ticket = Ticket()

    async def wait() -> int:
        return await ticket

    tasks = [asyncio.create_task(wait()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.sleep(0)
    ticket.settle(3)
    assert await tasks[0] == 3
    assert await tasks[2] == 3
    assert tasks[1].cancelled()


async def test_failure_is_raised_to_every_awaiter_and_unseen_failure_is_silent() -> None:
    """An error nobody awaits makes no noise (warnings are errors here)."""
    ticket, unseen = Ticket(), Ticket()
    for one in (ticket, unseen):
        one.settle(0, NeedsHuman("full", remedy="make room"))
    for _ in range(2):
        with pytest.raises(NeedsHuman, match="full"):
            await ticket


async def test_first_word_stands() -> None:
    """A thread that answers after it was given up changes nothing."""
    ticket = Ticket()
    ticket.settle(0, NeedsHuman("gone", remedy=""))
    ticket.settle(5)
    with pytest.raises(NeedsHuman):
        await ticket
    settled = Ticket()
    settled.settle(5)
    settled.settle(6)
    assert await settled == 5
