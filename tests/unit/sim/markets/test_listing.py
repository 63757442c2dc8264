"""The markets that the simulated venue lists: rules by which orders of the usual size can be placed."""

from decimal import ROUND_UP, Context, Decimal, localcontext

import pytest

from kangbot.model.market import InstrumentKind
from kangbot.model.money import floor_to
from kangbot.sim.markets.listing import DEFAULT_LINEAR, DEFAULT_SPOT, linear, spot
from kangbot.sim.markets.spec import MarketSpec

D = Decimal
_LISTED = [*map(linear, DEFAULT_LINEAR), *map(spot, DEFAULT_SPOT)]


@pytest.mark.parametrize("market", _LISTED, ids=lambda market: market.market)
def test_a_listed_market_can_be_traded(market: MarketSpec) -> None:
    """Its price is on a tick, its quantities on steps, and an order of 300 USDT is none of the smallest or largest."""
    rules = market.instrument
    assert market.price % rules.tick == 0
    assert rules.tick / market.price < D("0.002")
    assert rules.max_quantity is not None
    for quantity in (rules.min_quantity, rules.max_quantity, market.level):
        assert quantity > 0
        assert quantity % rules.step == 0
    order = floor_to(D(300) / market.price, rules.step)
    assert rules.min_quantity <= order < market.level < rules.max_quantity
    assert order * market.price >= D("0.6") * 300  # a coarse step leaves most of it
    assert rules.min_notional < order * market.price


def test_twenty_seven_contracts_are_listed_each_once() -> None:
    """As many as the daemon is meant for."""
    assert len(set(DEFAULT_LINEAR)) == len(DEFAULT_LINEAR) == 27
    assert len({market.market for market in _LISTED}) == len(_LISTED)


def test_a_contract_and_a_pair_are_told_apart_by_their_symbols() -> None:
    """By one native name, and by the same rules."""
    contract, pair = linear("ETHUSDT").instrument, spot("ETHUSDT", venue="other").instrument
    assert (contract.symbol, contract.market, contract.kind) == (
        "ETH/USDT:USDT",
        "bybit:ETH-USDT:USDT",
        InstrumentKind.LINEAR,
    )
    assert (pair.symbol, pair.market, pair.venue, pair.kind) == (
        "ETH/USDT",
        "other:ETH-USDT",
        "other",
        InstrumentKind.SPOT,
    )
    assert (
        (pair.native, pair.base, pair.quote)
        == ("ETHUSDT", "ETH", "USDT")
        == (
            contract.native,
            contract.base,
            contract.settle,
        )
    )
    assert (pair.tick, pair.step, pair.min_quantity) == (contract.tick, contract.step, contract.min_quantity)


def test_a_base_that_nobody_knows_costs_a_dollar() -> None:
    """Any name can be listed."""
    market = linear("WHATEVERUSDT")
    assert (market.price, market.instrument.base, market.instrument.tick) == (D(1), "WHATEVER", D("0.0001"))


@pytest.mark.parametrize("native", ["BTCUSD", "USDT", "", "BTC-USDT", "BTC/USDT"])
def test_a_name_that_is_no_market_in_tether_is_refused(native: str) -> None:
    """In words that show one."""
    with pytest.raises(ValueError, match="such as BTCUSDT"):
        linear(native)


def test_the_threads_arithmetic_changes_no_rule() -> None:
    """Of however few digits it is."""
    with localcontext(Context(prec=2, rounding=ROUND_UP)):
        found = [linear(name) for name in DEFAULT_LINEAR]
    assert found == [linear(name) for name in DEFAULT_LINEAR]
