"""Accepted versions of the configuration: named, compared, put back."""

import errno
import json
import os
import stat
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from kangbot.cli.config import backup, diff, restore, show, versions
from kangbot.errors import ConfigInvalid, Refused
from kangbot.settings.plain import LARGEST
from kangbot.settings.versions import KEPT, Versions

GOOD = b'state_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'
MARKET = b'[[markets]]\nsymbol = "BTC/USDT:USDT"\nparameters = { fast = 3 }\n'


def test_a_version_is_put_back_and_what_was_broken_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is thrown away, and nothing is replaced by defaults."""
    config, state = tmp_path / "kangbot.toml", tmp_path / "state"
    Versions(state).keep(GOOD, "start", 0)
    config.write_bytes(GOOD + b"size = \n")
    config.chmod(0o600)
    assert versions(config, state, as_json=True) == 0
    (row,) = json.loads(capsys.readouterr().out)["versions"]
    assert (row["number"], row["cause"]) == (1, "start")
    assert versions(config, state) == 0
    assert diff(config, state, None) == 0
    assert "+size = " in capsys.readouterr().out
    assert restore(config, state, "7") == 1
    assert restore(config, state, "1") == 0
    assert config.read_bytes() == GOOD
    (aside,) = tmp_path.glob("kangbot.toml.corrupted.*")
    assert aside.read_bytes() == GOOD + b"size = \n"
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600


def test_where_nothing_differs_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty answer could be a mistake as well. A script sees it by `changed`."""
    config, state = tmp_path / "kangbot.toml", tmp_path / "state"
    Versions(state).keep(GOOD, "start", 0)
    config.write_bytes(GOOD)
    assert diff(config, state, None) == 0
    assert capsys.readouterr().out == f"nothing differs: {config} is as version 1 has it\n"
    assert diff(config, state, None, as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["changed"], said["diff"]) == (False, [])


def test_many_who_put_versions_back_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """Each finds its own trial right, and what each replaced is kept."""
    config, state, others = tmp_path / "kangbot.toml", tmp_path / "state", 3
    texts = [GOOD + f"# {number}\n".encode() for number in range(others)]
    for text in texts:
        Versions(state).keep(text, "start", 0)
    config.write_bytes(GOOD)
    with ThreadPoolExecutor(others) as pool:
        codes = list(pool.map(lambda number: restore(config, state, str(number + 1)), range(others)))
    assert codes == [0] * others
    aside = [path.read_bytes() for path in tmp_path.glob("kangbot.toml.replaced.*")]
    assert sorted([*aside, config.read_bytes()]) == sorted([*texts, GOOD])


def test_what_is_too_large_for_a_configuration_is_not_taken_into_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup of everything is restored by another command; on a small server it would be the daemon's end."""
    config, other = tmp_path / "kangbot.toml", tmp_path / "backup.tar"
    config.write_bytes(GOOD)
    with other.open("wb") as file:
        file.truncate(LARGEST + 1)
    for named in (str(other), "/dev/zero"):
        assert restore(config, None, named) == 1
        assert capsys.readouterr().err.startswith(f"{named}: it is ")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["backup.tar", "kangbot.toml"]


def test_a_configuration_behind_a_link_is_put_back_there(tmp_path: Path) -> None:
    """The link stays one: whoever keeps the file elsewhere finds it there."""
    config, kept, copy = tmp_path / "kangbot.toml", tmp_path / "kept.toml", tmp_path / "copy.toml"
    kept.write_bytes(GOOD + b"size = \n")
    copy.write_bytes(GOOD)
    config.symlink_to(kept.name)
    assert restore(config, None, str(copy)) == 0
    assert (config.is_symlink(), kept.read_bytes()) == (True, GOOD)


