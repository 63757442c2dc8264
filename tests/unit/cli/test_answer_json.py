"""Every command answers a script: one JSON object on standard output, and nothing else."""

import asyncio
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from kangbot.cli.main import app
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.runtime.world import real_world
from kangbot.settings.versions import Versions
from tests.support.records import noted

TEXT = 'state_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each command with what a person types."""
    if not hasattr(group, "commands"):
        yield path, group
        return
    for name, command in group.commands.items():
        yield from commands(command, f"{path} {name}".strip())


def answered(*words: str) -> dict[str, Any]:
    """Run a command that does its work, and return its one object."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    assert done.stdout.count("\n") == 1
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, by the variable that names it."""
    path = tmp_path / "kangbot.toml"
    monkeypatch.setenv("KANGBOT_CONFIG", str(path))
    return path


def test_every_command_answers_a_script() -> None:
    """Those that go on for ever, too: the daemon with its summary, the exchange with its addresses."""
    known = dict(commands(typer.main.get_command(app)))
    assert len(known) > 35
    assert [name for name, one in known.items() if not any("--json" in param.opts for param in one.params)] == []


def test_what_writes_a_configuration_says_what_it_wrote(config: Path, tmp_path: Path) -> None:
    """`init` and `config import`."""
    said = answered("init", "--mode", "testnet", "--markets", "BTC ETH")
    assert (said["config"], said["mode"], said["needs_key"]) == (str(config), "testnet", True)
    assert said["markets"] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    config.unlink()
    source = tmp_path / "freqtrade.json"
    source.write_text(json.dumps({"stake_amount": 20, "exchange": {"pair_whitelist": ["BTC/USDT"]}}))
    said = answered("config", "import", str(source))
    assert (said["config"], said["mode"], said["markets"]) == (str(config), "paper", ["BTC/USDT"])
    refused = CliRunner().invoke(app, ["config", "import", str(source), "--json"])
    assert (refused.exit_code, refused.stdout) == (1, "")


def test_what_works_with_versions_says_what_it_did(config: Path, tmp_path: Path) -> None:
    """`config versions`, `diff`, `backup` and `restore`."""
    config.write_text(TEXT)
    Versions(tmp_path / "state").keep(TEXT.encode(), "start", 0)
    assert answered("config", "diff") == {"config": str(config), "version": 1, "changed": False, "diff": []}
    copy = tmp_path / "copy.toml"
    assert answered("config", "backup", str(copy)) == {"config": str(config), "file": str(copy)}
    config.write_text(f'{TEXT}timeframe = "5m"\n')
    assert '+timeframe = "5m"' in answered("config", "diff")["diff"]
    said = answered("config", "restore", "1")
    assert config.read_text() == TEXT
    assert Path(said["aside"]).read_text().endswith('timeframe = "5m"\n')
    config.unlink()
    assert answered("config", "restore", str(copy))["aside"] is None


async def journalled(state: Path) -> None:
    """Write a journal of three records."""
    async with await JournalWriter.open(state, real_world()) as journal:
        await journal.append(*(noted(number) for number in range(3)))


def test_what_keeps_the_memory_says_what_it_kept(config: Path, tmp_path: Path) -> None:
    """`backup` and `restore`."""
    config.write_text(TEXT)
    asyncio.run(journalled(tmp_path / "state"))
    file = tmp_path / "backup.zip"
    said = answered("backup", str(file))
    assert said["bytes"] == file.stat().st_size
    assert (said["history"], said["mode"]) == (None, "sandbox")
    (tmp_path / "state").rename(tmp_path / "lost")
    said = answered("restore", str(file))
    assert said["last_sequence"] >= 3
    assert not said["config_restored"]
    assert (tmp_path / "state" / FILE).is_file()


def test_a_plan_and_a_version_are_told_as_well() -> None:
    """`install-service`, which changes nothing without --write, and `version`."""
    said = answered("install-service")
    assert not said["changed"]
    assert "LoadCredential=" in said["unit"]
    assert answered("version") == {"version": version("kangbot")}
