"""What a floor knows of the account's equity when it starts: from the journal, or stated anew."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.journal.replay import checkpoint_of
from kangbot.machines.memory import Memory
from kangbot.model.events import EquityMarked
from kangbot.model.ids import VenueName
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from tests.support.floor_story import Story, play

MONEY = Decimal(1000)  # of the fake venue, before and after the start


def marks(told: Story) -> list[Decimal]:
    """Return the equity that was journalled since the start."""
    return [event.equity for event in told.disk.events if isinstance(event, EquityMarked)]


@pytest.mark.parametrize("currency", ["USDC", ""])
def test_equity_is_stated_anew_where_it_was_counted_in_another_currency(currency: str) -> None:
    """Or in every coin at once, as long ago; unchanged at the venue it would not be journalled, and never be known."""
    kept = AccountRisk(Limits(), currency)
    kept.equity(Decimal(90_000), 0)

    async def story(told: Story) -> None:
        memory = Memory(equity={(told.venue.name, "USDT"): MONEY})
        told.disk.kept = checkpoint_of(memory, {"risk": kept})
        await told.open()
        assert told.risk.checkpoint() == AccountRisk(Limits()).checkpoint()  # forgotten, with the peak
        assert told.floor.account.equity == {}
        await asyncio.sleep(5)
        assert marks(told) == [MONEY]
        told.risk.observe(told.disk.events[-1])
        assert told.risk.equity_known
        assert told.risk.drawdown_percent == 0

    play(story)


def test_equity_that_has_not_changed_is_not_journalled_again() -> None:
    """What is known is known; another venue's account is another matter."""

    async def story(told: Story) -> None:
        told.risk.equity(MONEY, 0)
        elsewhere = (VenueName("elsewhere"), "USDT")
        memory = Memory(equity={(told.venue.name, "USDT"): MONEY, elsewhere: Decimal(5)})
        told.disk.kept = checkpoint_of(memory, {"risk": told.risk})
        await told.open()
        assert told.floor.account.equity == {"USDT": MONEY}
        await asyncio.sleep(70)
        assert marks(told) == []

    play(story)
