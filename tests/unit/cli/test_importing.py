"""`kangbot config import`: what is written is what the daemon takes, and nothing is overwritten."""

import json
from pathlib import Path

import pytest

from kangbot.cli.importing import import_config
from kangbot.errors import ConfigInvalid


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there stays to the byte."""
    config = tmp_path / "kangbot.toml"
    config.write_text("# mine\n")
    source = tmp_path / "global.json"
    source.write_text('{"symbol": "BTCUSDT"}')
    assert import_config([source], config) == 1
    assert config.read_text() == "# mine\n"
    assert "is not overwritten" in capsys.readouterr().err


def test_a_size_beyond_all_limits_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    """The file is read as the daemon reads it before it is called written."""
    source = tmp_path / "0.json"
    pairs = ["BTC/USDT", "A" * 19 + "/USDT"]
    source.write_text(json.dumps({"stake_amount": 1e9, "max_open_trades": 9000, "exchange": {"pair_whitelist": pairs}}))
    with pytest.raises(ConfigInvalid, match="total_notional"):
        import_config([source], tmp_path / "kangbot.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["0.json"]


def test_a_place_that_takes_no_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not as a configuration that was there: nobody would look at what stands in its folder's place."""
    source, folder = tmp_path / "global.json", tmp_path / "folder"
    source.write_text('{"symbol": "BTCUSDT"}')
    folder.touch()
    assert import_config([source], folder / "kangbot.toml") == 1
    assert capsys.readouterr().err == f"{folder / 'kangbot.toml'} cannot be written: File exists: {folder}\n"
    assert folder.read_bytes() == b""
