"""What is said of a market: one that trades, and one whose strategy has not seen enough yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from structlog.testing import capture_logs

from kangbot.market.reporting import money_of, report_of
from kangbot.market.roster import Command
from kangbot.model.data import Bar, Trade
from kangbot.model.events import RunState
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO
from kangbot.model.orders import Side
from tests.support.floor_story import LOOKBACK, BarVenue, Story, play, spec
from tests.support.trade_words import MARKET


@dataclass(slots=True)
class YoungVenue(BarVenue):
    """A venue that tells no more than the newest two bars of the market."""

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        known = await BarVenue.bars(self, instrument, timeframe_s, limit)
        return known[-2:]


def said(told: Story) -> str:
    """Return why the market stands where it does, as it is reported."""
    return report_of(told.task, told.roster[MARKET], told.world.clock.now_ns(), {}).reason


def test_a_market_that_warms_says_how_much_is_missing() -> None:
    """The venue's history may be shorter than the strategy's look-back: said once, and asked for seldom."""

    async def story(told: Story) -> None:
        told.venue = venue = YoungVenue(clock=told.world.clock)
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.WARMING)
        assert said(told) == "every topic is acknowledged"
        with capture_logs() as logged:
            await asyncio.sleep(30)
        assert said(told) == f"{LOOKBACK - 2} of {LOOKBACK} bars are missing"
        assert [line["reason"] for line in logged if line["event"] == "market.bars_missing"] == [said(told)]
        assert venue.fetches < 10
        await told.reach(RunState.LIVE)
        assert said(told) == f"{LOOKBACK} bars"

    play(story)


def test_bars_made_of_trades_are_counted_as_they_come() -> None:
    """There is no other history of them than the newest trades."""

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, timeframe="5s", timeframe_s=5)]
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.WARMING)
        for number in range(20):
            await asyncio.sleep(1)
            told.task.inbox.offer(a_trade(told, number), 1)
            if told.task.strategist.shown:
                break
        seen = told.task.strategist.shown
        assert 0 < seen < LOOKBACK
        assert said(told) == f"{seen} of the {LOOKBACK} bars that its strategy looks back on"

    play(story)


def a_trade(told: Story, number: int) -> Trade:
    """Return a trade of this moment."""
    return Trade(
        market=MARKET,
        side=Side.BUY,
        price=Decimal(100),
        quantity=Decimal(1),
        trade_id=str(number),
        at_ns=told.world.clock.now_ns(),
    )


def test_an_average_that_does_not_end_is_reported_to_the_hundredth_of_a_tick() -> None:
    """Twenty-eight digits of it are noise; one that is a price stays as it is."""

    async def story(told: Story) -> None:
        await told.live()
        reported = []
        for price, exposure in (("100", "0.5"), ("101", "1")):
            told.quote(price)
            told.strategy.want(exposure)
            await told.bar()
            reported.append(report_of(told.task, told.roster[MARKET], told.world.clock.now_ns(), {}))
        assert [str(one.entry) for one in reported] == ["100", "100.495"]
        assert reported[-1].unrealised == Decimal("1.00")

    play(story)


def test_what_an_exit_takes_of_a_position_is_realised_though_the_rest_is_open() -> None:
    """What is open and what was closed are together what the trades have brought, at every step of them."""

    async def story(told: Story) -> None:
        await told.live()
        cash, held, reported = ZERO, ZERO, []
        for price, exposure in (("100", "1"), ("110", "0.5"), ("120", "1"), ("90", "0.1"), ("95", "0")):
            told.quote(price)
            told.strategy.want(exposure)
            await told.bar()
            one = report_of(told.task, told.roster[MARKET], told.world.clock.now_ns(), {})
            cash, held = cash - (one.net - held) * Decimal(price), one.net
            reported.append((one.realised + one.unrealised, one.realised))
            assert abs(reported[-1][0] - cash - held * Decimal(price)) < Decimal("1e-7")
            assert one.profit == one.realised - one.fees
        assert reported[1][1] > 0, "half of it was sold for more than it was bought for"

    play(story)


def test_money_is_what_markets_are_traded_in() -> None:
    """A coin of a spot market, and one that pays fees, are stated beside it, and are no money to sum."""
    stated = {"SHIB": Decimal(313_853_493), "USDC": Decimal(5), "MNT": Decimal(1), "USDT": Decimal(1000)}
    markets = [MarketId("bybit:SHIB-USDT"), MarketId("bybit:BTC-USDC:USDC"), MarketId("bybit:ETH-EUR")]
    assert list(money_of(stated, "USDT", markets).items()) == [("USDT", Decimal(1000)), ("USDC", Decimal(5))]
    assert money_of({}, "USDT", markets) == {}


def test_the_report_says_what_there_is_to_say() -> None:
    """A market's part of the report follows its state, position and orders."""

    async def story(told: Story) -> None:
        await told.wants_in()
        said = report_of(told.task, told.roster[MARKET], told.world.clock.now_ns(), {})
        assert (said.state, said.net, said.stop, said.signal) == ("live", Decimal(2), Decimal(90), "the test wants it")
        assert (said.orders.sent, said.orders.filled, said.orders.unknown) == (1, 1, 0)
        assert (said.bars, said.decisions, said.falls) == (1, 2, 0)

    play(story)
