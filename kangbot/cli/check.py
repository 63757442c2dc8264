"""`kangbot check`: every mistake of a configuration at once, or what it means and how all that it needs is.

`kangbot config validate` is the first half, for where nothing is to be asked: an edit on another machine.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import typer

from kangbot.cli import exit_codes
from kangbot.cli.answer import fitted
from kangbot.cli.doctor.finding import Look, Mark
from kangbot.errors import ConfigInvalid, ConfigUnread, Problem
from kangbot.notify.outside import each
from kangbot.runtime.world import real_world
from kangbot.settings import Mode, Settings, load
from kangbot.settings.kinds import split_url
from kangbot.settings.secrets import shut_credentials
from kangbot.settings.trading import Risk

MEANING: dict[Mode, str] = {
    "sandbox": "the simulated exchange, no money",
    "paper": "live prices, simulated fills, no money",
    "testnet": "the venue's own playground, no money",
    "live": "REAL MONEY",
}


SIGNS = {Mark.OK: "✓", Mark.WARNING: "!", Mark.AWAY: "✗", Mark.WRONG: "✗"}
_PLAIN = str.maketrans("✓✗→", "+x>")  # where the terminal has no such signs: well and wrong may not look the same


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. Names are stable."""

    ok: bool
    config: str
    problems: tuple[Problem, ...] = ()
    mode: str = ""
    markets: dict[str, int] = {}  # "enabled", "left_alone"
    database: str = ""  # "sqlite" or "mysql"
    secrets: dict[str, bool] = {}  # by name: whether there is one
    state_dir: str = ""
    looks: tuple[Look, ...] = ()  # empty where only the configuration was read


def check(config: Path, *, as_json: bool, at_start: bool = False) -> int:
    """Print the finding and return the exit code: CONFIG for a person to put right, TEMPORARY for what is away.

    `at_start` is a container's look before its start, which waits for the database and asks no venue.
    """
    try:
        settings = load(config, os.environ)
    except ConfigInvalid as error:
        code = _wrong(config, error, as_json=as_json)
        if at_start and not isinstance(error, ConfigUnread):
            from kangbot.app.unstarted import tell_wrong  # noqa: PLC0415 -- as below

            tell_wrong(config, os.environ, error, real_world().clock)
        return code
    if not at_start:
        from kangbot.cli.doctor.examination import examine  # noqa: PLC0415 -- the drivers and adapters, which nobody else needs

        looks = (*_credentials(config, settings), *examine(settings, real_world()))
        return _tell(config, settings, as_json=as_json, looks=looks)
    if problems := _startup(settings):
        from kangbot.app.unstarted import tell  # noqa: PLC0415 -- as above

        code = _wrong(config, ConfigInvalid(problems), as_json=as_json)
        tell(settings, ConfigInvalid(problems), real_world().clock)
        return code
    return _tell(config, settings, as_json=as_json)


def _credentials(config: Path, settings: Settings) -> Iterator[Look]:
    """Say that the service may know a database which this user does not see."""
    shut = shut_credentials(config, os.environ)
    if shut and settings.database.url is None:
        yield Look(
            name="credentials",
            mark=Mark.WARNING,
            says=f"{shut} is not this user's to read: whether the service has a database of its own is not seen",
            remedy="run the same command with sudo, to look at what the service gets",
        )


def validate(config: Path, *, as_json: bool) -> int:
    """Print what the configuration means, or every mistake in it; ask nobody."""
    try:
        settings = load(config, os.environ)
    except ConfigInvalid as error:
        return _wrong(config, type(error)(tuple(map(_of_an_argument, error.problems))), as_json=as_json)
    return _tell(config, settings, as_json=as_json)


def _of_an_argument(problem: Problem) -> Problem:
    """Return it without the option by which the other commands take another file: this one takes its name alone."""
    return msgspec.structs.replace(problem, remedy=problem.remedy.replace(" with --config", ""))


def _tell(config: Path, settings: Settings, *, as_json: bool, looks: tuple[Look, ...] = ()) -> int:
    if as_json:
        typer.echo(msgspec.json.encode(_finding(config, settings, looks)).decode())
    else:
        for name, text in _lines(config, settings):
            typer.echo(fitted(f"{name:<10} {text}"))
        signs, arrow = {mark: _shown(sign) for mark, sign in SIGNS.items()}, _shown("→")
        for look in looks:
            typer.echo(fitted(f"{signs[look.mark]} {look.name:<12} {look.says}"))
            if look.remedy:
                typer.echo(fitted(f"{'':<15}{arrow} {look.remedy}"))
    return _code(looks)


def _shown(sign: str) -> str:
    try:
        sign.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return sign.translate(_PLAIN)
    return sign


