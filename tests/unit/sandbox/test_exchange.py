"""The venue under its wire names."""

from decimal import Decimal

import pytest

from kangbot.model.market import InstrumentKind
from kangbot.sandbox.errors import PARAMS, ApiError
from kangbot.sandbox.exchange import category_kind
from tests.support.sandbox_bench import START_NS, SandboxBench


def test_a_market_is_found_by_its_category_and_name() -> None:
    """One name may stand for a contract and for a pair; what is not listed is refused."""
    exchange = SandboxBench().exchange
    contract, pair = exchange.desk("linear", "BTCUSDT").spec.market, exchange.desk("spot", "BTCUSDT").spec.market
    assert contract != pair
    assert [exchange.category(market) for market in (contract, pair)] == ["linear", "spot"]
    assert [exchange.symbol(market) for market in (contract, pair)] == ["BTCUSDT", "BTCUSDT"]
    for category, symbol in (("spot", "ETHUSDT"), ("linear", "NOPEUSDT"), ("inverse", "BTCUSDT"), ("", "BTCUSDT")):
        with pytest.raises(ApiError) as refused:
            exchange.desk(category, symbol)
        assert refused.value.code == PARAMS


def test_the_markets_of_a_category_are_in_the_order_of_listing() -> None:
    """One that is not served has none."""
    exchange = SandboxBench().exchange
    assert [desk.spec.instrument.native for desk in exchange.desks("linear")] == ["BTCUSDT", "ETHUSDT"]
    assert [desk.spec.instrument.native for desk in exchange.desks("spot")] == ["BTCUSDT"]
    assert exchange.desks("option") == []


def test_a_category_without_markets_has_no_kind() -> None:
    """Those that exist elsewhere as well."""
    assert category_kind("spot") is InstrumentKind.SPOT
    with pytest.raises(ApiError, match="Category is invalid"):
        category_kind("option")


def test_the_clock_is_the_venues_in_whole_milliseconds_on_the_wire() -> None:
    """Rounded down."""
    exchange = SandboxBench().exchange
    assert (exchange.now_ns(), exchange.now_ms()) == (START_NS, START_NS // 1_000_000)


def test_a_seed_decides_about_prices_and_ids() -> None:
    """Two sandboxes of one seed are the same, and of two they have no id in common."""
    first, again, other = (SandboxBench(seed=seed).venue for seed in (1, 1, 2))
    tapes = [[trade for desk in venue.desks.values() for trade in desk.tape] for venue in (first, again, other)]
    assert tapes[0] == tapes[1]
    assert not {trade.trade_id for trade in tapes[0]} & {trade.trade_id for trade in tapes[2]}


def test_the_options_reach_the_venue() -> None:
    """Pace, history, money and the time between two payments."""
    venue = SandboxBench(rate=4.0, balance=7, funding_interval_s=60, history_minutes=3).venue
    assert (venue.spec.rate, venue.spec.balance, venue.spec.funding_interval_s) == (4.0, Decimal(7), 60)
    assert (venue.spec.history_minutes, venue.spec.start_ns) == (3, START_NS)
