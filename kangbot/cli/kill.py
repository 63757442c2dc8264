"""`kangbot kill` and `kangbot release`: the switch that stops every entry.

A daemon that answers is told over its socket. One that does not answer is told by the file that it looks for every
second, which also holds the next start where none runs: so `kill` works whenever the state folder can be written.
"""

import sys
from pathlib import Path

import msgspec
import typer

from kangbot.cli import exit_codes
from kangbot.cli.answer import no_daemon
from kangbot.cli.online import readable
from kangbot.cli.whereabouts import whereabouts
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.errors import ConfigInvalid
from kangbot.machines.killswitch import FILE, Wish, joined, read, unread, wish, write
from kangbot.runtime.there import there
from kangbot.settings.anchors import Whereabouts
from kangbot.settings.versions import write_whole


class Killed(msgspec.Struct, frozen=True, kw_only=True):
    """What `kill --json` prints. Names are stable."""

    killed: str  # why
    flatten: bool
    file: str = ""  # that was left for a daemon which did not answer; "" where one has taken it


def kill(config: Path, *, socket: Path | None, reason: str, flatten: bool, as_json: bool = False) -> int:
    """Set the switch and return the exit code: 0 where it is kept, in the daemon or in the file."""
    path, folder = Whereabouts(socket, socket.parent) if socket else whereabouts(config)
    reason = readable(reason)  # no letter of it may keep the switch from being set
    try:
        standing = ControlClient(path).kill(reason, flatten=flatten)
    except NoDaemonError as error:
        folder = _state_beside(socket, config) if socket else folder
        return _by_file(folder / FILE, error, wish(reason, flatten=flatten), config=config, as_json=as_json)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return exit_codes.FAILURE
    if as_json:
        _say(Killed(killed=standing["killed"], flatten=standing["flatten"]))
        return exit_codes.OK
    closing = ", positions are being closed" if standing["flatten"] else ", positions keep their stops"
    typer.echo(f"no entries from now on ({standing['killed']}); resting entries are cancelled{closing}")
    typer.echo("it stays so over restarts, until: kangbot release")
    return exit_codes.OK


def _state_beside(socket: Path, config: Path) -> Path:
    """Return the state folder of the daemon with that socket: the configuration's, where the socket is the same."""
    try:
        found = whereabouts(config)
    except ConfigInvalid:
        return socket.parent
    return found.state if found.socket.resolve() == socket.resolve() else socket.parent


def _say(said: object) -> None:
    typer.echo(msgspec.json.encode(said).decode())


def _by_file(file: Path, silence: NoDaemonError, wanted: Wish, *, config: Path, as_json: bool) -> int:
    try:
        standing = joined(_said(file), wanted)
        write_whole(file, write(standing).encode())
        file.chmod(0o644)  # a daemon that runs as another user reads it, whatever the mask of whoever typed this
    except OSError as error:
        bare = _bare(file)
        if bare is None:
            sys.stderr.write(
                f"{file} cannot be written: {error.strerror}; nothing was stopped\n{no_daemon(silence, config)}\n"
            )
            return exit_codes.NO_DAEMON
        standing = bare
        sys.stderr.write(f"{file} is there, which stops every entry; its words were not taken: {error.strerror}\n")
        if wanted.flatten and not standing.flatten:
            sys.stderr.write("Positions are not closed, they keep their stops: put that right, and type it again.\n")
            return exit_codes.FAILURE
    if as_json:
        _say(Killed(killed=standing.reason, flatten=standing.flatten, file=str(file)))
        return exit_codes.OK
    typer.echo(f"{silence}; the file {file} is there for it: a daemon that runs on this folder sees it within a second")
    typer.echo("or two, and one that is started finds it before it trades")
    return exit_codes.OK


def _said(file: Path) -> Wish | None:
    return read(file.read_text(encoding="utf-8", errors="replace")) if there(file) else None


def _bare(file: Path) -> Wish | None:
    """Return what the file stands for without the words that were not taken; None where it cannot even be there."""
    try:
        if not there(file):
            file.touch()
    except OSError:
        return None
    try:
        return _said(file)
    except OSError as error:
        return unread(file, error.strerror or str(error))


def release(config: Path, *, market: str, socket: Path | None, as_json: bool = False) -> int:
    """Release the switch, or the quarantine of a market, and return the exit code."""
    client = ControlClient(socket or whereabouts(config).socket)
    try:
        if market:
            market = client.release_market(readable(market))
        else:
            client.release()
    except NoDaemonError as error:
        start = f"{error}\nNothing is released. Start the daemon, which will not enter, and release it then."
        sys.stderr.write(f"{no_daemon(error, config) if error.shut or error.silent else start}\n")
        return exit_codes.NO_DAEMON
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return exit_codes.FAILURE
    if as_json:
        _say({"released": market or "kill switch"})
        return exit_codes.OK
    switched = "the kill switch is released: strategies may enter again"
    typer.echo(f"no quarantine holds {market} any more" if market else switched)  # the switch may hold it, all the same
    return exit_codes.OK
