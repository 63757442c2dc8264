"""The history database: is it there, does it take us and our rows, and are its tables the ones that are written."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from kangbot.cli.doctor.finding import Look, Mark
from kangbot.errors import NeedsHuman, Retryable
from kangbot.settings import Settings
from kangbot.storage.glance import current, missing, tried, writing
from kangbot.storage.opening import place_of
from kangbot.storage.schema import judge
from kangbot.storage.sqlite import revision
from kangbot.storage.url import MysqlUrl, SqliteUrl, parse
from kangbot.storage.writers import REMEDY, another

_ANSWER_S = 8.0
_ANEW = "kangbot db upgrade makes it anew, empty; what it held may be in a backup"


async def database(settings: Settings) -> Look:
    """Ask it, for at most eight seconds."""
    url = parse(settings.history_url)
    if not isinstance(url, MysqlUrl):
        return _embedded(url)
    began = perf_counter()
    try:
        async with asyncio.timeout(_ANSWER_S):
            up_to_date = await current(url)
            dropped = await missing(url) if up_to_date else ()
            if dropped:
                return _look(Mark.WRONG, f"{url} has no table {', '.join(dropped)} any more", remedy=_ANEW)
            other = another(await writing(url), place_of(settings.state_dir)) if up_to_date else None
            if up_to_date:
                await tried(url)
    except NeedsHuman as error:
        return _look(Mark.WRONG, _named(url, error.message), remedy=error.remedy)
    except (Retryable, TimeoutError) as error:
        why = error.message if isinstance(error, Retryable) else f"no answer within {_ANSWER_S:.0f} s"
        return _look(
            Mark.AWAY,
            _named(url, why),
            remedy="see that it runs and that the address is right; the daemon trades without it, and writes later",
        )
    if other is not None:
        return _look(Mark.WARNING, f"{url} is written by another kangbot: {other}", remedy=REMEDY)
    took_ms = round(1000 * (perf_counter() - began), 1)
    tables = "its tables are up to date" if up_to_date else "its tables are made or brought up at the start"
    return _look(Mark.OK, f"{url} answers {'over TLS ' if url.encrypted else ''}in {took_ms:.0f} ms, {tables}", took_ms)


def plain_text(settings: Settings) -> Iterator[Look]:
    """Say that anybody on the way can read along, where nobody has said that this is meant."""
    url = parse(settings.history_url)
    if isinstance(url, MysqlUrl) and url.exposed:
        yield Look(
            name="database_tls",
            mark=Mark.WARNING,
            says=f"{url}: the login and every row cross the network in plain text",
            remedy="add ?ssl-mode=VERIFY_IDENTITY to database.url, and &ssl-ca=FILE where the server has an authority "
            "of its own; ssl-mode=DISABLED where the network is yours alone",
        )


def _named(url: MysqlUrl, message: str) -> str:
    """Return the message with the database's name before it, once."""
    return message if message.startswith(str(url)) else f"{url}: {message}"


def _embedded(url: SqliteUrl) -> Look:
    path = url.path
    try:
        path.stat()
        if not os.access(path, os.R_OK):
            return _unseen(path, "Permission denied")
        up_to_date = judge(revision(path), str(url))
    except FileNotFoundError:
        return _look(Mark.OK, f"embedded, {path.name} will be made")
    except OSError as error:
        return _unseen(path, error.strerror)
    except NeedsHuman as error:
        return _look(Mark.WRONG, error.message, remedy=error.remedy)
    except Retryable as error:
        return _look(
            Mark.AWAY, error.message, remedy="end what uses it; the daemon trades without it, and writes later"
        )
    tables = "is there" if up_to_date else "is there, its tables are brought up at the start"
    return _look(Mark.OK, f"embedded, {path.name} {tables}")


def _unseen(path: Path, why: str | None) -> Look:
    says = f"embedded, {path} cannot be looked at: {why}"
    return _look(Mark.WARNING, says, remedy="ask as the user that the daemon runs as, or as root")


def _look(mark: Mark, says: str, took_ms: float | None = None, remedy: str = "") -> Look:
    unit = "" if took_ms is None else "ms"
    return Look(name="database", mark=mark, says=says, figure=took_ms, unit=unit, remedy=remedy)
