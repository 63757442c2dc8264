"""The files of an older bot, wherever in them a setting stands."""

import json
from pathlib import Path

import pytest

from kangbot.cli.importing.old_bot import from_old_bot
from tests.support.imports import SECRETS, taken


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


@pytest.mark.parametrize(
    ("mode", "becomes", "said"),
    [
        ("sandbox", "sandbox", ""),
        ("Paper_Trading", "paper", ""),
        ("dry-run", "paper", ""),
        ("testnet", "paper", "the mode was testnet: it needs a key"),
        ("live", "paper", "the mode was live. Here it is paper"),
        (True, "paper", "the mode was true. Here it is paper"),
    ],
)
def test_no_mode_becomes_one_that_trades_with_money(mode: object, becomes: str, said: str) -> None:
    """Whatever it was; and where it was another, that is told."""
    taken = from_old_bot({"bot": {"mode": mode}})
    assert taken.mode == becomes
    assert [note.startswith(said) for note in taken.notes] == ([True] if said else [])


def test_a_key_is_none_by_whatever_name_and_a_bound_is_no_key() -> None:
    """What ends in a word for a secret; `max_tokens` is a number of them, and belongs to what is not taken."""
    for name in ("apiKey", "API_SECRET", "user.password", "bot-token"):
        taken = from_old_bot({name: "pw-77aa"})
        assert [note.startswith("keys and secrets were not taken") for note in taken.notes] == [True]
    assert from_old_bot({"max_token": 5}).notes == ["not taken: max_token"]


def test_what_is_nested_beyond_reason_is_one_setting() -> None:
    """And nothing falls over it."""
    table: dict[str, object] = {"symbol": "BTCUSDT"}
    for _ in range(50):
        table = {"a": table}
    assert from_old_bot(table).symbols == []
    (note,) = from_old_bot(table).notes
    assert note == f"not taken: {'.'.join('a' * 20)}"
