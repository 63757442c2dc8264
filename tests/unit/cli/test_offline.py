"""Commands without the daemon never take another history for the service's."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kangbot.cli import backup, database, journal, offline
from kangbot.cli import report as reporting
from kangbot.cli.offline import given_to_its_owner, settings_of
from kangbot.errors import NeedsHuman
from kangbot.settings import loading
from tests.support.nobody import as_nobody, open_folder

FILE = Path("/nowhere/file")
COMMANDS: dict[str, Callable[[Path], int]] = {
    "backup": lambda config: backup.backup(config, FILE),
    "db restore": lambda config: database.restore(config, FILE),
    "db upgrade": database.upgrade,
    "journal rebuild": lambda config: journal.rebuild(config, None),
    "report": lambda config: reporting.command(config, start=None, end=None, html=None, as_json=False),
}


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader itself: nobody may not be let in where the interpreter is that would run it apart."""
    monkeypatch.setattr(offline, "load", loading.load)


@pytest.fixture
def config() -> Iterator[Path]:
    """A configuration without an address, beside credentials that are another user's."""
    with open_folder() as folder:
        (folder / "kangbot.toml").write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
        (folder / "kangbot.toml").chmod(0o644)
        (folder / "credentials" / "database").mkdir(parents=True)
        (folder / "credentials").chmod(0o755)
        (folder / "credentials" / "database").chmod(0o700 if os.geteuid() == 0 else 0o000)
        loading.load(folder / "kangbot.toml", {})  # as ourselves: what is imported late is there for nobody
        yield folder / "kangbot.toml"
        (folder / "credentials" / "database").chmod(0o700)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_embedded_history_is_not_taken_for_one_that_is_not_seen(config: Path, name: str) -> None:
    """It says where the address may be, and what to do; nothing is made or changed."""
    with as_nobody(), pytest.raises(NeedsHuman, match="the service's history is not this user's to see") as error:
        COMMANDS[name](config)
    assert str(config.parent / "credentials") in error.value.message
    assert "sudo" in error.value.remedy
    assert not (config.parent / "state").exists()


def test_an_address_that_is_named_is_taken(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the environment; and where there are no credentials, the embedded file is meant."""
    with as_nobody():
        monkeypatch.setenv("KANGBOT_DATABASE__URL", "sqlite:///history.sqlite")
        assert settings_of(config).history_url == "sqlite:///history.sqlite"
    monkeypatch.delenv("KANGBOT_DATABASE__URL")
    (config.parent / "credentials" / "database").chmod(0o755)
    with as_nobody():
        assert settings_of(config).database.url is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_in_the_state_folder_is_the_services_to_write(tmp_path: Path) -> None:
    """Also where the command fails; a link, and a file with a second name outside, are left alone."""
    state, outside = tmp_path / "state", tmp_path / "outside"
    state.mkdir()
    os.chown(state, 10001, 10001)
    outside.write_text("the system's")

    def fail() -> None:
        with given_to_its_owner(state):
            (state / "config").mkdir()
            for made in (state / "journal.sqlite", state / "config" / "0001.toml"):
                made.touch()
            (state / "linked").hardlink_to(outside)
            (state / "pointing").symlink_to(tmp_path)
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    owners = {path.name: path.lstat().st_uid for path in state.rglob("*")}
    assert owners == {"config": 10001, "journal.sqlite": 10001, "0001.toml": 10001, "linked": 0, "pointing": 0}
    assert tmp_path.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_state_folder_that_root_makes_belongs_to_whom_the_one_above_belongs(tmp_path: Path) -> None:
    """As `/var/lib/kangbot/paper` does, restored as root: else the service could write nothing there."""
    above = tmp_path / "kangbot"
    above.mkdir()
    os.chown(above, 10001, 10002)
    state = above / "modes" / "paper"
    with given_to_its_owner(state):
        state.mkdir(parents=True)
        (state / "journal.sqlite").touch()
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in (above, *above.rglob("*"))}
    assert owners == dict.fromkeys(("kangbot", "modes", "paper", "journal.sqlite"), (10001, 10002))
    assert tmp_path.stat().st_uid == 0
    with given_to_its_owner(above / "nothing"):
        pass
    assert not (above / "nothing").exists()
