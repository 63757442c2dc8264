"""`kangbot init`: a few questions, and a first configuration that `kangbot check` accepts.

Nothing that is there is overwritten. A database's password goes into a file of its own, mode 600; the venue's key is
never asked for, since it would stand in the terminal: the last words say where it goes.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import get_args

import msgspec
import typer

from kangbot.cli import exit_codes
from kangbot.cli.answer import answer, unwritten
from kangbot.cli.init.draft import Answers, draft, symbols
from kangbot.errors import ConfigInvalid
from kangbot.settings import load
from kangbot.settings.kinds import password_in
from kangbot.settings.trading import TradedVenue
from kangbot.settings.venues import Mode
from kangbot.settings.versions import write_whole
from kangbot.storage.url import DatabaseUrl, parse
from kangbot.strategy import registry
from kangbot.strategy.parameters import StrategyInvalid

DATABASE_FILE = "database_url"
_NONE = "none"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says already, as text; None is asked for."""

    mode: str | None
    venue: str | None
    markets: str | None
    strategy: str | None
    size: str | None
    database: str | None


def init(config: Path, given: Given, *, as_json: bool = False) -> int:
    """Ask for what is not given (where nobody is at a terminal it has its default), and write the file."""
    if _there(config):
        typer.echo(f"{config} is there already, and is not overwritten; name another with --config", err=True)
        return exit_codes.FAILURE
    try:
        answers = _answers(given, _ask if sys.stdin.isatty() else _take_default, config.parent)
        secret, answers = _apart(config.parent, answers)
        text = draft(answers)
        config.parent.mkdir(parents=True, exist_ok=True)
        _try(config, text, answers, secret)
        with contextlib.ExitStack() as undone:  # all or nothing: a half of it would stand in the way of the next try
            if secret:
                _write_new(config.parent / DATABASE_FILE, secret + "\n", 0o600, undone)
            _write_new(config, text, 0o644, undone)
            undone.pop_all()
    except ValueError as error:
        typer.echo(f"{error}\nNothing was written.", err=True)
        return exit_codes.USAGE
    except FileExistsError as error:
        typer.echo(f"{error.filename} is there already, and is not overwritten. {config} was not written.", err=True)
        return exit_codes.FAILURE
    except ConfigInvalid as error:
        for problem in error.problems:
            typer.echo(": ".join(part for part in (problem.key, problem.message) if part), err=True)
            if problem.remedy:
                typer.echo(f"  {problem.remedy}", err=True)
        typer.echo("Nothing was written.", err=True)
        return exit_codes.USAGE
    except OSError as error:
        typer.echo(unwritten(Path(error.filename or config).absolute(), error), err=True)
        return exit_codes.FAILURE
    said = {
        "config": str(config),
        "database_file": str(config.parent / answers.database_file) if answers.database_file else None,
        "mode": answers.mode,
        "venue": answers.venue,
        "markets": answers.markets,
        "needs_key": answers.needs_key,
    }
    return answer(said, _next(config, answers), as_json=as_json)


Wrong = Callable[[str], str]  # what is wrong with an answer; "" where nothing is
Ask = Callable[[str, str, Wrong], str]


def _answers(given: Given, ask: Ask, folder: Path) -> Answers:
    """Return what was given or answered. ValueError for a size that is no number, and for no market at all."""
    mode = given.mode or ask("Mode (sandbox, paper, testnet, live)", "sandbox", _one_of(get_args(Mode)))
    venue = given.venue or "bybit"
    if not given.venue and mode == "paper":
        venue = ask("Venue (bybit, binance_usdm)", "bybit", _one_of(get_args(TradedVenue)))
    named = given.markets or ask(
        "Markets (BTC is the perpetual, BTC/USDT the spot pair)", "BTC ETH SOL", _said_by(_markets)
    )
    strategy = given.strategy or ask(
        "Strategy (ema_cross, rsi_reversion, or file.py:Class)",
        "ema_cross",
        _said_by(lambda text: registry.find(text, folder)),
    )
    size = given.size or ask("Size of a full position, in USDT", "150", _said_by(_number))
    database = given.database or ask(
        "Database (mysql://user:password@host:3306/name, or none)", _NONE, _said_by(_address)
    )
    return Answers(
        mode=mode,
        venue=venue,
        markets=_markets(named),
        strategy=strategy,
        size=_number(size),
        database="" if database == _NONE else database,
    )


