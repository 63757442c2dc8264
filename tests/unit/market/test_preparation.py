"""What brings a market to life: subscriptions, then history."""

import pytest

from kangbot.errors import NeedsHuman, Refused
from kangbot.market.roster import Command
from kangbot.model.events import RunState
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refused("no such interval"), "no such interval"),
        (NeedsHuman("the key is gone", remedy="make another"), "the key is gone: make another"),
        (KeyError("close"), "KeyError: 'close'"),
    ],
)
def test_a_market_whose_history_cannot_be_had_fails_with_the_reason(error: Exception, reason: str) -> None:
    """It would warm up for ever, and say nothing. Once that is put right, it can be started."""

    async def story(told: Story) -> None:
        told.venue.no_bars = error
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.FAILED)
        assert told.roster[MARKET].reason == reason
        told.venue.no_bars = None
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)

    play(story)
