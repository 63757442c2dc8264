"""The plan that `kangbot install-service` makes and carries out, on a machine that is a folder."""

import grp
import os
import shutil
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from kangbot.cli import install
from kangbot.cli.install import Machine, Step, configuration, hidden, install_service, installing, uninstalling, unit
from kangbot.errors import NeedsHuman
from kangbot.settings import load, paths
from kangbot.settings.paths import CHECKOUT
from tests.support.nobody import as_nobody, open_folder

PROGRAM = "/opt/kangbot/bin/kangbot"
MODULE = "opt/kangbot/lib/python3.11/site-packages/kangbot/__init__.py"


@dataclass(slots=True, kw_only=True)
class Rig:
    """A bare machine: an empty file system, no user, and commands that are noted."""

    root: Path
    users: set[str] = field(default_factory=set)
    ran: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def machine(self) -> Machine:
        """What the plan is made for."""
        return Machine(root=self.root, run=self._run, known=self.users.__contains__)

    def _run(self, command: tuple[str, ...]) -> None:
        self.ran.append(command)
        if command[0] == "useradd":
            self.users.add(command[-1])

    def install(self, program: str = PROGRAM) -> list[str]:
        """Carry the plan out, and return its words."""
        return done(list(installing(self.machine, program)))


def done(steps: list[Step]) -> list[str]:
    """Carry the steps out, and return their words."""
    for step in steps:
        step.do()
    return [step.words for step in steps]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A bare machine."""
    return Rig(root=tmp_path)


def test_a_bare_machine_gets_everything_once(rig: Rig) -> None:
    """User, folders, configuration, unit; the second time there is nothing to do."""
    words = rig.install()
    assert [line.split()[0] for line in words] == ["add", *["make"] * 6, "write", "write", "have"]
    assert [command[0] for command in rig.ran] == ["useradd", "systemctl"]
    assert rig.install() == []


def test_making_a_plan_changes_nothing(rig: Rig) -> None:
    """Printing is safe."""
    assert list(installing(rig.machine, PROGRAM))
    assert list(rig.root.iterdir()) == []
    assert rig.ran == []


def test_secrets_are_roots_alone(rig: Rig) -> None:
    """Whatever the umask of whoever types it."""
    rig.install()
    for folder in ("", "/bybit", "/database", "/notify", "/telegram"):
        assert stat.S_IMODE((rig.root / f"etc/kangbot/credentials{folder}").stat().st_mode) == 0o700


def test_anybody_may_see_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the credentials' folder is root's to see, and is taken for there; who may not write is told so."""
    with open_folder() as root:
        shutil.copytree(CHECKOUT / "config", root / "kangbot/config")
        monkeypatch.setattr(paths, "CHECKOUT", root / "kangbot")
        rig = Rig(root=root / "machine")
        rig.install()
        with as_nobody():
            assert list(installing(rig.machine, PROGRAM)) == []
            with pytest.raises(NeedsHuman) as error:
                install_service(write=True, uninstall=False)
    assert "sudo" in error.value.remedy


def test_a_configuration_that_is_there_stays(rig: Rig) -> None:
    """It may be edited; the unit is ours, and is renewed."""
    rig.install()
    config = rig.root / "etc/kangbot/kangbot.toml"
    config.write_text("mine")
    (words, reload) = rig.install("/srv/other/bin/kangbot")
    assert words == "renew /etc/systemd/system/kangbot.service, which runs /srv/other/bin/kangbot"
    assert reload.endswith("systemctl daemon-reload")
    assert config.read_text() == "mine"


