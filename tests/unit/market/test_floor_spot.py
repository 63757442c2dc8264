"""A floor of one spot market: its coins are part of the account's equity."""

import asyncio
from decimal import Decimal

import msgspec

from kangbot.machines.guard import StopPolicy, StopTerms
from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.events import EquityMarked, Noted, RunState
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Balance, FillCause, OrderKind, Side
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from tests.support.floor_story import BarVenue, Story, play
from tests.support.order_venue import FewBuyers, VenueOrder
from tests.support.trade_words import MARKET, SECOND


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


async def long(told: Story) -> None:
    """Be live on a spot pair, with two coins bought."""
    on_spot(told)
    await told.live()
    told.quote()
    told.strategy.want(1)
    await told.bar()


def marks(told: Story) -> list[Decimal]:
    """Return every equity of money and coins that was journalled."""
    events = [event for event in told.disk.events if isinstance(event, EquityMarked)]
    return [event.equity for event in events if event.currency == "USDT"]


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
        assert told.floor.account.equity["USDT"] == 1020
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
        assert again.floor.account.equity["USDT"] == 800 + 2 * mid
        assert marks(told) == [1000, 800 + 2 * mid]
        assert 8 <= told.venue.quotes <= 12

    play(story)


def stops(told: Story) -> tuple[list[str], list[str]]:
    """Return the stops that the venue was asked for, and what was noted of them."""
    asked = [name for name, _ in told.venue.asked if name.startswith("cover")]
    return asked, [event.kind for event in told.disk.events if isinstance(event, Noted) and "stop." in event.kind]


async def bought(told: Story, *ends: str, for_s: int) -> None:
    """Buy coins, the first requests for whose stop end so, and let so much time pass.

    The market looks at its stop again and again while answers are coming.
    """
    on_spot(told)
    told.venue.stops.extend(ends)
    await told.live()
    told.quote()
    told.strategy.want(1)
    told.venue.answer_s = 0.3
    bar = asyncio.get_running_loop().create_task(told.bar())
    for _ in range(for_s * 10):
        await asyncio.sleep(0.1)
        told.quote()
        told.floor.look_again()
    await bar


def test_a_stop_beside_coins_that_is_refused_is_tried_nearer_and_then_they_are_sold() -> None:
    """As that of a contract is: a request that insists is no first one, which nobody worries about."""

    async def story(told: Story) -> None:
        await bought(told, *["refused"] * 3, for_s=100)
        asked, said = stops(told)
        assert asked[:3] == ["cover 90 2 fresh", "cover 95 2 fresh", "cover 97.5 2 fresh"]
        assert said.count("stop.tightened") == 1
        assert said[-2:] == ["stop.closing", "stop.settled"]
        assert told.venue.net == 0

    play(story)


def test_a_stop_beside_coins_that_gets_lost_again_and_again_ends_the_holding() -> None:
    """After its patience."""

    async def story(told: Story) -> None:
        await bought(told, *["lost"] * 100, for_s=100)
        assert told.venue.net == 0
        assert "stop.closing" in stops(told)[1]

    play(story)


class Thin(FewBuyers, SpotVenue):
    """Leaves coins behind by every sale."""


def test_coins_that_a_sale_left_hold_no_market_up() -> None:
    """They are too few to be sold, so their closing is over: after its rest the market enters again."""

    async def story(told: Story) -> None:
        told.stops = StopTerms(rest_ns=SECOND)
        on_spot(told)
        told.venue = Thin(clock=told.world.clock, kind=InstrumentKind.SPOT)
        told.venue.stops.extend(["refused"] * 3)
        await told.wants_in()
        for _ in range(30):
            await asyncio.sleep(0.1)
            told.quote()
        assert told.venue.net == Decimal("0.04")
        assert stops(told)[1][-2:] == ["stop.closing", "stop.settled"]
        for _ in range(3):
            await told.bar()
        assert told.venue.net > 1

    play(story)


