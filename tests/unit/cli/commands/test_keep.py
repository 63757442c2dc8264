"""Commands about what outlives the daemon: each reaches its own part with what was typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kangbot.cli import offline
from kangbot.cli.main import app
from kangbot.errors import NeedsHuman
from kangbot.settings import loading


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, read in this process, whose daemon has never run."""
    monkeypatch.setattr(offline, "load", loading.load)
    path = tmp_path / "kangbot.toml"
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    return path


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("backup {folder}/b.zip", "there is no journal in {folder}/state"),
        ("restore {folder}/b.zip", "{folder}/b.zip is no backup that can be read"),
        ("db restore {folder}/copy", "a copy of a server's history goes back into a server"),
        ("journal rebuild --tag mistaken", "has nothing of any journal"),
    ],
)
def test_each_command_refuses_in_its_own_words(config: Path, typed: str, said: str) -> None:
    """With the configuration that was named, and the file."""
    folder = config.parent
    done = CliRunner().invoke(app, [*typed.format(folder=folder).split(), "--config", str(config)])
    assert isinstance(done.exception, NeedsHuman)
    assert said.format(folder=folder) in done.exception.message


def test_an_upgrade_takes_every_option_that_it_names(config: Path) -> None:
    """Of a file nothing is copied elsewhere, whatever is said of it."""
    options = ["--copy-to", str(config.parent), "--without-copy", "--startup", "--json", "--config", str(config)]
    done = CliRunner().invoke(app, ["db", "upgrade", *options])
    assert (done.exit_code, '"copy":null' in done.stdout) == (0, True)
