"""Paper trading, as a floor sees it: real markets, an account that is simulated, a journal that remembers it."""

import asyncio
from decimal import Decimal

import msgspec
import pytest
from structlog.testing import capture_logs

from kangbot.errors import DuplicateId, NotFound, Refused
from kangbot.journal import codec
from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.events import Event, FillApplied, Noted, OrderChanged, OrderIntended, RunState
from kangbot.model.ids import VenueOrderId
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Evidence, FillCause, OrderKind, OrderStatus
from kangbot.ports import Channel, IdRule, Topic
from kangbot.runtime.world import Clock, World
from kangbot.sim.exchange.front import Front
from tests.support.floor_story import bar_at, spec
from tests.support.instruments import instrument_of
from tests.support.order_disk import Disk
from tests.support.paper_story import BALANCE, GroupedDisk, PaperStory, play_on_paper, rebuilt, trade
from tests.support.trade_words import MARKET, START, fill, instrument, intent

D = Decimal
HELD = D("1.998")  # by `entered`
COINS = instrument_of(kind=InstrumentKind.SPOT)
LIMIT = Style(kind=OrderKind.LIMIT, patience_ns=10**15)


async def entered(told: PaperStory) -> None:
    """Hold two, with a stop at 90."""
    await told.live()
    told.quote()
    told.strategy.want(1)
    await told.bar()


def topic(channel: Channel) -> Topic:
    """Return the market's topic of that channel."""
    return Topic(market=MARKET, channel=channel, native=channel.value)


def noted(told: PaperStory) -> list[str]:
    """Return the kinds of what an operator would find in the journal."""
    return [event.kind for event in told.disk.events if isinstance(event, Noted)]


# -------------------------------------------------------------------------------------------------------------- trading
def test_a_target_is_filled_at_the_markets_quote() -> None:
    """The account pays the ask and the fee, and the position rests on its stop."""

    async def story(told: PaperStory) -> None:
        await entered(told)
        assert told.net == told.task.desk.executor.position.net == D("1.998")
        assert told.task.desk.executor.position.entry == D("100.1")
        assert told.account.engine.stop(MARKET) == told.task.desk.executor.stop == D(90)
        fee = D("1.998") * D("100.1") * D("0.00055")
        assert told.account.engine.account.coins["USDT"] == BALANCE - fee
        assert told.floor.account.equity["USDT"] < BALANCE
        assert noted(told) == []

    play_on_paper(story)


def test_a_stop_is_triggered_by_the_markets_trades() -> None:
    """Whether the strategy runs or not: the account follows the market by itself."""

    async def story(told: PaperStory) -> None:
        await entered(told)
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        assert told.net
        told.quote("89")
        told.trade("89")
        await asyncio.sleep(1)
        assert told.net == told.task.desk.executor.position.net == 0
        causes = [event.fill.cause for event in told.disk.events if isinstance(event, FillApplied)]
        assert causes == [FillCause.TRADE, FillCause.STOP]

    play_on_paper(story)


def test_a_limit_order_waits_for_the_market() -> None:
    """It rests until trades reach its price and what was quoted there before it, and is a maker's then."""

    async def story(told: PaperStory) -> None:
        told.specs = [spec(told.strategy, style=LIMIT)]
        await entered(told)
        order = told.task.desk.executor.orders[0]
        assert (order.status, told.net) == (OrderStatus.ACKED, D(0))
        told.trade("100", "10")  # nine were quoted there before
        await asyncio.sleep(1)
        assert (told.net, told.task.desk.executor.orders[0].status) == (D(1), OrderStatus.PARTIAL)
        told.quote("99")
        await asyncio.sleep(1)
        assert told.net == told.task.desk.executor.position.net == D("1.998")
        fills = [event.fill for event in told.disk.events if isinstance(event, FillApplied)]
        assert [(fill.price, fill.maker) for fill in fills] == [(D(100), True), (D(100), True)]

    play_on_paper(story)


# -------------------------------------------------------------------------------------------------------- another life
def test_a_price_that_was_asked_for_moves_the_account() -> None:
    """While the stream is silent an order fills at what the venue answers, not at what the stream said last."""

    async def story(told: PaperStory) -> None:
        await entered(told)
        told.venue.price = D(110)
        await told.paper.quote(instrument())
        position = (await told.paper.positions())[0]
        assert told.account.engine.desks[MARKET].book.quote.bid == D(110)
        assert position.net == D("1.998")

    play_on_paper(story)


