"""What `ports.Venue` promises of markets, asked of every adapter: also of those that know no orders."""

from itertools import pairwise

import pytest

from kangbot.errors import Refused
from kangbot.model.ids import Symbol
from kangbot.model.market import InstrumentKind
from tests.support.market_bench import Markets


async def test_instruments_are_known_by_their_symbols(markets: Markets) -> None:
    """What is traded is there with its rules, what is not is absent."""
    found = await markets.venue.instruments([*markets.listed, Symbol("NOPE/USDT:USDT")])
    assert set(found) == set(markets.listed)
    for name, instrument in found.items():
        assert instrument.symbol == name
        assert instrument.venue == markets.venue.name
        assert instrument.kind is (InstrumentKind.LINEAR if ":" in name else InstrumentKind.SPOT)
        assert instrument.market == f"{markets.venue.name}:{name.replace('/', '-')}"
        assert min(instrument.tick, instrument.step, instrument.min_quantity, instrument.min_notional) > 0


async def test_bars_are_closed_contiguous_and_oldest_first(markets: Markets) -> None:
    """The newest is the last minute that is over by the venue's clock."""
    bars = await markets.venue.bars(markets.linear, 60, 10)
    now_ns = await markets.venue.server_time_ns()
    assert len(bars) == 10
    assert all(after.open_ns == before.close_ns for before, after in pairwise(bars))
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert now_ns - 120_000_000_000 < bars[-1].close_ns <= now_ns
    with pytest.raises(Refused):
        await markets.venue.bars(markets.linear, 7, 10)


async def test_trades_are_oldest_first(markets: Markets) -> None:
    """The market's latest, each under an id of its own."""
    trades = await markets.venue.trades(markets.linear, 50)
    assert 0 < len(trades) <= 50
    assert [trade.at_ns for trade in trades] == sorted(trade.at_ns for trade in trades)
    assert {trade.market for trade in trades} == {markets.linear.market}
    assert len({trade.trade_id for trade in trades}) == len(trades)


async def test_a_mark_is_a_price_near_the_book_or_not_told(markets: Markets) -> None:
    """A contract's, where the adapter tells one."""
    if not markets.venue.tells_mark:
        with pytest.raises(Refused):
            await markets.venue.mark(markets.linear)
        return
    mark, quote = await markets.venue.mark(markets.linear), await markets.venue.quote(markets.linear)
    assert mark is not None
    assert abs(mark - quote.mid) < quote.mid / 10


async def test_a_quote_is_the_top_of_the_book_now(markets: Markets) -> None:
    """Whole, of the market that was asked for, uncrossed, and not from yesterday."""
    quote = await markets.venue.quote(markets.linear)
    assert quote.market == markets.linear.market
    assert 0 < quote.bid < quote.ask
    assert min(quote.bid_quantity, quote.ask_quantity) > 0
    assert quote.bid % markets.linear.tick == quote.ask % markets.linear.tick == 0
    assert abs(quote.at_ns - markets.now_ns()) < 60_000_000_000


async def test_the_venues_clock_is_near_ours(markets: Markets) -> None:
    """In nanoseconds since the epoch; the venue behind the bench shares our clock."""
    assert abs(await markets.venue.server_time_ns() - markets.now_ns()) < 5_000_000_000
