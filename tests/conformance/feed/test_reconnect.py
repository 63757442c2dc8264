"""What `ports.Feeds` promises of a connection that breaks, asked of every adapter."""

from collections import Counter

from kangbot.model.data import Quote, Trade
from kangbot.ports import Channel
from tests.support.feed_bench import Bench
from tests.support.feed_words import Told, flowing, until

BOTH = {Channel.QUOTE: None, Channel.TRADE: None}


async def test_a_break_is_told_and_its_end_and_data_flow_again(bench: Bench) -> None:
    """Of each topic once: live, down with the reason, live. No trade comes twice, and those of neighbours neither."""
    one, other = Told(), Told()
    holds = [bench.feeds.subscribe(bench.one, BOTH, one), bench.feeds.subscribe(bench.other, BOTH, other)]
    for told in (one, other):
        await flowing(told, 2)
    await bench.cut()
    for told in (one, other):
        await flowing(told, 6)
    for told in (one, other):
        assert list(told.lives().values()) == [[True, False, True]] * 2
        assert all(reason.startswith("closed: ") for reason in told.down_reasons())
        assert max(Counter(trade.trade_id for trade in told.of(Trade)).values()) == 1
    for hold in holds:
        await hold.aclose()


async def test_what_was_let_go_during_a_break_stays_silent(bench: Bench) -> None:
    """The neighbour is connected again, alone."""
    leaving, staying = Told(), Told()
    going = bench.feeds.subscribe(bench.one, BOTH, leaving)
    hold = bench.feeds.subscribe(bench.other, BOTH, staying)
    for told in (leaving, staying):
        await flowing(told, 2)
    await bench.cut()
    await going.aclose()
    count = len(leaving.events)
    await until(lambda: len(staying.changes) == 6)
    quotes = len(staying.of(Quote))
    await until(lambda: staying.heard(Quote, quotes + 5))
    assert len(leaving.events) == count
    await hold.aclose()