@pytest.mark.parametrize("silent", [(Channel.QUOTE, Channel.TRADE), (Channel.TRADE,)])
def test_a_stop_is_triggered_by_prices_that_rest_tells_while_the_trades_are_silent(silent: tuple[Channel, ...]) -> None:
    """What the daemon asks for stands for the trades nobody hears of; so do quotes that flow alone."""

    async def story(told: PaperStory) -> None:
        await entered(told)
        told.quote("89")  # the trades flow, and none of them was at that price
        await asyncio.sleep(1)
        assert told.net == D("1.998")
        told.quote("95")
        for channel in silent:
            for sink in told.feeds.sinks:
                sink.feed_changed(topic(channel), live=False, reason="silent: the test wants it")
        await asyncio.sleep(1)
        told.venue.price = D(89)
        if Channel.QUOTE not in silent:
            told.quote("89")
        await asyncio.sleep(12)
        assert told.net == told.task.desk.executor.position.net == 0
        fills = [event.fill for event in told.disk.events if isinstance(event, FillApplied)]
        assert [(fill.cause, fill.price) for fill in fills[:2]] == [
            (FillCause.TRADE, D("100.1")),
            (FillCause.STOP, D(89)),
        ]
        assert all(fill.cause is FillCause.STOP for fill in fills[1:])

    play_on_paper(story)


def test_a_stop_of_a_stopped_market_is_triggered_while_its_streams_are_silent() -> None:
    """No venue watches it in our stead: the price is asked for, and only then."""

    async def story(told: PaperStory) -> None:
        await entered(told)
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        await asyncio.sleep(300)
        assert told.venue.quotes == 0  # the account hears the market by itself
        for channel in (Channel.QUOTE, Channel.TRADE):
            told.account.feed_changed(topic(channel), live=False, reason="silent: the test wants it")
        told.venue.price = D(89)
        await asyncio.sleep(75)
        assert told.net == told.task.desk.executor.position.net == 0
        fills = [event.fill for event in told.disk.events if isinstance(event, FillApplied)]
        assert fills[1].cause is FillCause.STOP
        asked = told.venue.quotes
        await asyncio.sleep(300)
        assert told.venue.quotes == asked > 0

    play_on_paper(story)


def test_the_price_of_a_stopped_market_without_a_position_is_nobodys_question() -> None:
    """However long its streams are silent."""

    async def story(told: PaperStory) -> None:
        await told.live()
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        for channel in (Channel.QUOTE, Channel.TRADE):
            told.account.feed_changed(topic(channel), live=False, reason="the test wants it")
        await asyncio.sleep(300)
        assert told.venue.quotes == 0

    play_on_paper(story)


def test_once_the_trades_flow_again_a_stop_waits_for_them() -> None:
    """The quote alone triggers nothing any more."""

    async def story(told: PaperStory) -> None:
        await entered(told)
        told.account.feed_changed(topic(Channel.TRADE), live=False, reason="silent: the test wants it")
        told.account.feed_changed(topic(Channel.QUOTE), live=True, reason="")
        told.account.feed_changed(topic(Channel.TRADE), live=True, reason="")
        told.quote("89")
        await asyncio.sleep(1)
        assert told.net == D("1.998")
        told.trade("89")
        await asyncio.sleep(1)
        assert told.net == 0

    play_on_paper(story)


def test_a_restart_finds_the_account_as_it_was() -> None:
    """Position, stop and money; no difference is found, and nothing is sent."""
    disk = Disk()
    before: list[object] = []

    async def first(told: PaperStory) -> None:
        await entered(told)
        before.extend([told.net, told.account.engine.stop(MARKET), dict(told.account.engine.account.coins)])

    async def second(told: PaperStory) -> None:
        told.venue.printed = [trade("101")]
        await told.open()
        assert len(told.feeds.sinks) == 1  # followed from the start, for its stop
        await asyncio.sleep(1)
        assert told.floor.account.equity["USDT"] == told.account.engine.standing().wallet + told.net * (
            D(101) - D("100.1")
        )
        after = [told.net, told.account.engine.stop(MARKET), dict(told.account.engine.account.coins)]
        assert after == before
        told.strategy.want(1)
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        told.quote()
        for _ in range(3):
            await told.bar()
        assert told.net == told.task.desk.executor.position.net == before[0]
        assert told.task.desk.executor.counts.sent == 0
        assert noted(told) == []
        told.quote("80")
        told.trade("80")
        assert told.net == 0

    play_on_paper(first, disk)
    play_on_paper(second, disk, later_s=3600)


