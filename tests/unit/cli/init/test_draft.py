"""A first configuration, as text."""

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from kangbot.cli.init.draft import Answers, draft, symbols


def test_markets_have_short_names() -> None:
    """A coin is its perpetual; each is named once."""
    assert symbols("btc, ETH/USDT  sol/usdt:usdt,BTC") == ("BTC/USDT:USDT", "ETH/USDT", "SOL/USDT:USDT")


def answers(**given: Any) -> Answers:
    """Return what was answered, changed as asked."""
    usual: dict[str, Any] = {"mode": "sandbox", "venue": "bybit", "markets": ("BTC/USDT:USDT",), "database": ""}
    return Answers(**{"strategy": "ema_cross", "size": Decimal(150), **usual, **given})


def test_limits_are_so_many_times_the_size() -> None:
    """A day that loses one full position takes no more; sizes are written without an exponent."""
    table = tomllib.loads(draft(answers(size=Decimal("1E+2"))), parse_float=Decimal)
    assert table["defaults"]["size"] == 100
    assert (table["risk"]["market_notional"], table["risk"]["total_notional"]) == (400, 2000)
    assert table["risk"]["daily_loss"] == 100
    assert [market["symbol"] for market in table["markets"]] == ["BTC/USDT:USDT"]


@pytest.mark.parametrize(
    ("mode", "venue", "keyed", "timeframe"),
    [
        ("sandbox", "bybit", False, "1m"),
        ("paper", "bybit", False, "15m"),
        ("paper", "binance_usdm", False, "15m"),
        ("testnet", "bybit", True, "15m"),
        ("live", "bybit", True, "15m"),
    ],
)
def test_a_key_is_named_where_one_is_used(mode: str, venue: str, timeframe: str, *, keyed: bool) -> None:
    """By the files that will hold it; and nothing trades with money by what is written."""
    given = answers(mode=mode, venue=venue)
    table = tomllib.loads(draft(given))
    assert (table["mode"], table["defaults"]["venue"], table["defaults"]["timeframe"]) == (mode, venue, timeframe)
    assert given.needs_key is keyed
    named = {"bybit": {"key_file": "bybit_key", "secret_file": "bybit_secret"}}
    assert table.get("venues") == (named if keyed else None)
    assert "live" not in table or table["live"] == {}
    assert ("# i_understand" in draft(given)) is (mode == "live")


def test_a_database_is_named_by_its_address_or_by_the_file_that_holds_it() -> None:
    """What a person typed stands there as text, whatever is in it."""
    assert "database" not in tomllib.loads(draft(answers()))
    odd = 'mysql://k"b@h/\\db'
    assert tomllib.loads(draft(answers(database=odd)))["database"] == {"url": odd}
    assert tomllib.loads(draft(answers(database_file="database_url")))["database"] == {"url_file": "database_url"}
