"""Which venue a daemon trades at, and what that asks of the rest of its configuration."""

import pytest

from tests.unit.settings.conftest import MARKET, Mistakes, Read

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


def test_binance_is_data_only(mistakes: Mistakes) -> None:
    """In every other mode that is one mistake, at the venue's line, with what to write."""
    for mode in ("sandbox", "testnet", "live"):
        (found,) = mistakes(
            f'mode = "{mode}"\n[defaults]\nvenue = "binance_usdm"\n{MARKET}{MARKET.replace("BTC", "ETH")}'
        )
        assert (found.key, found.line) == ("defaults.venue", 3)
        assert "data only" in found.message
        assert 'mode = "paper"' in found.remedy
    (found,) = mistakes(BINANCE)
    assert (found.key, found.line) == ("markets[0].venue", 3)


def test_binance_has_no_spot(mistakes: Mistakes) -> None:
    """The remedy is the perpetual's symbol."""
    (found,) = mistakes('mode = "paper"\n' + BINANCE.replace("BTC/USDT:USDT", "BTC/USDT"))
    assert found.remedy == "Write BTC/USDT:USDT."


def test_a_daemon_trades_at_one_venue(mistakes: Mistakes) -> None:
    """The first market's venue is the daemon's; the others are told, each at its line."""
    text = f'mode = "paper"\n{MARKET}{BINANCE.replace("BTC", "ETH")}'
    (found,) = mistakes(text)
    assert (found.key, found.line) == ("markets[1].venue", 6)
    assert "ETH/USDT:USDT is at binance_usdm" in found.message
    assert "state_dir" in found.remedy


@pytest.mark.parametrize(
    ("mode", "symbols", "wrong"),
    [
        ("sandbox", ("BTC/USDT:USDT", "ETH/BTC", "BTC/USDC:USDC", "SOL/USDC"), ["ETH/BTC"]),
        ("sandbox", ("ETH/BTC", "SOL/BTC"), []),
        ("sandbox", ("ETH/EUR", "ETH/USDT"), ["ETH/USDT"]),
        ("paper", ("ETH/BTC", "BTC/USDC:USDC"), ["ETH/BTC"]),
    ],
)
def test_markets_count_in_one_money(mistakes: Mistakes, mode: str, symbols: tuple[str, ...], wrong: list[str]) -> None:
    """Limits and losses are one sum over all of them; a dollar is one, whoever issued it."""
    found = mistakes(f'mode = "{mode}"\n' + "".join(MARKET.replace("BTC/USDT:USDT", symbol) for symbol in symbols))
    assert [one.key for one in found] == [f"markets[{symbols.index(symbol)}].symbol" for symbol in wrong]
    assert all("would be summed as if they were one money" in one.message for one in found)
    left = MARKET.replace("BTC/USDT:USDT", "ETH/BTC") + "enabled = false\n"
    assert mistakes(f'mode = "{mode}"\n{left}{MARKET}') == (), "one that is left alone counts in nothing"


def test_the_simulated_exchange_may_be_a_neighbour(read: Read) -> None:
    """Its three addresses follow from one, and no other mode asks there."""
    there = '[venues.bybit]\nsandbox_url = "http://exchange:8790/"\n'
    settings = read(f"{there}{MARKET}")
    assert settings.bybit_rest_url == "http://exchange:8790"
    assert settings.bybit_ws_public_url == "ws://exchange:8790/v5/public"
    assert settings.bybit_ws_private_url == "ws://exchange:8790/v5/private"
    assert read(f'mode = "paper"\n{there}{MARKET}').bybit_rest_url == "https://api.bybit.com"
    assert read(MARKET).bybit_rest_url == "http://127.0.0.1:8790"


def test_the_simulated_exchange_is_not_the_real_one(mistakes: Mistakes) -> None:
    """A mode that can hurt nobody asks nobody who could be hurt."""
    (found,) = mistakes(f'[venues.bybit]\nsandbox_url = "https://api.bybit.com"\n{MARKET}')
    assert (found.key, found.line) == ("venues.bybit.sandbox_url", 2)


def test_limits_count_equity_in_what_the_markets_settle_in(read: Read) -> None:
    """A contract's settle currency, a pair's quote; on paper always what the simulated account holds."""
    assert read(MARKET).currency == "USDT"
    assert read(MARKET.replace("BTC/USDT:USDT", "BTC/USDC:USDC")).currency == "USDC"
    assert read(MARKET.replace("BTC/USDT:USDT", "ETH/BTC")).currency == "BTC"
    assert read(f'mode = "paper"\n{MARKET.replace("BTC/USDT:USDT", "BTC/USDC:USDC")}').currency == "USDT"
