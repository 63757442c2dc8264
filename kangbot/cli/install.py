"""`kangbot install-service`: the systemd unit, the user it runs as, and the folders it names.

A plan is made first: steps that are still to do, each with its words. Printing it changes nothing; `--write` does it,
step by step, and says each. What is there already is left as it is, so that the command may be run again after every
upgrade. Uninstalling takes away what the machine starts, and never what the daemon remembers.
"""

import grp
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import typer

from kangbot.cli.answer import answer
from kangbot.errors import NeedsHuman
from kangbot.settings.paths import shipped_config

UNIT = "kangbot.service"
USER = "kangbot"
_SHIPPED_PROGRAM = "/opt/kangbot/bin/kangbot"
_STATE = "/var/lib/kangbot"
_HIDDEN = ("/home", "/root", "/run/user")  # by ProtectHome= of the unit


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that is changed: its file system, the commands that change it, and who is known there."""

    root: Path
    run: Callable[[tuple[str, ...]], None]
    known: Callable[[str], bool]

    def at(self, path: str) -> Path:
        """Return where the path is on this machine."""
        return self.root / path.lstrip("/")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do, in words and in deed."""

    words: str
    do: Callable[[], None]


def this_machine() -> Machine:
    """Return the machine that we run on."""
    return Machine(root=Path("/"), run=_run, known=_known)


def _run(command: tuple[str, ...]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- the plan's own commands
    if done.returncode:
        raise NeedsHuman(
            f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}",
            remedy="put that right, and run the command again: what is done already is left as it is",
        )


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def unit(program: str) -> str:
    """Return the unit's text, for the `kangbot` that is at this path."""
    return shipped_config("systemd").joinpath(UNIT).read_text(encoding="utf-8").replace(_SHIPPED_PROGRAM, program)


def configuration() -> str:
    """Return the configuration to begin with: the shipped one, with the state where the unit has it."""
    shipped = shipped_config("kangbot.toml").read_text(encoding="utf-8")
    return shipped.replace('state_dir = "../state" ', f'state_dir = "{_STATE}"')


def installing(machine: Machine, program: str) -> Iterator[Step]:
    """Yield what is still to do, in order."""
    if not machine.known(USER):
        who = ("--system", "--user-group", "--no-create-home", "--home-dir", _STATE, "--shell", "/usr/sbin/nologin")
        command = ("useradd", *who, USER)
        yield Step(words=f"add the system user {USER}: {' '.join(command)}", do=lambda: machine.run(command))
    for path, mode, why in (
        ("/etc/kangbot", 0o755, "for the configuration"),
        ("/etc/kangbot/credentials", 0o700, "for secrets: root's alone, systemd hands them over"),
        ("/etc/kangbot/credentials/bybit", 0o700, "files `key` and `secret`, for testnet and live"),
        ("/etc/kangbot/credentials/database", 0o700, "a file `url`, for MariaDB"),
        ("/etc/kangbot/credentials/notify", 0o700, "a file `addresses`, for messages to people"),
        ("/etc/kangbot/credentials/telegram", 0o700, "a file `token`, for commands from a chat"),
    ):
        if not _is_folder(machine.at(path)):
            yield _folder(machine.at(path), mode, f"make the folder {path}, {why}")
    prefix = machine.at(program).resolve().parents[1]
    if _closed(prefix, machine.at(program)):
        opening = ("chmod", "-R", "o+rX", str(prefix))
        yield Step(
            words=f"let the service's user read the program: {' '.join(opening)}", do=lambda: machine.run(opening)
        )
    config = machine.at("/etc/kangbot/kangbot.toml")
    if not config.exists():
        yield _file(config, configuration(), 'write /etc/kangbot/kangbot.toml, the shipped one, mode = "sandbox"')
    place, text = machine.at(f"/etc/systemd/system/{UNIT}"), unit(program)
    if not place.is_file() or place.read_text(encoding="utf-8", errors="replace") != text:
        verb = "renew" if place.exists() else "write"
        yield _file(place, text, f"{verb} /etc/systemd/system/{UNIT}, which runs {program}")
        reload = ("systemctl", "daemon-reload")
        yield Step(words=f"have systemd read it: {' '.join(reload)}", do=lambda: machine.run(reload))


