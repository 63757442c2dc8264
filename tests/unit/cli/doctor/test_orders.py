"""What the configuration means for orders."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("risk", "size", "order", "held"),
    [
        ("market_notional = 200", "200", "market", True),  # 201, with 0.5 % of slippage
        ("market_notional = 200", "199", "market", False),
        ("market_notional = 200", "200", "limit", False),  # which fills at its price or better
        ("market_notional = 200\nslippage_percent = 0", "200", "market", False),
        ("market_notional = 0\ntotal_notional = 100", "150", "limit", True),
        ("market_notional = 0\ntotal_notional = 0", "150", "market", False),
    ],
)
def test_a_limit_that_an_entry_cannot_pass_is_a_warning(
    tmp_path: Path, risk: str, size: str, order: str, *, held: bool
) -> None:
    """Else nothing is ever entered by a configuration in which nothing is wrong."""
    path = tmp_path / "kangbot.toml"
    market = f'[[markets]]\nsymbol = "BTC/USDT:USDT"\nsize = {size}\nentry_order = "{order}"\n'
    path.write_text(f"[risk]\n{risk}\n{market}{market.replace('BTC', 'ETH')}enabled = false\n")
    looks = [*orders(load(path, {}))]
    assert [look.mark for look in looks] == [Mark.WARNING] * held
    assert all("entries of BTC/USDT:USDT back" in look.says for look in looks)
