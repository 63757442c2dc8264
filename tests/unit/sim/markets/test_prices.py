"""Seeded prices: whole ticks and steps, trades on the book, and a walk that comes back."""

import random
from decimal import Decimal
from math import log

import msgspec
import pytest

from kangbot.model.data import Trade
from kangbot.model.orders import Side
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.prices import Frame, PriceProcess
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS, MarketSpec

D = Decimal
START_NS = 1_760_000_400_000_000_000
SPEC = linear("ETHUSDT")
CALM = msgspec.structs.replace(SPEC, volatility=0.0)  # it moves by jumps alone
_USUAL_S = 0.1


def process(spec: MarketSpec = SPEC, seed: int = 1) -> PriceProcess:
    """Return the prices of that seed."""
    return PriceProcess(spec, random.Random(seed), "a-b-c-d")


def frames(prices: PriceProcess, count: int = 300, dt_s: float = _USUAL_S) -> list[Frame]:
    """Return what the market says at that pace."""
    step_ns = int(dt_s * SECOND_NS)
    return [prices.frame(START_NS + number * step_ns, dt_s) for number in range(count)]


@pytest.mark.parametrize("ticks", [1, 3])
def test_quotes_are_whole_ticks_and_steps(ticks: int) -> None:
    """The spread is the narrowest or a tick wider, something stands on both sides, and each has the next number."""
    found = [frame.quote for frame in frames(process(msgspec.structs.replace(SPEC, spread_ticks=ticks)))]
    rules = SPEC.instrument
    assert {(quote.ask - quote.bid) / rules.tick for quote in found} == {D(ticks), D(ticks + 1)}
    for quote in found:
        assert not any((quote.bid % rules.tick, quote.bid_quantity % rules.step, quote.ask_quantity % rules.step))
        assert 0 < quote.bid_quantity <= 2 * SPEC.level
        assert 0 < quote.ask_quantity <= 2 * SPEC.level
    assert [quote.sequence for quote in found] == list(range(1, 301))
    assert [quote.at_ns for quote in found] == [START_NS + number * 100_000_000 for number in range(300)]


def test_trades_are_on_the_quote_that_they_come_with() -> None:
    """A buyer pays the ask and a seller gets the bid; none, one or two a frame, each with an id of its own."""
    found = frames(process())
    for quote, trades in found:
        assert all(trade.price == (quote.ask if trade.side is Side.BUY else quote.bid) for trade in trades)
        assert all((trade.at_ns, trade.market) == (quote.at_ns, SPEC.market) for trade in trades)
        assert all(trade.quantity > 0 and trade.quantity % SPEC.instrument.step == 0 for trade in trades)
    assert {len(frame.trades) for frame in found} == {0, 1, 2}
    tape = [trade for frame in found for trade in frame.trades]
    assert {trade.side for trade in tape} == {Side.BUY, Side.SELL}
    assert [trade.trade_id for trade in tape] == [f"a-b-c-d-{number:012x}" for number in range(1, len(tape) + 1)]


def volume(trades: list[Trade]) -> float:
    """Return what was traded."""
    return float(sum(trade.quantity for trade in trades))


def test_slower_frames_carry_more_volume() -> None:
    """A market trades as much in an hour however often one looks."""
    often = volume([trade for frame in frames(process(), 2000) for trade in frame.trades])
    seldom = volume([trade for frame in frames(process(), 200, 1.0) for trade in frame.trades])
    assert seldom / often == pytest.approx(1.0, rel=0.2)


def test_one_seed_gives_the_same_prices() -> None:
    """And another one others."""
    assert frames(process()) == frames(process())
    assert frames(process()) != frames(process(seed=2))


def test_a_jump_is_there_with_the_next_frame_and_comes_back() -> None:
    """To the price around which the market moves, within the time that it takes to."""
    prices = process(CALM)
    before = prices.frame(START_NS, 0.0).quote.bid
    prices.jump(1.1)
    after = prices.frame(START_NS, 0.0).quote.bid
    assert float(after / before) == pytest.approx(1.1, rel=1e-4)
    later = prices.frame(START_NS, CALM.reversion_s / 2).quote.bid
    assert log(float(later / before)) == pytest.approx(log(1.1) / 2, rel=1e-2)
    home = prices.frame(START_NS, CALM.reversion_s * 3).quote.bid
    assert float(home / before) == pytest.approx(1.0, rel=1e-4)


def test_a_price_stays_near_where_it_began() -> None:
    """Over hours: a walk without a bound would leave its rules behind."""
    bids = [float(frame.quote.bid) for frame in frames(process(), 2000, 60.0)]
    assert 0.8 < min(bids) / float(SPEC.price) < 1 < max(bids) / float(SPEC.price) < 1.25
    assert len(set(bids)) > 1000


def test_a_trend_is_over_before_a_long_frame_is() -> None:
    """It lasts twenty seconds: who looks seldom does not see it go on for hours."""
    for seed in range(30):
        quote = process(seed=seed).frame(START_NS, 10_000.0).quote
        assert abs(log(float(quote.bid / SPEC.price))) < 0.1


def test_nobody_bids_less_than_a_tick() -> None:
    """However far the price falls."""
    prices = process(CALM)
    prices.jump(1e-12)
    quote = prices.frame(START_NS, 0.0).quote
    assert quote.bid == SPEC.instrument.tick < quote.ask


def test_history_ends_where_trading_begins() -> None:
    """Oldest first, every ten seconds, from so many minutes before; the ids of the next trades follow on."""
    prices = process()
    told = prices.history(START_NS, 30)
    times = [trade.at_ns for trade in told]
    assert times == sorted(times)
    assert {at_ns % (10 * SECOND_NS) for at_ns in times} == {START_NS % (10 * SECOND_NS)}
    assert START_NS - 30 * MINUTE_NS <= times[0] < START_NS - 29 * MINUTE_NS
    assert START_NS - MINUTE_NS < times[-1] < START_NS
    assert len({at_ns // MINUTE_NS for at_ns in times}) == 30
    later = [trade for frame in frames(prices, 20) for trade in frame.trades]
    assert int(later[0].trade_id.rpartition("-")[2], 16) == len(told) + 1
    assert float(later[0].price / told[-1].price) == pytest.approx(1.0, abs=0.01)


def test_no_history_is_nothing_to_remember() -> None:
    """As a venue has it that was opened just now."""
    assert process().history(START_NS, 0) == []


def test_other_rules_hold_from_the_next_frame_and_move_no_price() -> None:
    """On ticks and steps of now, with levels of now."""
    prices = process(CALM)
    before = prices.frame(START_NS, 0.0).quote.bid
    rules = msgspec.structs.replace(SPEC.instrument, tick=D("0.25"), step=D(1))
    prices.ruled(msgspec.structs.replace(CALM, instrument=rules, level=D(100)))
    found = [prices.frame(START_NS, 0.0) for _ in range(50)]
    for quote, _ in found:
        assert not quote.bid % rules.tick
        assert not quote.bid_quantity % rules.step
        assert abs(quote.bid - before) < 1
    assert 100 < max(quote.bid_quantity for quote, _ in found) <= 200


def test_a_level_of_less_than_a_step_is_one_step() -> None:
    """Something stands there all the same."""
    quote = process(msgspec.structs.replace(SPEC, level=D(0))).frame(START_NS, 0.0).quote
    assert {quote.bid_quantity, quote.ask_quantity} == {SPEC.instrument.step}