def uninstalling(machine: Machine) -> Iterator[Step]:
    """Yield what is still to take away."""
    place = machine.at(f"/etc/systemd/system/{UNIT}")
    if not place.exists():
        return
    stop, reload = ("systemctl", "disable", "--now", UNIT), ("systemctl", "daemon-reload")
    yield Step(words=f"stop it in order, and start it no more: {' '.join(stop)}", do=lambda: machine.run(stop))
    yield Step(words=f"remove /etc/systemd/system/{UNIT}", do=place.unlink)
    yield Step(words=f"have systemd forget it: {' '.join(reload)}", do=lambda: machine.run(reload))


def hidden(files: Iterable[Path]) -> str:
    """Return which of the folders that the unit hides has one of these files; "" where the service sees them all."""
    real = [file.resolve() for file in files]
    return next((folder for folder in _HIDDEN if any(file.is_relative_to(folder) for file in real)), "")


def _closed(prefix: Path, program: Path) -> bool:
    """Whether some of the program is root's alone, as it is where root installed it under a umask of 027 or 077."""
    ours = (prefix, program.parent, program, *prefix.glob("lib/python3*/site-packages/kangbot/__init__.py"))
    return any(_shut(path) for path in ours if path.exists())


def _shut(path: Path) -> bool:
    """Whether the service's user may not read it. A folder is entered as well, and its group may be the one let in."""
    status = path.stat()
    everybody = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else 0)
    if status.st_mode & everybody == everybody:
        return False
    try:
        return grp.getgrgid(status.st_gid).gr_name != USER
    except KeyError:
        return True


def _is_folder(path: Path) -> bool:
    """Whether it is there. What lies in a folder that is root's alone nobody else can see, and root put it there."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)  # `is_dir` says no where it may not look, from Python 3.14 on
    except FileNotFoundError:
        return False
    except PermissionError:
        return True


def _folder(path: Path, mode: int, words: str) -> Step:
    def make() -> None:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)

    return Step(words=words, do=make)


def _file(path: Path, text: str, words: str) -> Step:
    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o644)
        new.replace(path)  # whole, or not at all

    return Step(words=words, do=write)


def install_service(*, write: bool, uninstall: bool, as_json: bool = False) -> int:
    """Print the plan, or carry it out. NeedsHuman where a step fails, with those before it done."""
    machine, program = this_machine(), str(Path(sys.argv[0]).absolute())
    if Path(program).name != "kangbot":
        program = shutil.which("kangbot") or _SHIPPED_PROGRAM
    if write and os.geteuid():
        raise NeedsHuman("only root may change what the machine starts", remedy="run it again with sudo")
    if write and not uninstall and (folder := hidden((Path(program), Path(sys.executable)))):
        raise NeedsHuman(
            f"the service could not run {program}: its unit hides {folder} from it",
            remedy="install kangbot in /opt/kangbot, as docs/install.md says, with a Python that is in no home either",
        )
    steps = list(uninstalling(machine) if uninstall else installing(machine, program))
    for step in steps:
        if not as_json:
            typer.echo(f"{'' if write else 'would '}{step.words}")
        if write:
            step.do()
    said = {
        "program": program,
        "changed": write and bool(steps),
        "steps": [step.words for step in steps],
        "unit": None if uninstall else unit(program),
    }
    nothing = ("nothing to take away" if uninstall else "everything is there already",) if not steps else ()
    return answer(said, (*nothing, *_afterwards(program, write=write, uninstall=uninstall)), as_json=as_json)


def _afterwards(program: str, *, write: bool, uninstall: bool) -> Iterator[str]:
    if uninstall:
        yield f"left as they are: /etc/kangbot and {_STATE}, whose journal says which orders are the daemon's own"
        if write:
            yield f"once it holds no position: rm -r /etc/kangbot {_STATE} && userdel {USER}"
            yield f"the program itself stays in {Path(program).parents[1]}"
    elif write:
        yield f"check it:  {program} check --config /etc/kangbot/kangbot.toml"
        yield "start it:  systemctl enable --now kangbot"
    else:
        yield f"\n{unit(program)}"
        yield "nothing was changed; --write does it"
