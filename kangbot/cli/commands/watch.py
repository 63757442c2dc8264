"""Commands that look at a running daemon, or at what it did."""

from pathlib import Path
from typing import Annotated

import typer

from kangbot.cli.commands.options import DEFAULT_CONFIG, Config, Json, Socket, group

commands = group()

OneMarket = Annotated[str, typer.Option(help="Only this market: BTC, BTC/USDT, bybit:BTC-USDT:USDT.")]
Limit = Annotated[int, typer.Option(min=1, max=2000, help="How many at most, newest first.")]


@commands.command()
def status(
    config: Config = DEFAULT_CONFIG,
    *,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show what the running daemon is doing, market by market."""
    from kangbot.cli.status import status as command

    raise typer.Exit(command(config, socket=socket, as_json=as_json))


@commands.command()
def top(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Watch the running daemon on a live board."""
    from kangbot.cli.top import top as command

    raise typer.Exit(command(config, socket=socket, as_json=as_json))


@commands.command()
def health(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Show the health of the daemon, check by check.

    Exit code 1 if one is critical.
    """
    from kangbot.cli.online import health as command

    raise typer.Exit(command(config, socket, as_json=as_json))


@commands.command()
def breakers(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Show the circuit breakers that have counted failures."""
    from kangbot.cli.online import ask, online
    from kangbot.cli.online import breakers as show

    raise typer.Exit(online(config, socket, ask("/circuit-breakers"), show, as_json=as_json))


@commands.command()
def orders(
    config: Config = DEFAULT_CONFIG,
    *,
    market: OneMarket = "",
    limit: Limit = 20,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show the latest orders and what became of them."""
    from kangbot.cli.lists import orders as show
    from kangbot.cli.online import newest, online

    raise typer.Exit(online(config, socket, newest("/orders", limit, market), show, as_json=as_json))


@commands.command()
def positions(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Show the open positions."""
    from kangbot.cli.lists import positions as show
    from kangbot.cli.online import ask, online

    raise typer.Exit(online(config, socket, ask("/positions"), show, as_json=as_json))


@commands.command()
def events(
    config: Config = DEFAULT_CONFIG,
    *,
    market: OneMarket = "",
    limit: Limit = 20,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show the latest events."""
    from kangbot.cli.lists import events as show
    from kangbot.cli.online import newest, online

    raise typer.Exit(online(config, socket, newest("/events", limit, market), show, as_json=as_json))


@commands.command()
def report(
    config: Config = DEFAULT_CONFIG,
    *,
    start: Annotated[str | None, typer.Option("--from", metavar="DAY", help="The first day (UTC): 2026-11-01.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day, included.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots to this file instead.")] = None,
    as_json: Json = False,
) -> None:
    """Show trading results by market and strategy.

    Profit, fees, win rate, drawdown, Sharpe ratio.
    """
    from kangbot.cli.report import command

    raise typer.Exit(command(config, start=start, end=end, html=html, as_json=as_json))


@commands.command()
def logs(
    config: Config = DEFAULT_CONFIG,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow the log until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    socket: Socket = None,
    as_json: Annotated[
        bool, typer.Option("--json", help='One JSON object a line, as `[logs] format = "json"` writes it.')
    ] = False,
) -> None:
    """Show the log of the daemon, wherever it goes.

    From the journal of its service, or the file its standard error goes to. Lines are shown unchanged.
    """
    from kangbot.cli.logs import logs as command

    raise typer.Exit(command(config, socket=socket, lines=lines, follow=follow, as_json=as_json))
