"""Accepted versions of the configuration: named, compared, put back."""

from pathlib import Path

import pytest

from kangbot.cli.config import diff, restore, versions
from kangbot.settings.versions import KEPT, Versions

GOOD = b'state_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


def test_a_version_is_put_back_and_what_was_broken_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is thrown away, and nothing is replaced by defaults."""
    config, state = tmp_path / "kangbot.toml", tmp_path / "state"
    Versions(state).keep(GOOD, "start", 0)
    config.write_bytes(GOOD + b"size = \n")
    assert versions(config, state, as_json=True) == 0
    (row,) = json.loads(capsys.readouterr().out)["versions"]
    assert (row["number"], row["cause"]) == (1, "start")
    assert versions(config, state) == 0
    assert diff(config, state, None) == 0
    assert "+size = " in capsys.readouterr().out
    assert restore(config, state, 7) == 1
    assert restore(config, state, 1) == 0
    assert config.read_bytes() == GOOD
    (aside,) = tmp_path.glob("kangbot.toml.corrupted.*")
    assert aside.read_bytes() == GOOD + b"size = \n"


def test_the_newest_versions_are_kept(tmp_path: Path) -> None:
    """Twenty of them; the same text twice in a row is one."""
    kept = Versions(tmp_path)
    for number in range(KEPT + 5):
        kept.keep(b"# %d" % number, "Edit by hand", number)
        kept.keep(b"# %d" % number, "again", number)
    assert [version.number for version in kept.all()] == list(range(6, KEPT + 6))
    assert kept.all()[-1].cause == "edit-by-hand"