def _ask(question: str, default: str, wrong: Wrong) -> str:
    """Ask until the answer is one: who mistypes the last of six would otherwise begin with the first."""
    while True:
        try:
            text = str(typer.prompt(question, default=default, err=True)).strip()  # standard output is the answer's
        except typer.Abort:
            typer.echo("\nNothing was written.", err=True)
            raise typer.Exit(exit_codes.INTERRUPTED) from None
        if not (said := wrong(text)):
            return text
        typer.echo(f"  {said}", err=True)


def _take_default(_question: str, default: str, _wrong: Wrong) -> str:
    return default


def _one_of(names: tuple[str, ...]) -> Wrong:
    return lambda text: "" if text in names else f"{text!r} is none of {', '.join(names)}"


def _said_by(use: Callable[[str], object]) -> Wrong:
    """Return what `use` says of an answer that it cannot take."""

    def wrong(text: str) -> str:
        try:
            use(text)
        except (ConfigInvalid, StrategyInvalid) as error:
            return str(msgspec.structs.replace(error.problems[0], key=""))
        except ValueError as error:
            return str(error)
        return ""

    return wrong


def _markets(text: str) -> tuple[str, ...]:
    if not (markets := symbols(text)):
        raise ValueError("no market was named")
    return markets


def _address(text: str) -> DatabaseUrl | None:
    return None if text == _NONE else parse(text)


def _number(text: str) -> Decimal:
    try:
        size = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the size {text!r} is no number") from None
    if not size.is_finite() or size <= 0 or size.adjusted() > 12:
        raise ValueError(f"the size {text} is none that a position can have")
    return size


def _apart(folder: Path, answers: Answers) -> tuple[str, Answers]:
    """Return the database's address where it holds a password, and the answers without it."""
    if not password_in(answers.database):
        return "", answers
    if (folder / DATABASE_FILE).exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / DATABASE_FILE))
    return answers.database, msgspec.structs.replace(answers, database="", database_file=DATABASE_FILE)


def _there(path: Path) -> bool:
    """Whether something has the name; a link that leads nowhere is somebody's, too. OSError where it is no name."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _try(config: Path, text: str, answers: Answers, secret: str) -> None:
    """Read the file as the daemon would, with the secrets and the second switch in place. ConfigInvalid."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KANGBOT_")}
    if answers.needs_key:
        environ |= {"KANGBOT_VENUES__BYBIT__KEY": "to-come", "KANGBOT_VENUES__BYBIT__SECRET": "to-come"}
    if answers.mode == "live":
        environ["KANGBOT_LIVE__I_UNDERSTAND"] = "real money"
    if secret:
        environ["KANGBOT_DATABASE__URL"] = secret
    trial = config.with_name(f".{config.name}.trial")  # beside the file: its paths are taken from there
    try:
        try:
            write_whole(trial, text.encode())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(config)) from error  # nobody has heard of the trial
        load(trial, environ)
    finally:
        trial.unlink(missing_ok=True)


def _write_new(path: Path, text: str, mode: int, undone: contextlib.ExitStack) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    undone.callback(path.unlink, missing_ok=True)
    with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 -- the mode
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _next(config: Path, answers: Answers) -> list[str]:
    said = [f"wrote {config}"]
    folder = config.parent
    if answers.database_file:
        said.append(f"wrote {folder / DATABASE_FILE}: the database's address with its password, mode 600")
    if answers.needs_key:
        key, secret = folder / "bybit_key", folder / "bybit_secret"
        said += [
            f"put the API key into {key}, its secret into {secret}: one line each, mode 600",
            "  the key needs the right to trade; give it none to withdraw, and bind it to this machine's address",
        ]
    if answers.mode == "live":
        said.append(f"take the # before i_understand away in {config}: live trades with money")
    if answers.mode == "sandbox":
        said.append("serve the simulated exchange in another terminal: kangbot sandbox")
    return [*said, f"then: kangbot check --config {config}", f"      kangbot run --config {config}"]
