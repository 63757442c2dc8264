"""What an edit makes of a market; how edits are taken on is in `market/test_floor_changes.py` and `tests/e2e`."""

from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.editing import spec_of
from kangbot.errors import ConfigUnread
from kangbot.model.orders import OrderKind
from kangbot.settings.loading import load
from kangbot.strategy.ema_cross import EmaCross

OWN = "from kangbot.strategy.ema_cross import EmaCross\nclass Own(EmaCross):\n    name = 'own'\n"
CONFIG = """mode = "sandbox"
[defaults]
strategy = "ema_cross"
size = 500
[[markets]]
symbol = "BTC/USDT:USDT"
timeframe = "5m"
leverage = 3
entry_order = "limit"
order_patience_s = 7
[markets.parameters]
fast = 4
slow = 9
"""


def test_a_market_is_what_its_table_and_the_defaults_say(tmp_path: Path) -> None:
    """Every key of the table arrives, in the units of the daemon."""
    file = tmp_path / "kangbot.toml"
    file.write_text(CONFIG)
    (market,) = load(file, {}).trading
    spec = spec_of(market)
    assert (spec.market, spec.symbol) == ("bybit:BTC-USDT:USDT", "BTC/USDT:USDT")
    assert isinstance(spec.strategy, EmaCross)
    assert (spec.strategy.parameters.fast, spec.strategy.parameters.slow) == (4, 9)
    assert (spec.timeframe, spec.timeframe_s) == ("5m", 300)
    assert (spec.size, spec.leverage) == (Decimal(500), 3)
    assert (spec.style.kind, spec.style.exit_kind) == (OrderKind.LIMIT, OrderKind.MARKET)
    assert spec.style.patience_ns == 7_000_000_000


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (None, r"own\.py.*cannot be read: No such file"),
        ("raise OSError('no room')", r"own\.py.*no room"),
        (
            OWN + "    def __init__(self, parameters):\n        raise MemoryError('none left')\n",
            "cannot be made.*none left",
        ),
    ],
    ids=["gone", "broken", "raises"],
)
def test_a_strategy_that_somebody_is_at_work_on_may_be_read_a_moment_later(
    tmp_path: Path, later: str | None, words: str
) -> None:
    """It was in order when the file was read: nothing is known to be wrong with the configuration."""
    own = tmp_path / "own.py"
    own.write_text(OWN)
    file = tmp_path / "kangbot.toml"
    file.write_text(CONFIG.replace('"ema_cross"', f'"{own}"'))
    (market,) = load(file, {}).trading
    if later is None:
        own.unlink()
    else:
        own.write_text(later)
    with pytest.raises(ConfigUnread, match=words):
        spec_of(market)