def test_a_state_folder_that_is_none_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in its place; one without a version says so."""
    config, file = tmp_path / "kangbot.toml", tmp_path / "file"
    file.write_text("")
    with pytest.raises(Refused, match=r"the versions in .*file cannot be read: Not a directory"):
        versions(config, file)
    assert versions(config, tmp_path) == 0
    assert "none is kept yet" in capsys.readouterr().out


def test_there_is_a_configuration_at_every_moment_of_a_restore(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that takes no new file leaves the one that is there, and the person hears of it in words."""
    config, copy = tmp_path / "kangbot.toml", tmp_path / "copy.toml"
    config.write_bytes(GOOD)
    copy.write_bytes(GOOD.replace(b"BTC", b"ETH"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", _full_from_the_second_on())  # the first is that of the trial
        assert restore(config, None, str(copy)) == 1
    assert "No space left" in capsys.readouterr().err
    assert config.read_bytes() == GOOD


def _full_from_the_second_on() -> Callable[[int], None]:
    calls = count()

    def fsync(_handle: int) -> None:
        if next(calls):
            raise OSError(errno.ENOSPC, "No space left on device")

    return fsync


def test_the_newest_versions_are_kept(tmp_path: Path) -> None:
    """Twenty of them; the same text twice in a row is one."""
    kept = Versions(tmp_path)
    for number in range(KEPT + 5):
        kept.keep(b"# %d" % number, "Edit by hand", number)
        kept.keep(b"# %d" % number, "again", number)
    assert [version.number for version in kept.all()] == list(range(6, KEPT + 6))
    assert kept.all()[-1].cause == "edit-by-hand"


def test_every_value_is_shown_with_who_says_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As TOML that says the same; of a secret only that it is there, and whence."""
    config, secret = tmp_path / "kangbot.toml", tmp_path / "bybit_secret"
    secret.write_text("canary-secret")
    secret.chmod(0o600)
    config.write_bytes(
        b'mode = "testnet"\n[venues.bybit]\nsecret_file = "bybit_secret"\n[defaults]\nsize = 75.5\n' + MARKET
    )
    monkeypatch.setenv("KANGBOT_VENUES__BYBIT__KEY", "canary-key")
    monkeypatch.setenv("KANGBOT_LOGS__LEVEL", "warning")
    assert show(config, as_json=False) == 0
    text = capsys.readouterr().out
    assert "canary" not in text
    table = tomllib.loads(text)
    assert (table["mode"], table["defaults"]["size"], table["logs"]["level"]) == ("testnet", 75.5, "warning")
    assert table["markets"] == [{"symbol": "BTC/USDT:USDT", "enabled": True, "parameters": {"fast": 3}}]
    assert show(config, as_json=True) == 0
    values = json.loads(capsys.readouterr().out)["values"]
    assert values["defaults.size"] == {"value": "75.5", "from": "line 5"}
    assert values["logs.level"] == {"value": "warning", "from": "KANGBOT_LOGS__LEVEL"}
    assert values["logs.format"] == {"value": "console", "from": "default"}
    assert values["venues.bybit.key"] == {"value": "***", "from": "KANGBOT_VENUES__BYBIT__KEY"}
    assert values["venues.bybit.secret"] == {"value": "***", "from": f"the file {secret}"}
    assert values["markets[0].parameters.fast"]["from"] == "line 8"


def test_a_copy_is_made_once_and_put_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It overwrites nothing; what is wrong is neither copied nor put back."""
    config, copy = tmp_path / "kangbot.toml", tmp_path / "copy.toml"
    config.write_bytes(GOOD)
    assert backup(config, copy) == 0
    assert backup(config, copy) == 1
    assert "not overwritten" in capsys.readouterr().err
    config.write_bytes(GOOD.replace(b"BTC", b"ETH"))
    assert restore(config, None, str(copy)) == 0
    assert config.read_bytes() == copy.read_bytes() == GOOD
    (aside,) = tmp_path.glob("kangbot.toml.replaced.*")
    assert b"ETH" in aside.read_bytes()
    config.write_bytes(b"mode = 1\n")
    with pytest.raises(ConfigInvalid):
        backup(config, tmp_path / "wrong.toml")
    assert restore(config, None, str(tmp_path / "nowhere.toml")) == 1
    (tmp_path / "wrong.toml").write_bytes(b"mode = 2\n")
    assert restore(config, None, str(tmp_path / "wrong.toml")) == 78
    assert f"{tmp_path / 'wrong.toml'}:1: mode" in capsys.readouterr().err  # and not where it was tried out
    assert config.read_bytes() == b"mode = 1\n"


def test_a_full_disk_keeps_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a copy would look like one, and half a version would lie in the folder for ever."""
    config = tmp_path / "kangbot.toml"
    config.write_bytes(GOOD)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert backup(config, tmp_path / "copy.toml") == 1
    assert capsys.readouterr().err == f"{tmp_path / 'copy.toml'}: No space left on device\n"
    with pytest.raises(OSError, match="No space left"):
        Versions(tmp_path / "state").keep(GOOD, "start", 0)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [config.name]
