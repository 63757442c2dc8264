"""Another bot's configuration: what is taken, what is said, and that no secret gets through."""

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kangbot.cli.importing import import_config
from kangbot.cli.importing.reading import read
from kangbot.cli.importing.taken import symbol
from kangbot.errors import ConfigInvalid
from kangbot.settings import load

SECRETS = (
    "kEy-9f8e7d6c5b4a",
    "sEcReT-0a1b2c3d4e",
    "sk-proj-abcdef123456",
    "123456:telegram-token",
    "jwt-Zz99",
    "pw-77aa",
)
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


def taken(tmp_path: Path, *texts: str, code: int = 0) -> tuple[str, dict[str, Any]]:
    """Import the texts as files; return the text that was written and what it says."""
    sources = [tmp_path / f"{number}.json" for number in range(len(texts))]
    for source, text in zip(sources, texts, strict=True):
        source.write_text(text)
    config = tmp_path / "new" / "kangbot.toml"
    assert import_config(sources, config) == code
    text = config.read_text()
    load(config, {})  # as `kangbot check` reads it
    return text, tomllib.loads(text, parse_float=Decimal)


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
    ("settings", "symbols"),
    [
        ({"symbol": "BTCUSDT", "mode": "live", "exchange": "bybit"}, ["BTC/USDT:USDT"]),
        ({"Trading": {"SYMBOL": "eth-usdt", "Mode": "paper"}, "Exchange": {"Name": "Kraken"}}, ["ETH/USDT:USDT"]),
        ({"global": {"symbols": ["BTC/USDT", "SOL/USDT"], "marketType": "spot"}}, ["BTC/USDT", "SOL/USDT"]),
        ({"trading_pairs": "BTC/USDT:USDT, XRPUSDT", "interval": "15m"}, ["BTC/USDT:USDT", "XRP/USDT:USDT"]),
        ({"a": [{"symbol": "ADAUSDC"}, {"symbol": "ADAUSDC"}]}, ["ADA/USDC:USDC"]),
    ],
)
def test_the_old_bots_files_are_read_however_they_are_nested(
    tmp_path: Path, settings: dict[str, object], symbols: list[str]
) -> None:
    """Two files; case, hyphens and depth do not matter, and nothing of OpenAI is taken but the word of it."""
    constants: dict[str, object] = {
        "OpenAI": {"api_key": "sk-proj-abcdef123456", "model": "gpt-4"},
        "API_SECRET": "sEcReT-0a1b2c3d4e",
    }
    constants |= {"retries": {"max\nTimes": "pw-77aa"}}
    text, table = taken(tmp_path, json.dumps(settings), json.dumps(constants))
    assert [market["symbol"] for market in table["markets"]] == symbols
    assert table["mode"] == "paper"
    assert "OpenAI's settings were not taken" in text
    assert "keys and secrets were not taken" in text
    assert "not taken: retries.max?Times" in text
    assert not any(secret in text for secret in SECRETS)


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there stays to the byte."""
    config = tmp_path / "kangbot.toml"
    config.write_text("# mine\n")
    source = tmp_path / "global.json"
    source.write_text('{"symbol": "BTCUSDT"}')
    assert import_config([source], config) == 1
    assert config.read_text() == "# mine\n"
    assert "is not overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1,\n  // why\n "b" 2}', r"0\.json:3: is not JSON at column 6"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b"[1, 2]", "holds no JSON object"),
        (b'{"symbol": [".*"]}', "names no market that kangbot could trade"),
        (b"[" * 100_000, "beyond all bounds"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "beyond all bounds"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, text: bytes, words: str) -> None:
    """File and line, as an editor counts them; nothing is written."""
    source = tmp_path / "0.json"
    source.write_bytes(text)
    with pytest.raises(ConfigInvalid, match=words):
        import_config([source], tmp_path / "kangbot.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["0.json"]


def test_a_size_beyond_all_limits_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    """The file is read as the daemon reads it before it is called written."""
    source = tmp_path / "0.json"
    pairs = ["BTC/USDT", "A" * 19 + "/USDT"]
    source.write_text(json.dumps({"stake_amount": 1e9, "max_open_trades": 9000, "exchange": {"pair_whitelist": pairs}}))
    with pytest.raises(ConfigInvalid, match="total_notional"):
        import_config([source], tmp_path / "kangbot.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["0.json"]


def test_comments_inside_of_text_stay(tmp_path: Path) -> None:
    """An address has two slashes, and a name may have a comma before a bracket."""
    source = tmp_path / "a.json"
    source.write_text('{"url": "https://x/*y*/", "name": ",]", "list": [1, 2 , ] // end\n, }')
    assert read(source) == {"url": "https://x/*y*/", "name": ",]", "list": [1, 2]}


def test_symbols_in_every_hand() -> None:
    """As exchanges, bots and people write them."""
    assert symbol("btc_usdt", perpetual=False) == "BTC/USDT"
    assert symbol("USDT", perpetual=True) is None
    assert symbol("BTC/USDT:BTC", perpetual=True) is None
    assert symbol(7, perpetual=True) is None
