"""`kangbot config …`, of a file that is in order and of one that is broken."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kangbot.cli.main import app
from kangbot.settings.versions import Versions

GOOD = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file that is broken to the last line; its state folder is not where it would be looked for."""
    path = tmp_path / "kangbot.toml"
    path.write_text("[[[\n")
    versions = Versions(tmp_path / "elsewhere")
    for text in (GOOD, f"{GOOD}# the second\n"):
        versions.keep(text.encode(), "edit", 0)
    return path


def test_a_broken_file_is_left_by_its_versions_where_the_folder_is_named(config: Path) -> None:
    """They are listed, compared and put back; the newest is meant where none is named."""
    at = ["--config", str(config), "--state", str(config.parent / "elsewhere"), "--json"]
    said = json.loads(CliRunner().invoke(app, ["config", "versions", *at]).stdout)
    assert [row["number"] for row in said["versions"]] == [1, 2]
    assert json.loads(CliRunner().invoke(app, ["config", "diff", *at]).stdout)["version"] == 2
    assert json.loads(CliRunner().invoke(app, ["config", "diff", "1", *at]).stdout)["version"] == 1
    assert CliRunner().invoke(app, ["config", "restore", "1", *at]).exit_code == 0
    assert config.read_text() == GOOD


def test_a_file_is_shown_and_validated_by_its_name(config: Path) -> None:
    """The one that was typed, whichever is in use."""
    other = config.with_name("other.toml")
    other.write_text('mode = "paper"\n' + GOOD)
    shown = CliRunner().invoke(app, ["config", "show", "--config", str(other)])
    assert (shown.exit_code, "paper" in shown.stdout) == (0, True)
    said = json.loads(CliRunner().invoke(app, ["config", "validate", str(other), "--json"]).stdout)
    assert (said["ok"], said["config"], said["mode"]) == (True, str(other), "paper")
    assert CliRunner().invoke(app, ["config", "validate", str(config)]).exit_code == 78