@pytest.mark.parametrize("closed", ["opt/kangbot", "opt/kangbot/bin/kangbot", MODULE])
def test_a_program_that_is_roots_alone_is_opened_to_the_services_user(rig: Rig, closed: str) -> None:
    """As under a umask of 027: the folders of the first installation, the files that an upgrade has replaced."""
    for name in ("opt/kangbot/bin/kangbot", MODULE):
        (rig.root / name).parent.mkdir(parents=True)
        (rig.root / name).touch()
    assert not any("chmod" in words for words in rig.install())
    (rig.root / closed).chmod(0o750)
    rig.ran.clear()
    (words,) = rig.install()
    prefix = rig.root / "opt/kangbot"
    assert words == f"let the service's user read the program: chmod -R o+rX {prefix}"
    assert rig.ran == [("chmod", "-R", "o+rX", str(prefix))]


def test_a_program_that_the_services_group_may_read_is_left_as_it_is(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has meant that; a group without a name lets nobody in."""
    (rig.root / "opt/kangbot/bin").mkdir(parents=True)
    rig.install()
    (rig.root / "opt/kangbot").chmod(0o750)
    groups = {"kangbot": SimpleNamespace(gr_name="kangbot")}
    monkeypatch.setattr(grp, "getgrgid", lambda _gid: groups["kangbot"])
    assert rig.install() == []
    groups.clear()
    assert len(rig.install()) == 1


@pytest.mark.parametrize("program", ["/root/kangbot/.venv/bin/kangbot", "/home/me/kangbot/.venv/bin/kangbot"])
def test_a_program_that_the_unit_hides_is_not_installed(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """The service would fall at every start, and its log would say no more than that nothing is there."""
    monkeypatch.setattr(sys, "argv", [program])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(NeedsHuman) as error:
        install_service(write=True, uninstall=False)
    assert f"could not run {program}: its unit hides {'/'.join(program.split('/')[:2])} from it" in error.value.message
    assert "ProtectHome=yes\n" in unit(program)


def test_a_program_in_another_place_is_not_hidden(tmp_path: Path) -> None:
    """Whatever a link to it is called; one that leads into a home is."""
    program = tmp_path / "root" / "kangbot"
    program.parent.mkdir()
    program.symlink_to("/opt/kangbot/bin/kangbot")
    assert hidden([program]) == ""
    program.unlink()
    program.symlink_to("/home/me/kangbot")
    assert hidden([Path(PROGRAM), program]) == "/home"


def test_uninstalling_takes_the_unit_and_leaves_the_rest(rig: Rig) -> None:
    """It is stopped before its unit goes; what it remembers is a person's to delete."""
    rig.install()
    rig.ran.clear()
    done(list(uninstalling(rig.machine)))
    assert rig.ran == [("systemctl", "disable", "--now", "kangbot.service"), ("systemctl", "daemon-reload")]
    assert not (rig.root / "etc/systemd/system/kangbot.service").exists()
    assert (rig.root / "etc/kangbot/kangbot.toml").exists()
    assert list(uninstalling(rig.machine)) == []


def test_uninstalling_says_what_is_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The program too: it goes by no package manager."""
    monkeypatch.setattr(sys, "argv", [PROGRAM])
    monkeypatch.setattr(install, "uninstalling", lambda _machine: iter(()))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert install_service(write=True, uninstall=True) == 0
    said = capsys.readouterr().out
    assert "rm -r /etc/kangbot /var/lib/kangbot && userdel kangbot" in said
    assert "the program itself stays in /opt/kangbot" in said


def test_the_first_configuration_is_valid_and_has_its_state_where_the_unit_has_it(tmp_path: Path) -> None:
    """So that commands typed by hand find the daemon's socket as well."""
    path = tmp_path / "kangbot.toml"
    path.write_text(configuration())
    settings = load(path, {})
    assert settings.state_dir == Path("/var/lib/kangbot")
    assert settings.mode == "sandbox"


def test_the_unit_runs_the_kangbot_that_installs_it() -> None:
    """And names it nowhere else."""
    text = unit("/srv/other/bin/kangbot")
    assert "ExecStart=/srv/other/bin/kangbot run --config /etc/kangbot/kangbot.toml" in text
    assert PROGRAM not in text
