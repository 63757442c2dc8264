"""What the configuration means for stops."""

from pathlib import Path

from kangbot.cli.doctor.finding import Mark
from kangbot.cli.doctor.orders import orders
from kangbot.settings import load


def test_limit_entries_of_coins_are_a_warning(tmp_path: Path) -> None:
    """One, that names all it concerns: a contract's stop rides with its entry, and a disabled market enters nothing."""
    path = tmp_path / "kangbot.toml"
    markets = [("BTC/USDT", "limit", True), ("ETH/USDT", "market", True), ("SOL/USDT", "limit", False)]
    markets += [("XRP/USDT:USDT", "limit", True), ("XRP/USDT", "limit", True)]
    tables = [
        f'[[markets]]\nsymbol = "{symbol}"\nentry_order = "{order}"\nenabled = {str(enabled).lower()}\n'
        for symbol, order, enabled in markets
    ]
    path.write_text('mode = "sandbox"\n' + "".join(tables))
    (look,) = orders(load(path, {}))
    assert look.mark is Mark.WARNING
    assert look.says.startswith("limit entries of BTC/USDT, XRP/USDT bring no stop")
    path.write_text('mode = "sandbox"\n' + "".join(tables[1:4]))
    assert not [*orders(load(path, {}))]
