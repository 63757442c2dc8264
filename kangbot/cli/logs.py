"""`kangbot logs`: what the daemon writes, wherever its standard error goes.

It keeps no log of its own: a service manager, a container engine or a shell does, and rotates it. The running daemon's
own file handle tells which. Where none runs, the last words of an installed service are in systemd's journal.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from kangbot.cli import exit_codes
from kangbot.cli.answer import no_daemon
from kangbot.cli.install import UNIT
from kangbot.cli.whereabouts import whereabouts
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.settings import load

_UNITS = (Path("/etc/systemd/system"), Path("/lib/systemd/system"), Path("/run/systemd/system"))
_TERMINALS = ("/dev/pts/", "/dev/tty", "/dev/console")
_SERVICE = re.compile(r"/([^/]+\.service)$", re.MULTILINE)


class Reading(NamedTuple):
    """How the log is read: by a command, or by nobody, with the words that say why."""

    command: tuple[str, ...] = ()
    why: str = ""


def logs(config: Path, *, socket: Path | None, lines: int, follow: bool, as_json: bool = False) -> int:
    """Run the command that shows the log; FAILURE or NO_DAEMON with the reason where there is none.

    `as_json` asks for what a script can read: FAILURE where the daemon is to write for a person.
    """
    if as_json and load(config, os.environ).logs.format != "json":
        sys.stderr.write('the log is written for a person; one object a line takes: [logs] format = "json"\n')
        return exit_codes.FAILURE
    reading, code = _found(config, socket, lines, follow=follow)
    if not reading.command:
        sys.stderr.write(f"{reading.why}\n")
        return code
    try:
        ended = subprocess.run(reading.command, check=False).returncode  # noqa: S603 -- tail or journalctl, no shell
    except KeyboardInterrupt:  # how following ends
        return exit_codes.OK
    except OSError as error:
        sys.stderr.write(f"{reading.command[0]}, which reads the log, cannot be started: {error.strerror}\n")
        return exit_codes.FAILURE
    return exit_codes.NO_READER if ended == -signal.SIGPIPE else ended


def _found(config: Path, socket: Path | None, lines: int, *, follow: bool) -> tuple[Reading, int]:
    path = socket or whereabouts(config).socket
    try:
        pid = ControlClient(path).report().pid
    except NoDaemonError as error:
        if any((folder / UNIT).exists() for folder in _UNITS):
            return of_unit(UNIT, lines, follow=follow), exit_codes.OK
        return Reading(why=no_daemon(error, config)), exit_codes.NO_DAEMON
    except ValueError as error:
        return Reading(why=str(error)), exit_codes.FAILURE
    process = Path("/proc") / str(pid)
    try:
        handle = str((process / "fd" / "2").readlink())
        groups = (process / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        why = f"where process {pid} writes cannot be seen: {error.strerror}. Ask as its user, or as root"
        return Reading(why=why), exit_codes.FAILURE
    return reading_of(handle, groups, lines, follow=follow), exit_codes.FAILURE


def of_unit(unit: str, lines: int, *, follow: bool) -> Reading:
    """Return how a service's log is read."""
    return Reading(("journalctl", "--no-pager", "--output=cat", f"--lines={lines}", f"--unit={unit}", *_flag(follow)))


def reading_of(handle: str, groups: str, lines: int, *, follow: bool) -> Reading:
    """Return how the log is read whose handle (a link in /proc) leads there, in a process of these control groups."""
    service = _SERVICE.search(groups)
    if handle.startswith("socket:") and service:
        return of_unit(service[1], lines, follow=follow)
    if handle.startswith(("pipe:", "socket:")):
        return Reading(why="the daemon writes to whoever started it; with containers: docker compose logs kangbot")
    if handle == os.devnull:
        return Reading(why="the daemon writes to /dev/null: nothing of it is kept. Start it without 2>/dev/null")
    if handle.startswith(_TERMINALS):
        return Reading(why=f"the daemon writes to the terminal {handle}; to keep it: kangbot run 2>> kangbot.log")
    if handle.endswith(" (deleted)"):
        return Reading(why=f"the daemon writes to {handle}: the file was removed, and what follows is lost with it")
    return Reading(("tail", f"--lines={lines}", *(["--follow=name", "--retry"] if follow else []), "--", handle))


def _flag(follow: bool) -> tuple[str, ...]:
    return ("--follow",) if follow else ()
