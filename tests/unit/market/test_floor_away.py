"""A floor whose venue is away for every market: one probe asks for all, and each market hardly asks for itself."""

import asyncio

import msgspec

from kangbot.errors import Retryable
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId
from kangbot.ports import Channel
from tests.support.floor_story import Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import instrument

OTHERS = tuple(MarketId(f"bybit:{name}-USDT:USDT") for name in ("ETH", "SOL", "XRP", "ADA"))
AWAY = Retryable("Server error, please try again later")


def go_away(told: Story) -> None:
    """Have nothing answered any more, and four other markets notice."""
    told.venue.no_bars = told.venue.no_quotes = AWAY
    told.venue.tells_time, told.venue.unreachable = False, True
    for market in OTHERS:
        told.floor.circuits.add(msgspec.structs.replace(instrument(), market=market))
    for market in OTHERS:
        told.floor.circuits.ended(market, Lane.DATA, AWAY)
    for channel in (Channel.QUOTE, Channel.BAR):
        told.feeds.tell(channel, instrument(), live=False)
    assert told.floor.circuits.local_fault_ns


def come_back(told: Story) -> None:
    """Have everything answered, by REST alone."""
    told.venue.no_bars = told.venue.no_quotes = None
    told.venue.tells_time, told.venue.unreachable = True, False


def questions(told: Story) -> int:
    """Return how often the venue was asked for one order."""
    return sum(name.startswith("find") for name, _ in told.venue.asked)


def test_a_flat_market_leaves_it_to_the_probe_to_find_out() -> None:
    """The history that it was asking for is asked for again once that got through: within its longest wait of 15 s."""

    async def story(told: Story) -> None:
        await told.live()
        told.venue.no_bars = AWAY
        told.feeds.tell(Channel.BAR, instrument(), live=False)
        await asyncio.sleep(12)
        before = told.venue.fetches
        assert before >= 3
        go_away(told)
        await asyncio.sleep(600)
        assert told.venue.fetches <= before + 1
        assert told.venue.quotes == 0
        before = told.venue.fetches
        come_back(told)
        await asyncio.sleep(16)
        assert told.venue.fetches == before + 1
        assert not told.floor.circuits.local_fault_ns

    play(story)


def test_a_position_is_asked_for_once_a_minute_whatever_the_probe_says() -> None:
    """Price and bars: the fault may be none of theirs, and then they are the only ones to find out."""

    async def story(told: Story) -> None:
        await told.live()
        told.strategy.want(1)
        await told.bar()
        assert told.venue.net == 2
        quotes, fetches = told.venue.quotes, told.venue.fetches
        go_away(told)
        await asyncio.sleep(600)
        assert 6 <= told.venue.quotes - quotes <= 10
        assert 6 <= told.venue.fetches - fetches <= 10
        told.venue.no_quotes = None  # prices are told again, and nothing else
        quotes = told.venue.quotes
        await asyncio.sleep(180)
        assert told.venue.quotes - quotes > 10
        assert told.floor.circuits.local_fault_ns
        come_back(told)
        await asyncio.sleep(16)
        assert not told.floor.circuits.local_fault_ns

    play(story)


def test_an_order_of_unknown_outcome_is_asked_about_once_a_minute() -> None:
    """Beside the comparison of everything; what became of it is known soon after the venue is back."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.venue.fates.append(Fate.LOST_BEFORE)
        told.venue.unreachable = True
        told.strategy.want(1)
        await told.bar()
        assert len(told.task.desk.executor.unknown) == 1
        asked = questions(told)
        go_away(told)
        await asyncio.sleep(600)
        assert 8 <= questions(told) - asked <= 12
        assert len(told.task.desk.executor.unknown) == 1
        come_back(told)
        await asyncio.sleep(30)
        assert not told.task.desk.executor.unknown

    play(story)
