"""What an operator hears of the disk before "done"."""

import asyncio
from collections.abc import Awaitable

import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal.ticket import Ticket
from kangbot.market.promises import Promises, on_disk
from kangbot.sim.world.loop import run


def ticket(sequence: int = 0, refused: str = "") -> Awaitable[int]:
    """Return what an append returned that has ended so; one that has not, without arguments."""
    made = Ticket()
    if sequence or refused:
        made.settle(sequence, NeedsHuman(refused, remedy="make room") if refused else None)
    return made


def test_a_promise_is_kept_once_the_last_of_what_was_commanded_is_on_disk() -> None:
    """A command that changed nothing waits for the one before; where nothing was commanded there is nothing to do."""

    async def main() -> None:
        promises = Promises()
        await promises.kept()
        first = Ticket()
        for written in (ticket(7), first, None):
            promises.give(written)
        asyncio.get_running_loop().call_later(2, first.settle, 8)
        begun = asyncio.get_running_loop().time()
        await promises.kept()
        assert asyncio.get_running_loop().time() - begun == 2

    run(main())


def test_a_promise_that_a_restart_would_forget_is_not_called_kept() -> None:
    """With the disk's words, or that it has none."""

    async def main() -> None:
        for written, why in (
            (ticket(refused="the disk is full"), "the disk is full"),
            (ticket(), "no word of the disk"),
        ):
            promises = Promises()
            promises.give(written)
            with pytest.raises(NeedsHuman, match=f"a restart would forget it: {why}"):
                await promises.kept()
        assert await on_disk(ticket(1)) == ""

    run(main())
