"""`kangbot top`: the running daemon as a board in the terminal, once a second.

Two questions over the control socket a second, answered out of the daemon's memory. A daemon that ends meanwhile is
waited for: the board says so, and goes on with the next one.
"""

import sys
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.live import Live

from kangbot.cli import exit_codes
from kangbot.cli.answer import no_daemon
from kangbot.cli.top.board import Board, Seen
from kangbot.cli.top.keys import Keys
from kangbot.cli.whereabouts import whereabouts
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.health.checks import Health
from kangbot.model.plain_json import plain_json
from kangbot.runtime.world import real_world

_EVERY_S = 1.0
_ANSWER_S = 3.0  # a daemon that needs longer is said not to answer; keys wait as long


def top(config: Path, *, socket: Path | None, as_json: bool) -> int:
    """Show the board until q or Ctrl-C; once, where the output is no terminal, or one that cannot be drawn on."""
    client = ControlClient(socket or whereabouts(config).socket, timeout_s=_ANSWER_S)
    try:
        seen = _look(client)
    except NoDaemonError as error:
        sys.stderr.write(f"{no_daemon(error, config)}\n")
        return exit_codes.NO_DAEMON
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return exit_codes.FAILURE
    console = Console()
    if as_json:
        typer.echo(plain_json(seen).decode())
    elif console.is_terminal and not console.is_dumb_terminal and sys.stdin.isatty():
        _watch(client, console, seen)
    else:
        console.print(Board(whole=True).render(seen, console.size))
    return exit_codes.OK


def _look(client: ControlClient) -> Seen:
    """Ask both questions. NoDaemonError; ValueError where an answer cannot be read."""
    try:
        health = msgspec.json.decode(client.health(), type=Health)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the daemon's health cannot be read; is it of another version? {error}") from None
    return Seen(health=health, report=client.report())


def _watch(client: ControlClient, console: Console, seen: Seen) -> None:
    board, clock = Board(), real_world().clock
    with Keys(sys.stdin) as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(board.render(seen, console.size), refresh=True)
            for key in keys.pressed(_EVERY_S):
                if key == "q":
                    return
                board.turned(key)
            try:
                seen = _look(client)
            except (NoDaemonError, ValueError) as error:
                board.silent(str(error), clock.now_ns())
            else:
                board.answered()
