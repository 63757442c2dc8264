"""What an operator's commands come to, where a simulated session once found that they came to nothing."""

from decimal import Decimal

from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.events import Desired, RunState
from kangbot.model.orders import OrderKind
from tests.support.floor_story import Story, play, spec
from tests.support.trade_words import MARKET


def test_start_lets_a_paused_market_enter_again() -> None:
    """Wanted is running: a market that stayed paused would never be as it is wanted."""

    async def story(told: Story) -> None:
        await told.live()
        told.roster.command(MARKET, Command.PAUSE, "anna")
        await told.reach(RunState.PAUSED)
        told.roster.command(MARKET, Command.START, "anna")
        await told.reach(RunState.LIVE)
        assert told.roster[MARKET].desired is Desired.RUNNING

    play(story)


def test_a_stopping_market_takes_back_an_exit_that_rests() -> None:
    """It would rest for ever, and the market with it in DRAINING; the position keeps its stop."""

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, style=Style(exit_kind=OrderKind.LIMIT))]
        await told.live()
        told.quote()
        told.strategy.want(1)
        await told.bar()
        told.strategy.want(0)
        await told.bar()
        resting = told.task.desk.executor.orders
        assert [order.intent.kind for order in resting] == [OrderKind.LIMIT]
        told.roster.command(MARKET, Command.STOP, "anna")
        await told.reach(RunState.STOPPED)
        assert told.task.desk.executor.position.net > Decimal(0)

    play(story)
