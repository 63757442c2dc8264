"""A floor of one spot market: its coins are part of the account's equity."""

import asyncio
from decimal import Decimal

from kangbot.market.roster import Command
from kangbot.model.events import EquityMarked, RunState
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Balance, FillCause
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from tests.support.floor_story import BarVenue, Story, play
from tests.support.order_venue import VenueOrder
from tests.support.trade_words import MARKET


class SpotVenue(BarVenue):
    """Keeps no position: a trade moves money, and its push comes before the execution's."""

    def trade(self, order: VenueOrder, quantity: Decimal, *, cause: FillCause = FillCause.TRADE) -> None:
        """Exchange money and coins."""
        self.money -= quantity * order.side.sign * self.price
        self.push(Balance(currency="USDT", equity=self.money, available=self.money, at_ns=self.clock.now_ns()))
        super().trade(order, quantity, cause=cause)


def on_spot(told: Story) -> None:
    """Have the story's market be a spot pair."""
    told.venue = SpotVenue(clock=told.world.clock, kind=InstrumentKind.SPOT)
    told.risk = AccountRisk(Limits(leverage=None, require_stop=False))


def marks(told: Story) -> list[Decimal]:
    """Return every equity that was journalled."""
    return [event.equity for event in told.disk.events if isinstance(event, EquityMarked)]


def test_what_is_bought_is_worth_its_price() -> None:
    """Bought and sold it is no loss and no gain; what its price does in between is."""

    async def story(told: Story) -> None:
        on_spot(told)
        await told.live()
        told.quote()
        told.strategy.want(1, None)
        await told.bar()
        assert told.venue.net == 2
        assert told.venue.money == 800
        await told.bar()
        await told.bar()
        assert marks(told) == [1000]
        told.venue.price = Decimal(110)
        await told.bar()
        await told.bar()
        assert told.floor.equity == {"USDT": 1020}
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == 0
        assert told.venue.money == 1020
        for _ in range(3):
            await told.bar()
        assert marks(told) == [1000, 1020]

    play(story)


def test_a_stopped_market_s_coins_are_priced_by_asking() -> None:
    """After a restart too, where no stream ever told a price; about once a round, and nothing is known before."""

    async def story(told: Story) -> None:
        on_spot(told)
        await told.live()
        told.quote()
        told.strategy.want(1, None)
        await told.bar()
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        await told.floor.close()
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        told.venue.price, told.venue.quotes = Decimal(150), 0
        told.venue.no_quotes = RuntimeError("no price")
        await again.open()
        told.floor = again.floor
        await asyncio.sleep(90)
        assert marks(told) == [1000]
        told.venue.no_quotes, told.venue.quotes = None, 0
        await asyncio.sleep(600)
        mid = Decimal(150) + Decimal("0.05")
        assert again.floor.equity == {"USDT": 800 + 2 * mid}
        assert marks(told) == [1000, 800 + 2 * mid]
        assert 8 <= told.venue.quotes <= 12

    play(story)
