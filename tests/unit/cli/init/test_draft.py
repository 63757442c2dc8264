"""A first configuration, as text."""

from kangbot.cli.init.draft import symbols


def test_markets_have_short_names() -> None:
    """A coin is its perpetual; each is named once."""
    assert symbols("btc, ETH/USDT  sol/usdt:usdt,BTC") == ("BTC/USDT:USDT", "ETH/USDT", "SOL/USDT:USDT")
