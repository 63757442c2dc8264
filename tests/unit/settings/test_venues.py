"""Which venue a daemon trades at, and what that asks of the rest of its configuration."""

from tests.unit.settings.conftest import MARKET, Read

BINANCE = f'{MARKET}venue = "binance_usdm"\n'


def test_binance_is_traded_on_paper(read: Read) -> None:
    """Its own addresses are the real ones, and may be others."""
    settings = read(f'mode = "paper"\n{BINANCE}')
    assert (settings.venue, settings.mode) == ("binance_usdm", "paper")
    assert settings.venues.binance_usdm.rest_url == "https://fapi.binance.com"
    assert settings.venues.binance_usdm.ws_public_url == "wss://fstream.binance.com"


def test_a_market_that_is_left_alone_names_no_venue(read: Read) -> None:
    """What counts are the markets that run."""
    settings = read(f'{BINANCE}enabled = false\n{MARKET}venue = "bybit"\n')
    assert (settings.venue, settings.mode) == ("bybit", "sandbox")


def test_the_simulated_exchange_may_be_a_neighbour(read: Read) -> None:
    """Its three addresses follow from one, and no other mode asks there."""
    there = '[venues.bybit]\nsandbox_url = "http://exchange:8790/"\n'
    settings = read(f"{there}{MARKET}")
    assert settings.bybit_rest_url == "http://exchange:8790"
    assert settings.bybit_ws_public_url == "ws://exchange:8790/v5/public"
    assert settings.bybit_ws_private_url == "ws://exchange:8790/v5/private"
    assert read(f'mode = "paper"\n{there}{MARKET}').bybit_rest_url == "https://api.bybit.com"
    assert read(MARKET).bybit_rest_url == "http://127.0.0.1:8790"


def test_limits_count_equity_in_what_the_markets_settle_in(read: Read) -> None:
    """A contract's settle currency, a pair's quote; on paper always what the simulated account holds."""
    assert read(MARKET).currency == "USDT"
    assert read(MARKET.replace("BTC/USDT:USDT", "BTC/USDC:USDC")).currency == "USDC"
    assert read(MARKET.replace("BTC/USDT:USDT", "ETH/BTC")).currency == "BTC"
    assert read(f'mode = "paper"\n{MARKET.replace("BTC/USDT:USDT", "BTC/USDC:USDC")}').currency == "USDT"