def _code(looks: tuple[Look, ...]) -> int:
    marks = {look.mark for look in looks}
    if Mark.WRONG in marks:
        return exit_codes.CONFIG
    return exit_codes.TEMPORARY if Mark.AWAY in marks else exit_codes.OK


def _startup(settings: Settings) -> tuple[Problem, ...]:
    from kangbot.cli.startup import startup  # noqa: PLC0415 -- the driver, which a plain check needs not

    now_ns = real_world().clock.now_ns()
    return startup(settings, now_ns=now_ns, say=lambda text: typer.echo(text, err=True))


def _wrong(config: Path, error: ConfigInvalid, *, as_json: bool) -> int:
    if as_json:
        finding = Finding(ok=False, config=str(config), problems=error.problems)
        typer.echo(msgspec.json.encode(finding).decode())
    else:
        typer.echo(error.message, err=True)
        count = len(error.problems)
        typer.echo(f"{count} mistake{'s' if count > 1 else ''}; nothing was started.", err=True)
    return exit_codes.CONFIG


def _finding(config: Path, settings: Settings, looks: tuple[Look, ...]) -> Finding:
    enabled = sum(market.enabled for market in settings.markets)
    return Finding(
        ok=_code(looks) == exit_codes.OK,
        config=str(config),
        mode=settings.mode,
        markets={"enabled": enabled, "left_alone": len(settings.markets) - enabled},
        database=settings.history_url.partition(":")[0].replace("mariadb", "mysql"),
        secrets={
            "bybit_key": settings.venues.bybit.key is not None,
            "bybit_secret": settings.venues.bybit.secret is not None,
            "database_url": settings.database.url is not None,
            "notify_addresses": settings.notify.addresses is not None,
            "telegram_token": settings.telegram.token is not None,
        },
        state_dir=str(settings.state_dir),
        looks=looks,
    )


def _lines(config: Path, settings: Settings) -> list[tuple[str, str]]:
    enabled = [market for market in settings.trading if market.enabled]
    kinds = Counter(f"{market.strategy} on {market.timeframe}" for market in enabled)
    left_alone = len(settings.trading) - len(enabled)
    mode = settings.mode
    return [
        ("config", f"{config}: no mistakes"),
        ("mode", f"{mode}: {MEANING[mode]}"),
        ("markets", f"{len(enabled)}" + (f", and {left_alone} left alone" if left_alone else "")),
        *(("", f"{count} of {kind}") for kind, count in kinds.most_common()),
        ("venue", _venue(settings)),
        ("risk", _limits(settings.risk)),
        ("database", _database(settings)),
        ("messages", _messages(settings)),
        ("state", f"{settings.state_dir}{_to_come(settings.state_dir)}"),
    ]


def _to_come(folder: Path) -> str:
    try:
        folder.stat()
    except PermissionError:  # what lies beyond a folder that is another user's
        return " (not this user's to see)"
    except OSError:
        return " (will be made)"
    return ""


def _limits(risk: Risk) -> str:
    """Return what is held to. 0 switches a limit off, which is the opposite of letting nothing pass."""
    limits = (
        (risk.market_notional, "a market", "a market"),
        (risk.total_notional, "in total", "the total"),
        (risk.daily_loss, "lost a day", "the loss of a day"),
    )
    held = ", ".join(f"{most:f} {what}" for most, what, _ in limits if most)
    free = ", ".join(name for most, _, name in limits if not most)
    return "; ".join([*[f"at most {held}"] * bool(held), *[f"NO LIMIT of {free}"] * bool(free)])


def _venue(settings: Settings) -> str:
    if settings.venue == "binance_usdm":
        return f"binance_usdm, {settings.venues.binance_usdm.rest_url}, data only"
    return f"bybit, {settings.bybit_rest_url}, {_key(settings)}"


def _key(settings: Settings) -> str:
    bybit = settings.venues.bybit
    if settings.mode == "paper":
        return "without a key"
    if bybit.key and bybit.secret:
        return "key and secret found"
    return "with the sandbox's own key" if settings.mode == "sandbox" else "no key needed"


def _messages(settings: Settings) -> str:
    notify, telegram = settings.notify, settings.telegram
    told = "to nobody: [notify] has no address"
    if notify.addresses is not None:
        services = len(each(notify.addresses.value))
        told = f"to {services} service{'s' if services > 1 else ''}, from {notify.least} on"
    if telegram.token is None:
        return told
    chats = len(telegram.chats)
    who = "no chat may command yet" if not chats else f"{chats} chat{'s' if chats > 1 else ''} may command"
    return f"{told}; Telegram: {who}"


def _database(settings: Settings) -> str:
    parts = split_url(settings.history_url)
    if settings.database.url is None:
        return f"{settings.state_dir / 'history.sqlite'} (embedded SQLite)"
    if parts is None:  # a socket or a file: it holds no host
        return settings.history_url.partition(":")[0]
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 3306}{parts.path}"