@pytest.mark.parametrize(("hours", "kept", "prices"), [(0, 1000, []), (24, 1000, [123, 115, 107]), (24, 5, [105] * 3)])
def test_funding_that_fell_due_while_nobody_was_there_is_booked_once(hours: int, kept: int, prices: list[int]) -> None:
    """At the prices of then, or the oldest that the venue has; the journal, and the next life, have it as well."""
    disk = Disk()
    due = sum((-HELD * price * D("0.0001") for price in prices), D(0))

    async def first(told: PaperStory) -> None:
        await entered(told)
        assert told.net == HELD

    async def second(told: PaperStory) -> None:
        told.venue.closes, told.venue.kept_hours = (lambda age: 101 + age), kept
        with capture_logs() as logged:
            await told.open()
            await asyncio.sleep(5)
        made_up = [line["times"] for line in logged if line["event"] == "paper.funding_made_up"]
        assert made_up == ([len(prices)] if prices else [])
        assert told.account.engine.account.funding == due
        assert told.task.desk.executor.funding == due
        assert noted(told) == []

    async def third(told: PaperStory) -> None:
        await told.open()
        await asyncio.sleep(5)
        assert (told.account.engine.account.funding, told.task.desk.executor.funding) == (D(0), due)
        assert told.floor.account.equity["USDT"] == told.account.engine.standing().equity

    play_on_paper(first, disk)
    for life in (second, third):
        play_on_paper(life, disk, later_s=hours * 3600 + 1)


def test_a_market_without_candles_is_asked_again_and_its_funding_booked_then() -> None:
    """It opens all the same, and is traded."""
    disk = Disk()

    async def first(told: PaperStory) -> None:
        await entered(told)

    async def second(told: PaperStory) -> None:
        told.venue.kept_hours = 0
        with capture_logs() as logged:
            await told.open()
            await asyncio.sleep(130)
        assert [line["event"] for line in logged].count("paper.funding_unread") == 1
        assert told.account.engine.account.funding == 0
        told.venue.kept_hours = 1000
        await asyncio.sleep(65)
        assert told.account.engine.account.funding == 3 * -HELD * 100 * D("0.0001")

    play_on_paper(first, disk)
    play_on_paper(second, disk, later_s=24 * 3600 + 1)


def test_a_resting_order_rests_on() -> None:
    """Half filled in one life, filled and booked in the next, under the same id."""
    disk = Disk()

    async def first(told: PaperStory) -> None:
        told.specs = [spec(told.strategy, style=LIMIT)]
        await entered(told)
        told.trade("100", "10")
        await asyncio.sleep(1)
        assert told.net == 1

    async def second(told: PaperStory) -> None:
        told.specs = [spec(told.strategy, style=LIMIT)]
        told.strategy.want(1)
        await told.live()
        order = told.task.desk.executor.orders[0]
        assert (order.status, order.filled) == (OrderStatus.PARTIAL, D(1))
        told.quote("99")
        await told.bar()
        assert told.net == told.task.desk.executor.position.net == D("1.998")
        assert not told.task.desk.executor.orders
        assert noted(told) == []

    play_on_paper(first, disk)
    play_on_paper(second, disk, later_s=3600)


def test_whatever_had_reached_the_disk_is_a_whole_account() -> None:
    """Killed after any record: position, stop and orders of the account are those that the daemon remembers."""
    disk = GroupedDisk()

    async def life(told: PaperStory) -> None:
        told.specs = [spec(told.strategy, style=LIMIT)]
        await told.live()
        told.quote()
        for exposure, stop, price in ((1, "90", "99"), (-1, "120", "103"), (1, "95", "94"), (0, None, "94")):
            told.strategy.want(exposure, stop)
            await told.bar()
            told.trade(str(told.venue.price), "9.5")
            told.trade(price)
            await asyncio.sleep(1)
            told.quote(price)
            await asyncio.sleep(1)
            await told.bar()

    async def check() -> None:
        world = World(clock=Clock(), seed=b"later")
        fills = open_seen = 0
        for lines in disk.prefixes():
            memory, account = await rebuilt(lines, world)
            left, engine = memory.market(MARKET), account.engine
            assert engine.account.holding(MARKET).net == left.position.net
            assert engine.stop(MARKET) == (left.stop if left.position.net else None)
            fills += left.position.net != 0
            for order in left.orders:
                report = Front(engine).find(order.client_id, world.clock.now_ns()).report
                known = order.venue_order_id is not None and not order.status.terminal
                assert (report is not None) == known
                if report is not None:
                    assert (report.venue_order_id, report.filled) == (order.venue_order_id, order.executed)
                    open_seen += not report.status.terminal
                else:
                    assert order.settled or not (order.executed or order.status.terminal)
        assert fills > 3
        assert open_seen > 3

    play_on_paper(life, disk)
    asyncio.run(check())


