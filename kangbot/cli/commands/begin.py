"""Commands to begin with: write a configuration, check it, run, try out, install."""

from typing import Annotated

import typer

from kangbot.cli.commands.options import DEFAULT_CONFIG, Config, Json, group

SANDBOX_PORT = 8790  # the address in mode "sandbox" of kangbot/settings/venues.py

commands = group()


@commands.command()
def init(
    config: Config = DEFAULT_CONFIG,
    *,
    mode: Annotated[str | None, typer.Option(help="sandbox, paper, testnet or live.")] = None,
    venue: Annotated[str | None, typer.Option(help="bybit, or binance_usdm in mode paper.")] = None,
    markets: Annotated[str | None, typer.Option(help="BTC,ETH are perpetuals, BTC/USDT is a spot pair.")] = None,
    strategy: Annotated[str | None, typer.Option(help="ema_cross, rsi_reversion, or file.py:Class.")] = None,
    size: Annotated[str | None, typer.Option(help="The size of a full position, in USDT.", metavar="USDT")] = None,
    database: Annotated[str | None, typer.Option(help="mysql://user@host:3306/name, or none.")] = None,
    as_json: Json = False,
) -> None:
    """Write a first configuration from a few questions.

    It overwrites nothing. Options answer questions in advance; without a terminal the rest get their defaults.
    """
    from kangbot.cli.init import Given
    from kangbot.cli.init import init as command

    given = Given(mode=mode, venue=venue, markets=markets, strategy=strategy, size=size, database=database)
    raise typer.Exit(command(config, given, as_json=as_json))


@commands.command()
def check(
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
    startup: Annotated[
        bool, typer.Option("--startup", help="For a container's start: wait for the database, ask no venue.")
    ] = False,
) -> None:
    """Check the configuration, machine, venue and key.

    Every mistake of the file at once; then disk, memory, clock, database, venue and what the key may do there.
    """
    from kangbot.cli.check import check as command

    raise typer.Exit(command(config, as_json=as_json, at_start=startup))


@commands.command()
def run(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Run the daemon, until SIGTERM or Ctrl-C.

    With --json it prints the summary of the run when it ends. The log goes to standard error in any case.
    """
    from kangbot.cli.run import become_daemon

    become_daemon(config, as_json=as_json)


@commands.command()
def demo(
    *,
    seconds: Annotated[float | None, typer.Option(min=1, help="End after so long; without it, by Ctrl-C.")] = None,
    as_json: Json = False,
    chaos: Annotated[
        bool, typer.Option("--chaos", help="Break things along the way: sockets, answers, the daemon.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The seed of the simulated prices.")] = 1,
    markets: Annotated[int, typer.Option(min=1, max=27, help="How many of the 27.")] = 27,
) -> None:
    """Watch 27 markets trade on a sandbox exchange.

    The real daemon, the real adapter, an exchange on loopback: it needs no key and no money.
    """
    from kangbot.cli.demo import run as command

    raise typer.Exit(command(seconds=seconds, as_json=as_json, chaos=chaos, seed=seed, markets=markets))


@commands.command()
def sandbox(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one and prints it.")] = SANDBOX_PORT,
    seed: Annotated[int, typer.Option(help="The seed of the simulated prices.")] = 1,
    as_json: Json = False,
) -> None:
    """Serve the simulated exchange on its own.

    In Bybit's wire protocol, on loopback; key and secret are "sandbox". With --json its addresses are the object, as
    soon as it answers there.
    """
    from kangbot.cli.sandbox import serve

    raise typer.Exit(serve(host=host, port=port, seed=seed, as_json=as_json))


@commands.command()
def simulate(
    *,
    seed: Annotated[int | None, typer.Option(min=0, help="One seed; 1 by default.")] = None,
    seeds: Annotated[str | None, typer.Option(help="A range such as 1..100, the last one included.")] = None,
    minutes: Annotated[float, typer.Option(min=3, max=100_000, help="How long a session lasts, in virtual time.")] = 10,
    markets: Annotated[int, typer.Option(min=1, max=27, help="How many trade.")] = 5,
    spot: Annotated[
        bool, typer.Option("--spot", help="Have spot pairs in every session, not only in a quarter.")
    ] = False,
    edits: Annotated[
        bool, typer.Option("--edits", help="Edit the configuration in every session, not only in a fifth.")
    ] = False,
    mutant: Annotated[
        str, typer.Option(help="Remove a safeguard by name (all: each in turn); a seed must notice.")
    ] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Processes to share the seeds among.")] = 1,
    as_json: Json = False,
) -> None:
    """Run the whole daemon in virtual time, with faults.

    Exit code 1 if it breaks a promise of the order protocol; it prints what happened and how to replay it.
    """
    from kangbot.cli.simulate import simulate as command

    code = command(
        seed=seed,
        seeds=seeds,
        minutes=minutes,
        markets=markets,
        spot=spot,
        edits=edits,
        mutant=mutant,
        jobs=jobs,
        as_json=as_json,
    )
    raise typer.Exit(code)


@commands.command("install-service")
def install_service(
    *,
    write: Annotated[bool, typer.Option("--write", help="Make the changes, printing each step. Needs root.")] = False,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Remove the unit; state and configuration stay.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the systemd unit and what installing it changes.

    Nothing is changed without --write.
    """
    from kangbot.cli.install import install_service as command

    raise typer.Exit(command(write=write, uninstall=uninstall, as_json=as_json))


@commands.command()
def version(*, as_json: Json = False) -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    from kangbot.cli.answer import answer

    number = installed("kangbot")
    raise typer.Exit(answer({"version": number}, (f"kangbot {number}",), as_json=as_json))
