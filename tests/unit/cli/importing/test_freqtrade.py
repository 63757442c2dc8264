"""A freqtrade configuration: what is taken, what is said, and that no secret gets through."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.cli.importing.freqtrade import from_freqtrade, is_freqtrade
from tests.support.imports import SECRETS, taken

FREQTRADE = """\
{
    // a bot of mine
    "max_open_trades": 3, "stake_currency": "USDT", "stake_amount": 100.5, /* of each
    trade */ "dry_run": false, "dry_run_wallet": 2500,
    "timeframe": "5m", "trading_mode": "futures", "margin_mode": "isolated",
    "stoploss": -0.08, "minimal_roi": {"0": 0.02}, "trailing_stop": true, "bot_name": "mill // one",
    "exchange": {
        "name": "bybit", "key": "kEy-9f8e7d6c5b4a", "secret": "sEcReT-0a1b2c3d4e", "ccxt_config": {"x": "pw-77aa"},
        "pair_whitelist": ["BTC/USDT:USDT", "eth/USDT:USDT", "BTC/USDT:USDT", ".*/USDT:USDT",],
        "pair_blacklist": ["BNB/.*"]
    },
    "pairlists": [{"method": "StaticPairList"}],
    "telegram": {"enabled": true, "token": "123456:telegram-token", "chat_id": "42"},
    "api_server": {"enabled": true, "jwt_secret_key": "jwt-Zz99", "password": "pw-77aa"},
    "strategy": "Ichimoku", "db_url": "mysql://me:pw-77aa@host/trades", "own_thing": "pw-77aa",
}
"""


def test_a_freqtrade_configuration_is_taken_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With comments and commas too many; it trades on paper until a person says otherwise."""
    text, table = taken(tmp_path, FREQTRADE)
    assert table["mode"] == "paper"
    assert table["defaults"]["timeframe"] == "5m"
    assert table["defaults"]["size"] == Decimal("100.5")
    assert table["defaults"]["parameters"] == {"stop_percent": 8}
    assert table["risk"]["open_positions"] == 3
    assert table["risk"]["total_notional"] >= 3 * table["defaults"]["size"]
    assert table["paper"]["balance"] == 2500
    assert [market["symbol"] for market in table["markets"]] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    said = capsys.readouterr().out
    for note in (
        "keys and secrets were not taken",
        "the telegram token was not taken",
        "dry_run is false",
        "minimal_roi has no counterpart",
        "trailing_stop has no counterpart",
        "pairlists has no counterpart",
        "the strategy Ichimoku is code for freqtrade",
        "is no single symbol",
        "not taken: own_thing, exchange.ccxt_config, exchange.pair_blacklist",
    ):
        assert note in text
        assert note in said
    assert not any(secret in text + said for secret in SECRETS)


def test_a_later_file_counts_as_with_freqtrade(tmp_path: Path) -> None:
    """Keys in a file of their own are a part of the same configuration."""
    text, table = taken(tmp_path, FREQTRADE, '{"exchange": {"secret": "sEcReT-0a1b2c3d4e"}, "timeframe": "1h"}')
    assert table["defaults"]["timeframe"] == "1h"
    assert not any(secret in text for secret in SECRETS)


def test_binance_futures_become_prices_on_paper(tmp_path: Path) -> None:
    """Unlimited stakes and positions have their defaults; a pair without its settlement is a perpetual there."""
    exchange = {"name": "binance", "pair_whitelist": ["BTC/USDT"]}
    source = {"exchange": exchange, "trading_mode": "futures", "stake_amount": "unlimited", "max_open_trades": -1}
    text, table = taken(tmp_path, json.dumps(source))
    assert table["defaults"]["venue"] == "binance_usdm"
    assert table["markets"] == [{"symbol": "BTC/USDT:USDT"}]
    assert table["risk"]["open_positions"] == 0
    assert "stake_amount unlimited has no counterpart" in text


@pytest.mark.parametrize(
    ("trades", "positions", "told"),
    [(-1, 0, False), (1, 1, False), ("7", 7, False), (0, None, True), ("0.5", None, True), (-2, None, False)],
)
def test_a_bot_that_lets_nothing_enter_does_not_become_one_without_a_limit(
    trades: object, positions: int | None, *, told: bool
) -> None:
    """Of -1 and 0 each program has its own meaning."""
    taken = from_freqtrade({"max_open_trades": trades})
    assert taken.open_positions == positions
    assert any("let nothing enter" in note for note in taken.notes) is told


def test_it_is_known_by_what_other_bots_have_not() -> None:
    """Also a part of it, such as a file with the pairs alone."""
    assert is_freqtrade({"stake_amount": 5})
    assert is_freqtrade({"exchange": {"pair_whitelist": []}})
    assert not is_freqtrade({"exchange": {"name": "bybit"}})
    assert not is_freqtrade({"exchange": "bybit", "symbol": "BTCUSDT"})


@pytest.mark.parametrize(
    ("stoploss", "percent"), [("-0.08", 8), (-1, None), ("-0.00001", None), ("0.1", None), ("much", None)]
)
def test_a_stop_is_a_ratio_below_nought(stoploss: object, percent: int | None) -> None:
    """What is none leaves the strategy's own, and that is told."""
    taken = from_freqtrade({"stoploss": stoploss})
    assert taken.stop_percent == percent
    assert any("is no ratio below 0" in note for note in taken.notes) is (percent is None)


@pytest.mark.parametrize(
    ("exchange", "mode", "venue", "said"),
    [
        ("bybit", "futures", "bybit", ""),
        ("Binance", "futures", "binance_usdm", "of Binance kangbot has the prices"),
        ("binance", "spot", "bybit", "the exchange binance is none that kangbot trades at"),
        ("kraken", "futures", "bybit", "the exchange kraken is none that kangbot trades at"),
    ],
)
def test_markets_go_where_kangbot_has_them(exchange: str, mode: str, venue: str, said: str) -> None:
    """And it is told where that is not where they were."""
    pairs = {"name": exchange, "pair_whitelist": ["BTC/USDT"], "key": ""}
    taken = from_freqtrade({"trading_mode": mode, "exchange": pairs})
    assert (taken.venue, taken.mode) == (venue, "paper")
    assert taken.symbols == ["BTC/USDT:USDT" if mode == "futures" else "BTC/USDT"]
    assert any(note.startswith(said) for note in taken.notes if said) is bool(said)
    assert not any("keys and secrets" in note for note in taken.notes), "an empty one is none"