def test_coins_that_a_sale_left_are_no_position_of_the_strategys() -> None:
    """It would believe to be in the market, with its stop by an entry of long ago; and an edit would wait for ever."""

    async def story(told: Story) -> None:
        on_spot(told)
        told.venue = Thin(clock=told.world.clock, kind=InstrumentKind.SPOT)
        await told.wants_in()
        desk = told.task.desk
        assert (desk.stance, desk.holds, told.risk.open_positions) == (desk.executor.position, True, 1)
        told.floor.change(
            joins=(), leaves=(), changes=[msgspec.structs.replace(told.task.spec, size=Decimal(400))], caller="edit"
        )
        told.strategy.want(0)
        for _ in range(2):
            await told.bar()
        assert desk.executor.position.net == Decimal("0.04")
        assert (desk.stance.net, desk.holds, told.risk.open_positions) == (Decimal(0), False, 0)
        assert desk.stance.entry is None
        told.strategy.want(1)
        for _ in range(2):
            await told.bar()
        assert desk.stance.net == Decimal(4)

    play(story)


def test_a_policy_to_retry_never_sells_the_coins() -> None:
    """The refused stop is offered again every few seconds; that it is missing is told once."""

    async def story(told: Story) -> None:
        told.stops = StopTerms(policy=StopPolicy.RETRY)
        await bought(told, *["refused"] * 4, for_s=120)
        asked, said = stops(told)
        assert asked == ["cover 90 2 fresh"] * 5
        assert said == ["stop.failed", "stop.settled"]
        assert told.venue.net == 2
        assert [one.trigger for one in told.venue.beside] == [Decimal(90)]

    play(story)


async def bought_too_few(told: Story, policy: StopPolicy) -> None:
    """Buy coins for 5.30: a stop at 90 would sell them for 4.77, and no order is below 5. No more may follow."""
    told.stops = StopTerms(policy=policy)
    on_spot(told)
    told.venue.market_part = Decimal("0.0265")
    told.venue.before_submit = lambda _: told.risk.kill("no more")
    await told.live()
    told.quote()
    told.strategy.want(1)
    await told.bar()
    assert told.venue.net == Decimal("0.053")
    told.venue.market_part = Decimal(1)
    told.venue.before_submit = None


async def quoted(told: Story, seconds: int, price: str = "100") -> None:
    """Let so much time pass, with a price and a look at it in each second."""
    for _ in range(seconds):
        told.quote(price)
        told.floor.look_again()
        await asyncio.sleep(1)


def test_coins_that_are_too_few_for_a_stop_of_their_own_are_sold_in_the_end() -> None:
    """Nobody would sell them where the price falls; it is told, and the market rests as after any such closing."""

    async def story(told: Story) -> None:
        await bought_too_few(told, StopPolicy.CLOSE)
        assert stops(told) == ([], [])
        await quoted(told, 40)
        assert told.venue.net == 0
        assert stops(told) == ([], ["stop.closing", "stop.settled"])
        told.risk.release()
        await told.bar()
        assert "the last position could not be protected" in told.task.desk.blocked

    play(story)


def test_coins_that_are_too_few_for_a_stop_of_their_own_are_told_of_once() -> None:
    """Under a policy that sells nothing: in the report for as long as it is so, and over every turn of the price."""

    async def story(told: Story) -> None:
        await bought_too_few(told, StopPolicy.RETRY)
        desk = told.task.desk
        assert desk.unprotected == ""
        await quoted(told, 40)
        assert desk.unprotected == "it is too little for a stop of its own"
        await quoted(told, 5, "94")
        assert desk.unprotected == ""
        await quoted(told, 5)
        assert desk.unprotected
        assert (told.venue.net, stops(told)) == (Decimal("0.053"), ([], ["stop.missing"]))
        told.risk.release()
        await told.bar()
        assert (desk.unprotected, stops(told)[1]) == ("", ["stop.missing", "stop.settled"])
        assert [one.trigger for one in told.venue.beside] == [Decimal(90)]

    play(story)


def test_coins_of_a_stopped_market_are_sold_where_they_are_too_few_for_a_stop() -> None:
    """It asks for the price itself."""

    async def story(told: Story) -> None:
        await bought_too_few(told, StopPolicy.CLOSE)
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        await asyncio.sleep(120)
        assert told.venue.net == 0

    play(story)