def test_an_order_that_takes_at_once_does_not_rest_on() -> None:
    """What it took is in the journal; the rest expired while nobody looked."""
    meant = msgspec.structs.replace(intent(5, 3), kind=OrderKind.MARKET, price=None)
    events: list[Event] = [
        OrderIntended(intent=meant, at_ns=START),
        FillApplied(fill=fill("x1", 1, number=5), net=D(1), at_ns=START),
        OrderChanged(
            market=MARKET,
            client_id=meant.client_id,
            status=OrderStatus.PARTIAL,
            evidence=Evidence.FILLS,
            filled=D(1),
            venue_order_id=VenueOrderId("v1"),
            at_ns=START,
        ),
    ]

    async def check() -> None:
        clock = Clock()
        _, account = await rebuilt([codec.encode(event).encode() for event in events], World(clock=clock, seed=b"x"))
        report = Front(account.engine).find(meant.client_id, clock.now_ns()).report
        assert report is not None
        assert (report.status, report.filled, report.average) == (OrderStatus.EXPIRED, D(1), D(100))
        assert account.occupied == [instrument()]

    asyncio.run(check())


def test_a_market_without_a_trade_is_worth_what_was_paid() -> None:
    """Until it is quoted: there is nothing else to value its position by."""
    disk = Disk()

    async def second(told: PaperStory) -> None:
        await told.open()
        await asyncio.sleep(1)
        assert told.floor.account.equity["USDT"] == told.account.engine.standing().wallet

    play_on_paper(entered, disk)
    play_on_paper(second, disk, later_s=3600)


# ---------------------------------------------------------------------------------------------------------------- ports
def test_questions_about_markets_go_to_the_real_venue() -> None:
    """Rules, bars, trades and the clock are the real ones; the name and the rule of ids are told of the account."""

    async def story(told: PaperStory) -> None:
        await told.open()
        paper, real = told.paper, told.venue
        assert (paper.name, paper.id_rule) == (real.name, IdRule.FOR_EVER)
        assert await paper.bars(instrument(), 60, 3) == await real.bars(instrument(), 60, 3)
        assert await paper.trades(instrument(), 3) == await real.trades(instrument(), 3)
        assert (await paper.quote(instrument())).bid == (await real.quote(instrument())).bid
        assert await paper.server_time_ns() == await real.server_time_ns()
        assert await paper.instruments([instrument().symbol]) == {instrument().symbol: instrument()}
        await paper.aclose()

    play_on_paper(story)


def test_the_account_keeps_to_the_real_venue_s_rules_of_now() -> None:
    """They change while somebody holds something: that stays, and what comes fits them."""

    async def story(told: PaperStory) -> None:
        await entered(told)
        wider = msgspec.structs.replace(instrument(), step=D("0.5"), min_quantity=D("0.5"))
        told.account.add_market(wider, None)
        assert told.net == D("1.998")
        with pytest.raises(Refused, match=r"multiple of 0\.5"):
            await told.paper.submit(wider, intent(7, "0.2"))

    play_on_paper(story)


def test_requests_on_orders_are_answered_as_the_port_says() -> None:
    """Acknowledged, found, listed, cancelled; refused by the errors of the house; leverage is set once and again."""

    async def story(told: PaperStory) -> None:
        await told.live()
        told.quote()
        paper, market = told.paper, instrument()
        resting = intent(77, "0.5", at_ns=told.world.clock.now_ns())
        assert (await paper.submit(market, resting)).status is OrderStatus.ACKED
        with pytest.raises(DuplicateId):
            await paper.submit(market, resting)
        assert [report.client_id for report in await paper.open_orders()] == [resting.client_id]
        assert (await paper.find(market, resting.client_id)).report is not None
        await paper.cancel(market, resting.client_id)
        with pytest.raises(NotFound):
            await paper.cancel(market, resting.client_id)
        with pytest.raises(NotFound):
            await paper.protect(market, D(90))
        for leverage in (7, 7, 100):
            await paper.prepare(market, leverage)
        with pytest.raises(Refused):
            await paper.prepare(market, 101)
        assert await paper.positions() == []
        assert [balance.equity for balance in await paper.balances()] == [BALANCE]
        assert await paper.executions(0) == []

    play_on_paper(story)


def test_the_account_follows_each_market_once_and_lets_it_go() -> None:
    """Quotes and trades, whatever the market itself asks for; closed, it follows nothing."""

    async def story(told: PaperStory) -> None:
        await told.live()
        assert told.feeds.channels[0] == {Channel.QUOTE: None, Channel.TRADE: None}
        assert [sink is told.account for sink in told.feeds.sinks] == [True, False]
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        assert [sink is told.account for sink in told.feeds.sinks] == [True, False, False]
        told.account.offer(bar_at(0, "1"), 1)  # a bar moves nothing
        assert told.account.engine.drain() == []
        await told.follower.aclose()
        assert told.feeds.holds[0].closed

    play_on_paper(story)
