"""Commands to a daemon that runs: ask or tell it over its socket, print what it answers, and say so where none does."""

import os
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import typer

from kangbot.cli import exit_codes
from kangbot.cli.answer import fitted, no_daemon
from kangbot.cli.whereabouts import whereabouts
from kangbot.control.client import ControlClient, NoDaemonError, unreadable
from kangbot.model.plain_json import plain_json
from kangbot.model.printable import printable

Call = Callable[[ControlClient], Any]
Rows = list[dict[str, Any]]


def online(config: Path, socket: Path | None, call: Call, show: Callable[[Any], str], *, as_json: bool) -> int:
    """Make the call, print its answer as `show` writes it or as JSON, and return the exit code."""
    try:
        said = call(ControlClient(socket or whereabouts(config).socket))
    except NoDaemonError as error:
        sys.stderr.write(f"{no_daemon(error, config)}\n")
        return exit_codes.NO_DAEMON
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return exit_codes.FAILURE
    try:
        shown = plain_json(said).decode() if as_json else fitted(show(said))
    except (LookupError, TypeError, ArithmeticError) as error:  # something that this version shows is not there
        sys.stderr.write(f"{unreadable(error)}\n")
        return exit_codes.FAILURE
    typer.echo(shown)
    return exit_codes.OK


def health(config: Path, socket: Path | None, *, as_json: bool) -> int:
    """Print how well the daemon is, check by check; FAILURE where one is critical."""
    from kangbot.health.checks import Health, in_words  # noqa: PLC0415 -- only this command needs it

    found: list[Health] = []

    def call(client: ControlClient) -> Health:
        try:
            found.append(msgspec.json.decode(client.health(), type=Health))
        except msgspec.MsgspecError as error:
            raise ValueError(f"the daemon's health cannot be read; is it of another version? {error}") from None
        return found[0]

    code = online(config, socket, call, in_words, as_json=as_json)
    return exit_codes.FAILURE if any(health.status.value == "critical" for health in found) else code


def ask(path: str) -> Call:
    """Return the call that asks for `path`."""
    return lambda client: client.ask(path)


def newest(path: str, limit: int, market: str) -> Call:
    """Return the call that asks for the newest `limit` rows of a list, of one market where it is named."""
    return ask(f"{path}?limit={limit}" + (f"&market={quote(readable(market), safe=':')}" if market else ""))


def tell(path: str, body: object = None) -> Call:
    """Return the call that tells the daemon."""
    return lambda client: client.tell(path, body)


def readable(typed: str) -> str:
    """Return words of the command line as UTF-8 has them, in any locale; a byte that is no letter becomes a mark."""
    return os.fsencode(typed).decode(errors="replace")


def of_market(market: str, *, before: str = "", after: str = "") -> str:
    """Return an address with the market's name in it, whatever the name is. A name that is empty is wrong usage."""
    if not market.strip():
        raise typer.BadParameter("it is empty; `kangbot positions` and `kangbot status --json` have the names")
    return f"{before}/{quote(readable(market), safe=':')}{after}"


def place(said: dict[str, Any]) -> str:
    """Write where a market stands after a command."""
    return f"{said['market']}: now {said['state']} ({said['reason']}), wanted {said['desired']}"


def resumed(said: dict[str, Any]) -> str:
    """Write the same after a resume, which a market that is stopped does not heed."""
    if said["desired"] != "stopped":
        return place(said)
    return f"{place(said)}\nit is stopped, not paused; what starts it: kangbot start {said['market']}"


def places(said: dict[str, Any]) -> str:
    """Write where all markets stand after a command to all."""
    return table(said["markets"], ("market", "state", "desired", "reason"), "no market runs")


def recounted(said: dict[str, Any]) -> str:
    """Write from what to what the drawdown was reset, and what holds entries all the same."""
    equity, currency = said["equity"], said["currency"]
    if said["reset"]:
        before = f"no longer from {_money(said['highest'])}: it was {said['drawdown_percent']} %"
        first = f"the drawdown is counted from {_money(equity)} {currency} now, {before}"
    elif equity is None:
        first = "nothing to reset: the account's equity is not known yet"
    else:
        first = f"nothing to reset: the equity of {_money(equity)} {currency} is not below its highest"
    held = [f"nothing enters all the same: {why}" for why in said["held"]]
    return "\n".join([first, *(held or ["no loss keeps entries back"])])


def _money(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"


def breakers(said: Rows | dict[str, Any]) -> str:
    """Write breakers, of one market or of all."""
    rows = said if isinstance(said, list) else said["breakers"]
    return table(rows, ("market", "lane", "state", "failures", "trips", "cause"), "every breaker is closed")


def table(rows: Rows, columns: tuple[str, ...], nothing: str) -> str:
    """Write rows under their names, as wide as they need; the last column as it is, or not where it says nothing."""
    if not rows:
        return nothing
    if not any(row[columns[-1]] for row in rows):
        columns = columns[:-1]  # its name alone would be broken off in a narrow terminal
    lines = [columns, *(tuple(_cell(row[name]) for name in columns) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: object) -> str:
    return "" if value is None else printable(str(value))
