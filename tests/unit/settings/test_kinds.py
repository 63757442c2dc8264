"""The kinds of values that a key can have."""

import pytest

from .conftest import MARKET, Mistakes, Read


@pytest.mark.parametrize(
    "symbol",
    [
        "BTCUSDT",
        "BTCUSDT:USDT",
        "btc/USDT:USDT",
        "BTC/usdt:usdt",
        "BTC-X/USDT",
        "ETHÉ/USDT",
        "/USDT",
        "BTC/",
        "BTC/USDT:",
        "BTC/USD:BTC",
    ],
)
def test_what_is_no_symbol_is_refused(mistakes: Mistakes, symbol: str) -> None:
    """As a venue writes it, in small letters or another alphabet, in part, settled in what it is not quoted in."""
    (found,) = mistakes(MARKET.replace("BTC/USDT:USDT", symbol))
    assert (found.key, found.line) == ("markets[0].symbol", 2)
    assert "is not a symbol: write BTC/USDT:USDT" in found.message


@pytest.mark.parametrize(
    ("said", "meant"), [("::1", "::1"), ("[::1]", "::1"), ("0:0::1", "::1"), ("127.0.0.2", "127.0.0.2")]
)
def test_the_loopback_is_known_however_it_is_written(read: Read, said: str, meant: str) -> None:
    """Of version 6 as well, with the brackets of an address line or without."""
    assert read(f"[control]\nhost = '{said}'\n{MARKET}").control.host == meant


def test_a_name_of_version_6_has_brackets_as_a_browser_writes_it(read: Read) -> None:
    """And is as short as a browser makes it."""
    hosts = read(f"[control]\nhosts = ['2001:DB8:0::1', '[2001:db8::2]']\n{MARKET}").control.hosts
    assert hosts == ("[2001:db8::1]", "[2001:db8::2]")
