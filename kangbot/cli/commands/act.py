"""Commands that tell a running daemon what to do."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kangbot.cli.commands.options import DEFAULT_CONFIG, Config, Json, Market, Socket, group

commands = group()

OneLane = Literal["data", "entry", "exit"]


def _command(market: str, command: str, config: Path, socket: Path | None, *, as_json: bool) -> None:
    from kangbot.cli.online import of_market, online, place, resumed, tell

    path, show = of_market(market, before="/markets", after=f"/{command}"), resumed if command == "resume" else place
    raise typer.Exit(online(config, socket, tell(path), show, as_json=as_json))


@commands.command()
def start(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Start a market."""
    _command(market, "start", config, socket, as_json=as_json)


@commands.command()
def stop(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Stop a market; its position keeps its stop."""
    _command(market, "stop", config, socket, as_json=as_json)


@commands.command()
def pause(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Pause a market: no new positions.

    Open positions are still managed.
    """
    _command(market, "pause", config, socket, as_json=as_json)


@commands.command()
def resume(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Allow new positions again after a pause."""
    _command(market, "resume", config, socket, as_json=as_json)


@commands.command("start-all")
def start_all(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Start every market, one after another."""
    from kangbot.cli.online import online, places, tell

    raise typer.Exit(online(config, socket, tell("/start-all"), places, as_json=as_json))


@commands.command("stop-all")
def stop_all(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Stop every market."""
    from kangbot.cli.online import online, places, tell

    raise typer.Exit(online(config, socket, tell("/stop-all"), places, as_json=as_json))


@commands.command()
def retry(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Probe a market's open breakers now."""
    from kangbot.cli.online import breakers as show
    from kangbot.cli.online import of_market, online, tell

    raise typer.Exit(online(config, socket, tell(of_market(market, before="/force-retry")), show, as_json=as_json))


@commands.command()
def reset(
    market: Market,
    config: Config = DEFAULT_CONFIG,
    *,
    lane: Annotated[OneLane | None, typer.Option(help="Only this one.")] = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Close a market's breakers, or one lane's."""
    from kangbot.cli.online import breakers as show
    from kangbot.cli.online import of_market, online, tell

    call = tell(of_market(market, before="/reset-circuit-breaker"), {"lane": lane} if lane else {})
    raise typer.Exit(online(config, socket, call, show, as_json=as_json))


@commands.command()
def isolate(
    market: Market,
    config: Config = DEFAULT_CONFIG,
    *,
    lane: Annotated[OneLane, typer.Option(help="Which lane.")] = "entry",
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Hold a market's breaker open until it is reset.

    Restarts do not close it.
    """
    from kangbot.cli.online import breakers as show
    from kangbot.cli.online import of_market, online, tell

    call = tell(of_market(market, before="/isolate-circuit-breaker"), {"lane": lane})
    raise typer.Exit(online(config, socket, call, show, as_json=as_json))


@commands.command()
def kill(
    config: Config = DEFAULT_CONFIG,
    *,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close every position as well.")] = False,
    reason: Annotated[str, typer.Option(help="Why; shown wherever an entry is blocked.")] = "",
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Block all entries at once, and cancel those that rest.

    They stay blocked, also after a restart, until `kangbot release`.
    """
    from kangbot.cli.kill import kill as command

    raise typer.Exit(command(config, socket=socket, reason=reason, flatten=flatten, as_json=as_json))


@commands.command("reset-drawdown")
def reset_drawdown(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Accept a loss: count the drawdown anew.

    From the equity of now. For when [risk] drawdown_percent holds every entry back, and you have looked into it.
    """
    from kangbot.cli.online import online, recounted, tell

    raise typer.Exit(online(config, socket, tell("/drawdown/reset"), recounted, as_json=as_json))


@commands.command()
def release(
    market: Annotated[
        str, typer.Argument(help="Lift this market's quarantine instead: BTC, or its whole name.", show_default=False)
    ] = "",
    config: Config = DEFAULT_CONFIG,
    *,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Allow entries again after `kangbot kill`."""
    from kangbot.cli.kill import release as command

    raise typer.Exit(command(config, market=market, socket=socket, as_json=as_json))
