"""Single values of another bot's configuration."""

from kangbot.cli.importing.taken import symbol


def test_symbols_in_every_hand() -> None:
    """As exchanges, bots and people write them."""
    assert symbol("btc_usdt", perpetual=False) == "BTC/USDT"
    assert symbol("USDT", perpetual=True) is None
    assert symbol("BTC/USDT:BTC", perpetual=True) is None
    assert symbol(7, perpetual=True) is None