def test_an_entry_that_still_rests_may_make_coins_enough() -> None:
    """They are sold only once nothing adds to them."""

    async def story(told: Story) -> None:
        on_spot(told)
        await told.wants_in(style=Style(kind=OrderKind.LIMIT, patience_ns=600 * SECOND))
        (entry,) = told.venue.orders
        told.venue.trade(entry, Decimal("0.053"))
        await quoted(told, 90)
        assert told.task.desk.executor.position.net == Decimal("0.053")
        assert stops(told) == ([], [])
        told.venue.trade(entry, Decimal("0.1"))
        await quoted(told, 5)
        assert [one.trigger for one in told.venue.beside] == [Decimal(90)]

    play(story)


def test_a_market_whose_coins_somebody_sold_enters_again() -> None:
    """What cannot be sold of them is left, and with it the account of what a hand has sold since flat, for ever."""

    async def story(told: Story) -> None:
        await long(told)
        told.venue.by_hand("1", side=Side.SELL)
        await told.bar()
        assert told.task.desk.blocked == "by_hand: somebody traded this market by hand"
        told.venue.by_hand("0.96", side=Side.SELL)
        await told.bar()
        await told.bar()
        assert told.venue.net > 1

    play(story)


def test_coins_that_somebody_bought_are_no_position_of_ours() -> None:
    """They count in no limit, no stop covers them, and the kill switch closes what we bought alone."""

    async def story(told: Story) -> None:
        await long(told)
        ours = told.risk.market_exposure(MARKET)
        told.venue.by_hand("3")
        await told.bar()
        assert told.venue.net == 5
        assert told.risk.market_exposure(MARKET) == ours > 0
        assert told.task.desk.executor.quarantine == ""
        assert [stop.quantity for stop in told.venue.beside] == [2]
        told.risk.kill("news", flatten=True)
        told.floor.look_again()
        await asyncio.sleep(1)
        assert told.venue.net == 3
        assert told.venue.beside == []

    play(story)


def told_of_coins(told: Story) -> list[str]:
    """Return the notes on coins that are missing, or back."""
    return [event.kind for event in told.disk.events if isinstance(event, Noted) and event.kind.startswith("coins.")]


def test_what_is_left_of_coins_that_were_withdrawn_has_its_stop_and_can_be_sold() -> None:
    """Told once, with nothing bought in their place; when they are back they are the strategy's again."""

    async def story(told: Story) -> None:
        await long(told)
        told.venue.beside_coins = Decimal("-1.5")
        for _ in range(3):
            await told.bar()
        assert told_of_coins(told) == ["coins.missing"]
        assert [stop.quantity for stop in told.venue.beside] == [Decimal("0.5")]
        assert told.venue.net == 2
        assert told.task.desk.by_hand == "coins: 1.5 are not in the account"
        told.venue.beside_coins = Decimal(0)
        for _ in range(2):
            await told.bar()
        assert told_of_coins(told) == ["coins.missing", "coins.back"]
        assert [stop.quantity for stop in told.venue.beside] == [Decimal(2)]
        told.venue.beside_coins = Decimal("-1.5")
        for _ in range(2):
            await told.bar()
        told.strategy.want(0)
        await told.bar()
        assert [order.quantity for order in told.venue.orders if order.side is Side.SELL][-1] == Decimal("0.5")
        assert told.venue.beside == []
        assert told.task.desk.by_hand == ""
        told.strategy.want(1)
        await told.bar()
        assert told.venue.net == Decimal("3.5")
        assert [stop.quantity for stop in told.venue.beside] == [Decimal(2)]

    play(story)


def test_coins_that_are_somebodys_may_leave() -> None:
    """As long as those that were bought here are in the account."""

    async def story(told: Story) -> None:
        await long(told)
        told.venue.by_hand("3")
        await told.bar()
        told.venue.beside_coins = Decimal(-3)
        for _ in range(3):
            await told.bar()
        assert told_of_coins(told) == []
        assert [stop.quantity for stop in told.venue.beside] == [Decimal(2)]

    play(story)
