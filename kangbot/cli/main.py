"""The commands, their options and their help; nothing else.

`kangbot --help` and the shell's completion read this module on every key press, so the work is in modules that are
imported by the command that needs them. Plain help texts, since rich alone takes as long to import as all the rest.
"""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("config/kangbot.toml")
SANDBOX_PORT = 8790  # the address in mode "sandbox" of kangbot/settings/venues.py

app = typer.Typer(
    name="kangbot",
    help="An asyncio multi-market trading daemon.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 69 no daemon, 75 try again later, 78 a person must look.",
)
database = typer.Typer(help="The history database.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(database, name="db")
journal = typer.Typer(help="The journal, the daemon's memory.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(journal, name="journal")

configuration = typer.Typer(help="The configuration's accepted versions.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(configuration, name="config")

Config = Annotated[Path, typer.Option(envvar="KANGBOT_CONFIG", help="The TOML file.", metavar="FILE")]
Socket = Annotated[Path | None, typer.Option(help="The daemon's control socket, in place of --config.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]


@app.command()
def run(config: Config = DEFAULT_CONFIG) -> None:
    """Run the daemon, until SIGTERM or Ctrl-C."""
    from kangbot.cli.run import become_daemon

    become_daemon(config)


@app.command()
def init(
    config: Config = DEFAULT_CONFIG,
    *,
    mode: Annotated[str | None, typer.Option(help="sandbox, paper, testnet or live.")] = None,
    venue: Annotated[str | None, typer.Option(help="bybit, or binance_usdm in mode paper.")] = None,
    markets: Annotated[str | None, typer.Option(help="BTC,ETH are perpetuals, BTC/USDT is a spot pair.")] = None,
    strategy: Annotated[str | None, typer.Option(help="ema_cross, rsi_reversion, or file.py:Class.")] = None,
    size: Annotated[str | None, typer.Option(help="Of a full position, in USDT.", metavar="USDT")] = None,
    database: Annotated[str | None, typer.Option(help="mysql://user@host:3306/name, or none.")] = None,
) -> None:
    """Write a first configuration, after a few questions; it overwrites none.

    What an option says is not asked for, and without a terminal all else has its default.
    """
    from kangbot.cli.init import Given
    from kangbot.cli.init import init as command

    given = Given(mode=mode, venue=venue, markets=markets, strategy=strategy, size=size, database=database)
    raise typer.Exit(command(config, given))


@app.command()
def check(
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
    startup: Annotated[
        bool, typer.Option("--startup", help="A container's look: wait for the database, and ask no venue.")
    ] = False,
) -> None:
    """Tell every mistake of a configuration, and how machine, database, venue and key are."""
    from kangbot.cli.check import check as command

    raise typer.Exit(command(config, as_json=as_json, at_start=startup))


@app.command()
def demo(
    *,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after so long; else by Ctrl-C.")] = None,
    as_json: Json = False,
    chaos: Annotated[
        bool, typer.Option("--chaos", help="Break things on the way: sockets, answers, the daemon.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the simulated prices.")] = 1,
    markets: Annotated[int, typer.Option(min=1, max=27, help="How many of the 27.")] = 27,
) -> None:
    """Watch 27 markets trade on a sandbox exchange.

    The real daemon, the real adapter, an exchange on loopback: it needs no key and no money.
    """
    from kangbot.cli.demo import run as command

    raise typer.Exit(command(seconds=seconds, as_json=as_json, chaos=chaos, seed=seed, markets=markets))


@app.command()
def sandbox(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free; it is printed.")] = SANDBOX_PORT,
    seed: Annotated[int, typer.Option(help="Of the simulated prices.")] = 1,
) -> None:
    """Serve the simulated exchange alone.

    In Bybit's wire protocol, on loopback; key and secret are "sandbox".
    """
    from kangbot.cli.sandbox import serve

    raise typer.Exit(serve(host=host, port=port, seed=seed))


@app.command()
def simulate(
    *,
    seed: Annotated[int | None, typer.Option(min=0, help="One seed; 1 by default.")] = None,
    seeds: Annotated[str | None, typer.Option(help="A range such as 1..100, the last one included.")] = None,
    minutes: Annotated[float, typer.Option(min=3, help="How long a session lasts, in virtual time.")] = 10,
    markets: Annotated[int, typer.Option(min=1, max=27, help="How many trade.")] = 5,
    mutant: Annotated[
        str, typer.Option(help="Take a safeguard out, by its name (all: each in turn): it must be noticed.")
    ] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Processes to share the seeds among.")] = 1,
    as_json: Json = False,
) -> None:
    """Play the whole daemon in virtual time, with faults.

    Exit code 1 where it breaks a promise of the order protocol; what happened and how to see it again is told.
    """
    from kangbot.cli.simulate import simulate as command

    code = command(seed=seed, seeds=seeds, minutes=minutes, markets=markets, mutant=mutant, jobs=jobs, as_json=as_json)
    raise typer.Exit(code)


@app.command()
def status(
    config: Config = DEFAULT_CONFIG,
    *,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Say what the running daemon does, market by market."""
    from kangbot.cli.status import status as command

    raise typer.Exit(command(config, socket=socket, as_json=as_json))


@app.command()
def top(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Watch the running daemon: a board in the terminal, once a second."""
    from kangbot.cli.top import top as command

    raise typer.Exit(command(config, socket=socket, as_json=as_json))


@app.command()
def kill(
    config: Config = DEFAULT_CONFIG,
    *,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close every position, too.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it is shown wherever something is held back.")] = "",
    socket: Socket = None,
) -> None:
    """Stop every entry at once, and cancel those that rest.

    It stays so over restarts, until `kangbot release`.
    """
    from kangbot.cli.kill import kill as command

    raise typer.Exit(command(config, socket=socket, reason=reason, flatten=flatten))


@app.command()
def release(
    market: Annotated[
        str, typer.Argument(help="Lift this market's quarantine instead: bybit:BTC-USDT:USDT.", show_default=False)
    ] = "",
    config: Config = DEFAULT_CONFIG,
    *,
    socket: Socket = None,
) -> None:
    """Let entries through again after `kangbot kill`."""
    from kangbot.cli.kill import release as command

    raise typer.Exit(command(config, market=market, socket=socket))


@app.command()
def report(
    config: Config = DEFAULT_CONFIG,
    *,
    start: Annotated[str | None, typer.Option("--from", metavar="DAY", help="The first day (UTC): 2026-11-01.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day, included.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it with plots into this file instead.")] = None,
    as_json: Json = False,
) -> None:
    """Say what trading came to: profit, fees, win rate, drawdown, Sharpe ratio, by market and strategy."""
    from kangbot.cli.report import command

    raise typer.Exit(command(config, start=start, end=end, html=html, as_json=as_json))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; replaced where it is there.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write journal, embedded history and configuration into one file; the daemon may run."""
    from kangbot.cli.backup import backup as command

    raise typer.Exit(command(config, file))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What backup wrote.")], config: Config = DEFAULT_CONFIG
) -> None:
    """Put a backup into an empty state folder; it overwrites nothing."""
    from kangbot.cli.backup import restore as command

    raise typer.Exit(command(config, file))


State = Annotated[
    Path | None, typer.Option("--state", metavar="FOLDER", help="The state folder, where the file is broken.")
]


@configuration.command("validate")
def config_validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any; it need not be the one that runs.")],
    *,
    as_json: Json = False,
) -> None:
    """Tell every mistake of a file, or what it means; asks nobody."""
    from kangbot.cli.check import validate as command

    raise typer.Exit(command(file, as_json=as_json))


@configuration.command("versions")
def config_versions(config: Config = DEFAULT_CONFIG, state: State = None) -> None:
    """Name the accepted versions, oldest first."""
    from kangbot.cli.config import versions as command

    raise typer.Exit(command(config, state))


@configuration.command("diff")
def config_diff(
    number: Annotated[int | None, typer.Argument(help="Of the version; the newest by default.")] = None,
    config: Config = DEFAULT_CONFIG,
    state: State = None,
) -> None:
    """Show what the file has otherwise than an accepted version."""
    from kangbot.cli.config import diff as command

    raise typer.Exit(command(config, state, number))


@configuration.command("restore")
def config_restore(
    number: Annotated[int, typer.Argument(help="Of the version.")],
    config: Config = DEFAULT_CONFIG,
    state: State = None,
) -> None:
    """Put an accepted version in the file's place; what was there is set aside."""
    from kangbot.cli.config import restore as command

    raise typer.Exit(command(config, state, number))


Market = Annotated[str, typer.Argument(help="As in `kangbot status --json`: bybit:BTC-USDT:USDT.", show_default=False)]
OneMarket = Annotated[str, typer.Option(help="Of this market only.")]
Limit = Annotated[int, typer.Option(min=1, max=2000, help="At most so many, the newest first.")]
LaneName = Annotated[str, typer.Option(help="data, entry or exit.")]


def _command(market: str, command: str, config: Path, socket: Path | None, *, as_json: bool) -> None:
    from kangbot.cli.online import of_market, online, place, tell

    path = of_market(market, before="/markets", after=f"/{command}")
    raise typer.Exit(online(config, socket, tell(path), place, as_json=as_json))


@app.command()
def start(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Have a market trade."""
    _command(market, "start", config, socket, as_json=as_json)


@app.command()
def stop(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Have a market stand still; its position keeps its stop."""
    _command(market, "stop", config, socket, as_json=as_json)


@app.command()
def pause(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Let no new position into a market; what is held is managed."""
    _command(market, "pause", config, socket, as_json=as_json)


@app.command()
def resume(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Let positions in again after a pause."""
    _command(market, "resume", config, socket, as_json=as_json)


@app.command("start-all")
def start_all(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Start every market, one after another."""
    from kangbot.cli.online import online, places, tell

    raise typer.Exit(online(config, socket, tell("/start-all"), places, as_json=as_json))


@app.command("stop-all")
def stop_all(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Stop every market."""
    from kangbot.cli.online import online, places, tell

    raise typer.Exit(online(config, socket, tell("/stop-all"), places, as_json=as_json))


@app.command()
def breakers(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Show the circuit breakers that have counted something."""
    from kangbot.cli.online import ask, online
    from kangbot.cli.online import breakers as show

    raise typer.Exit(online(config, socket, ask("/circuit-breakers"), show, as_json=as_json))


@app.command()
def health(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Say how well the daemon is, check by check; exit code 1 where one is critical."""
    from kangbot.cli.online import health as command

    raise typer.Exit(command(config, socket, as_json=as_json))


@app.command()
def isolate(
    market: Market,
    config: Config = DEFAULT_CONFIG,
    *,
    lane: Annotated[str, typer.Option(help="data, entry or exit.")] = "entry",
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Hold a market's breaker open until it is reset, over restarts too."""
    from kangbot.cli.online import breakers as show
    from kangbot.cli.online import of_market, online, tell

    call = tell(of_market(market, before="/isolate-circuit-breaker"), {"lane": lane})
    raise typer.Exit(online(config, socket, call, show, as_json=as_json))


@app.command()
def retry(market: Market, config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Probe a market's open breakers now."""
    from kangbot.cli.online import breakers as show
    from kangbot.cli.online import of_market, online, tell

    raise typer.Exit(online(config, socket, tell(of_market(market, before="/force-retry")), show, as_json=as_json))


@app.command()
def reset(
    market: Market,
    config: Config = DEFAULT_CONFIG,
    *,
    lane: LaneName = "",
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Close a market's breakers, or one lane's."""
    from kangbot.cli.online import breakers as show
    from kangbot.cli.online import of_market, online, tell

    call = tell(of_market(market, before="/reset-circuit-breaker"), {"lane": lane} if lane else {})
    raise typer.Exit(online(config, socket, call, show, as_json=as_json))


@app.command()
def orders(
    config: Config = DEFAULT_CONFIG,
    *,
    market: OneMarket = "",
    limit: Limit = 20,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show the last orders, with what became of them."""
    from kangbot.cli.online import ask, listing, online

    path = f"/orders?limit={limit}" + (f"&market={market}" if market else "")
    show = listing("intended_at", "market", "side", "quantity", "status", "filled", "average", "reason")
    raise typer.Exit(online(config, socket, ask(path), show, as_json=as_json))


@app.command()
def positions(config: Config = DEFAULT_CONFIG, *, socket: Socket = None, as_json: Json = False) -> None:
    """Show what is held now."""
    from kangbot.cli.online import ask, listing, online

    show = listing("market", "net", "entry", "price", "stop", "unrealised", "unprotected")
    raise typer.Exit(online(config, socket, ask("/positions"), show, as_json=as_json))


@app.command()
def events(
    config: Config = DEFAULT_CONFIG,
    *,
    market: OneMarket = "",
    limit: Limit = 20,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show what happened last."""
    from kangbot.cli.online import ask, listing, online

    path = f"/events?limit={limit}" + (f"&market={market}" if market else "")
    show = listing("at", "severity", "kind", "market", "message")
    raise typer.Exit(online(config, socket, ask(path), show, as_json=as_json))


@database.command()
def upgrade(config: Config = DEFAULT_CONFIG) -> None:
    """Bring the database's tables to what this version writes; changes nothing where they are."""
    from kangbot.cli.database import upgrade as command

    raise typer.Exit(command(config))


@journal.command()
def rebuild(
    config: Config = DEFAULT_CONFIG,
    *,
    tag: Annotated[str | None, typer.Option(help="Which, where the history has several.")] = None,
) -> None:
    """Make a journal that was lost with its disk anew from the history.

    It overwrites none that is there.
    """
    from kangbot.cli.journal import rebuild as command

    raise typer.Exit(command(config, tag))


@app.command("install-service")
def install_service(
    *,
    write: Annotated[bool, typer.Option("--write", help="Do it, and say each step. As root.")] = False,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Take the unit away; state and configuration stay.")
    ] = False,
) -> None:
    """Print the systemd unit and what installing it would change.

    Nothing is changed without --write.
    """
    from kangbot.cli.install import install_service as command

    raise typer.Exit(command(write=write, uninstall=uninstall))


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(f"kangbot {installed('kangbot')}")
