"""Which market is meant by what somebody typed."""

import pytest

from kangbot.market.naming import UnknownMarketError, named
from kangbot.model.ids import MarketId

PERPETUAL, PAIR = MarketId("bybit:BTC-USDT:USDT"), MarketId("bybit:BTC-USDT")
ETH, SOL = MarketId("bybit:ETH-USDT:USDT"), MarketId("bybit:SOL-USDC:USDC")
MARKETS = (PERPETUAL, PAIR, ETH, SOL)


@pytest.mark.parametrize(
    ("typed", "market"),
    [
        ("bybit:BTC-USDT:USDT", PERPETUAL),
        ("BTC/USDT:USDT", PERPETUAL),
        ("btc/usdt", PAIR),  # its whole symbol, though the perpetual's begins so
        ("ETH", ETH),
        (" eth ", ETH),
        ("ETHUSDT", ETH),
        ("eth/usdt", ETH),
        ("ETH-USDT:USDT", ETH),
        ("bybit:sol", SOL),
        ("bybit:btc-usdt", PAIR),
        ("bybit:ethusdt", ETH),
        ("SOLUSDC", SOL),
    ],
)
def test_a_market_is_known_by_whatever_says_which(typed: str, market: MarketId) -> None:
    """Name, symbol, the exchange's own word, or the coin alone."""
    assert named(typed, MARKETS, "runs here") == market


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("btc", "'btc' may be bybit:BTC-USDT:USDT or bybit:BTC-USDT"),
        ("BTCUSDT", "'BTCUSDT' may be bybit:BTC-USDT:USDT or bybit:BTC-USDT"),
        ("usdc", "no market 'usdc' runs here: is bybit:SOL-USDC:USDC meant?"),
        ("ETHUSD", "no market 'ETHUSD' runs here: is bybit:ETH-USDT:USDT meant?"),
        ("SOL/USDT", "no market 'SOL/USDT' runs here: is bybit:SOL-USDC:USDC meant?"),
        ("usdt", "no market 'usdt' runs here: is bybit:BTC-USDT:USDT or bybit:BTC-USDT or bybit:ETH-USDT:USDT meant?"),
        (
            "bybit:ETH-USDT",
            "no market 'bybit:ETH-USDT' runs here: is bybit:ETH-USDT:USDT meant?",
        ),  # it was the spot market
        ("bybit", "no market 'bybit' runs here; `kangbot status` lists those that there are"),  # it may be any of them
        ("DOGE", "no market 'DOGE' runs here; `kangbot status` lists those that there are"),
        ("", "no market '' runs here; `kangbot status` lists those that there are"),
        ("bybit:", "no market 'bybit:' runs here; `kangbot status` lists those that there are"),
        ("bybit:ETH-USDT:USTD", "no market 'bybit:ETH-USDT:USTD' runs here: is bybit:ETH-USDT:USDT meant?"),
        ("bybit:ETHH-USDT:USDT", "no market 'bybit:ETHH-USDT:USDT' runs here: is bybit:ETH-USDT:USDT meant?"),
        ("bybit:SLO/USDT:USDT", "no market 'bybit:SLO/USDT:USDT' runs here: is bybit:SOL-USDC:USDC meant?"),
        ("bybt:SOL-USDC:USDC", "no market 'bybt:SOL-USDC:USDC' runs here: is bybit:SOL-USDC:USDC meant?"),
        ("BTC_USDT", "no market 'BTC_USDT' runs here: is bybit:BTC-USDT:USDT or bybit:BTC-USDT meant?"),
        ("OPSUSD", "no market 'OPSUSD' runs here; `kangbot status` lists those that there are"),
        (  # as good as every letter of it is in every other name
            "bybit:PEPE-USDT:USDT",
            "no market 'bybit:PEPE-USDT:USDT' runs here; `kangbot status` lists those that there are",
        ),
    ],
)
def test_what_does_not_say_which_is_answered_with_those_that_may_be_meant(typed: str, told: str) -> None:
    """Nothing is guessed: it may be a command to stop."""
    with pytest.raises(UnknownMarketError) as refused:
        named(typed, MARKETS, "runs here")
    assert str(refused.value) == told
