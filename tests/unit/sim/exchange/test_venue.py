"""The venue as a whole: time, funding, liquidation, determinism."""

import os
import subprocess
import sys
from decimal import ROUND_UP, Context, Decimal, localcontext
from hashlib import sha256
from itertools import pairwise

import msgspec
import pytest

from kangbot.model.data import Quote, Trade
from kangbot.model.orders import FillCause, OrderKind, OrderStatus, Side
from kangbot.sim.exchange.events import Executed, Funded, SimEvent
from kangbot.sim.exchange.orders import OrderRequest
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import DEFAULT_LINEAR, linear, spot
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS, VenueSpec
from tests.support.sim_bench import START_NS, Bench, fork

D = Decimal


def small(names: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"), rate: float = 10.0) -> SimVenue:
    """Return a venue that moves by itself."""
    markets = tuple(linear(name) for name in names)
    return SimVenue(VenueSpec(markets=markets, start_ns=START_NS, rate=rate, history_minutes=30), fork)


def digest(events: list[SimEvent]) -> str:
    """Return what identifies a history."""
    return sha256(b"\n".join(msgspec.json.encode(event) for event in events)).hexdigest()


def test_every_market_moves_at_its_pace() -> None:
    """Ten frames a second and market, evenly spread, with trades on them."""
    venue = small()
    venue.advance(START_NS + 10 * SECOND_NS)
    events = venue.drain()
    for market in venue.desks:
        quotes = [event for event in events if isinstance(event, Quote) and event.market == market]
        assert len(quotes) == 100
        assert all(quote.bid < quote.ask and quote.bid_quantity > 0 and quote.ask_quantity > 0 for quote in quotes)
        assert len({quote.bid for quote in quotes}) > 10
    trades = [event for event in events if isinstance(event, Trade)]
    assert len({trade.trade_id for trade in trades}) == len(trades) > 100


def test_history_joins_trading_without_a_gap() -> None:
    """Candles before the start and after it are consecutive, and open where the last one closed."""
    venue = small()
    venue.advance(START_NS + 3 * MINUTE_NS)
    for desk in venue.desks.values():
        candles = desk.klines.candles(60, 1000)
        assert len(candles) >= 33
        for before, after in pairwise(candles):
            assert after.open_ns == before.open_ns + MINUTE_NS
            assert after.open == before.close
        assert all(candle.low <= min(candle.open, candle.close) for candle in candles)
        assert all(candle.high >= max(candle.open, candle.close) for candle in candles)
        assert all(candle.volume > 0 for candle in candles[:-1])


def test_a_market_does_not_shift_the_draws_of_another() -> None:
    """Adding a market leaves the prices of the others as they were."""
    alone, both = small(("BTCUSDT",)), small()
    btc = linear("BTCUSDT").market
    prices = []
    for venue in (alone, both):
        venue.advance(START_NS + SECOND_NS)
        quotes = [event for event in venue.drain() if isinstance(event, Quote) and event.market == btc]
        prices.append([quote.bid for quote in quotes])
    assert prices[0] == prices[1][: len(prices[0])] or prices[0][: len(prices[1])] == prices[1]
    assert min(map(len, prices)) >= 9


def trade_a_while(steps: int) -> list[SimEvent]:
    """Return the events of a fixed session, advanced in `steps` pieces a second."""
    venue = small()
    market = linear("BTCUSDT").market
    now_ns = START_NS
    events: list[SimEvent] = []
    for second in range(20):
        for step in range(steps):
            venue.advance(now_ns + SECOND_NS * step // steps)
        now_ns += SECOND_NS
        venue.advance(now_ns)
        side = Side.BUY if second % 3 else Side.SELL
        desk = venue.desks[market]
        request = OrderRequest(
            market=market,
            side=side,
            kind=OrderKind.LIMIT if second % 2 else OrderKind.MARKET,
            quantity=D("0.01"),
            price=desk.book.quote.bid if second % 2 else None,
            client_id=f"kb{second}",
        )
        venue.submit(request, now_ns)
        events.extend(venue.drain())
    return events


def test_how_often_time_is_told_makes_no_difference() -> None:
    """One step a second or ten: the same history."""
    assert digest(trade_a_while(1)) == digest(trade_a_while(10))


def test_the_threads_decimal_context_makes_no_difference() -> None:
    """A library that changes rounding for everybody does not change the venue's digits."""
    expected = digest(trade_a_while(2))
    with localcontext(Context(prec=9, rounding=ROUND_UP)):
        assert digest(trade_a_while(2)) == expected


@pytest.mark.process
def test_one_seed_gives_one_history_in_every_process() -> None:
    """Two fresh interpreters with different hash seeds tell the same story."""
    code = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('subject', {__file__!r});"
        "subject = importlib.util.module_from_spec(spec); sys.modules['subject'] = subject;"
        "spec.loader.exec_module(subject); print(subject.digest(subject.trade_a_while(2)))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(("", *sys.path))},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert digests.pop().strip() == digest(trade_a_while(2))


def test_funding_is_paid_by_longs_at_its_time() -> None:
    """A cash flow and no fill; the wallet loses rate times value."""
    bench = Bench(funding_interval_s=3600)
    bench.submit(Side.BUY, "0.5")
    wallet = bench.venue.account.coins["USDT"]
    bench.venue.drain()
    due_ns = bench.venue.funding_ns
    bench.venue.advance(due_ns - 1)
    assert bench.venue.account.coins["USDT"] == wallet
    bench.venue.advance(due_ns)
    (event,) = bench.told(Funded)
    expected = -D("0.5") * bench.venue.desks[bench.btc].mark * bench.venue.spec.funding_rate
    assert event.flow.amount == expected
    assert bench.venue.account.coins["USDT"] == wallet + expected
    assert bench.venue.funding_ns == due_ns + 3600 * SECOND_NS


def test_an_account_that_cannot_keep_its_margin_is_liquidated(bench: Bench) -> None:
    """Everything is closed, whatever the book takes, and open orders go first."""
    bench.quote(bench.btc, "10000", quantity="20")
    bench.submit(Side.BUY, "9")
    resting = bench.submit(Side.BUY, "0.1", "5000")
    for _ in range(8):
        bench.now_ns += SECOND_NS
        bench.quote(bench.btc, "8900", quantity="2")
        bench.venue.advance(bench.now_ns)
    assert bench.net() == 0
    assert bench.now(resting).status.terminal
    causes = {event.fill.cause for event in bench.told(Executed)}
    assert FillCause.LIQUIDATION in causes


def test_a_frozen_venue_stands_still_and_goes_on_from_there() -> None:
    """No frame is made up for the time in between."""
    venue = small()
    venue.advance(START_NS + SECOND_NS)
    venue.drain()
    venue.frozen = True
    venue.advance(START_NS + 60 * SECOND_NS)
    assert venue.drain() == []
    venue.frozen = False
    venue.advance(START_NS + 61 * SECOND_NS)
    assert len([event for event in venue.drain() if isinstance(event, Quote)]) == 20


def test_ids_differ_between_two_starts_of_the_same_seed() -> None:
    """A daemon that remembers the fills of yesterday's sandbox must not mistake today's for them."""
    ids = []
    for start_ns in (START_NS, START_NS + 1):
        spec = VenueSpec(markets=(linear("BTCUSDT"),), start_ns=start_ns, history_minutes=1)
        venue = SimVenue(spec, fork)
        request = OrderRequest(
            market=spec.markets[0].market,
            side=Side.BUY,
            kind=OrderKind.MARKET,
            quantity=D("0.01"),
        )
        order = venue.submit(request, start_ns)
        assert order.status is OrderStatus.FILLED
        ids.append((order.order_id, venue.executions[0].fill.execution_id))  # type: ignore[union-attr]
    assert set(ids[0]).isdisjoint(ids[1])


def test_the_default_listing_is_27_perpetuals_with_sane_rules() -> None:
    """A few hundred USDT are a valid order in every one of them."""
    assert len(DEFAULT_LINEAR) == len(set(DEFAULT_LINEAR)) == 27
    for name in DEFAULT_LINEAR:
        spec = linear(name)
        rules = spec.instrument
        assert rules.native == name
        assert rules.min_notional == 5
        assert spec.price % rules.tick == 0
        assert rules.step * spec.price < 200
        assert rules.tick / spec.price < D("0.0005")
    assert spot("BTCUSDT").market != linear("BTCUSDT").market
    with pytest.raises(ValueError, match="USDT market"):
        linear("BTC")
