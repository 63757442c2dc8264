"""`kangbot check --startup`: what a configuration cannot know, looked at before the daemon is.

Is the state folder there to be written, is the clock possible, does the history database answer. For a container's
entrypoint, which has nobody to ask later. The daemon itself waits for none of this but the folder: it trades on while
its database is away.
"""

import kangbot.runtime.lean  # noqa: F401 -- before whatever imports structlog: a tenth of the start  # isort: skip

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import kangbot
from kangbot.errors import NeedsHuman, Problem, Retryable
from kangbot.runtime.unawaited import run
from kangbot.runtime.world import SECOND_NS
from kangbot.settings import Settings
from kangbot.storage.glance import current, writing
from kangbot.storage.opening import place_of
from kangbot.storage.url import MysqlUrl, parse
from kangbot.storage.writers import REMEDY, another

DATABASE_WAIT_S = 60.0  # a MariaDB that starts beside us on the smallest server is there in less than half of this
_ASK_EVERY_S = 1.0
_DAY_S = 86_400


def startup(
    settings: Settings, *, now_ns: int, say: Callable[[str], None], wait_s: float = DATABASE_WAIT_S
) -> tuple[Problem, ...]:
    """Return what stands in the way of a start. Blocks for at most about `wait_s`; `say` is told what is waited for."""
    problems = [*_folder(settings.state_dir), *impossible_clock(now_ns, Path(kangbot.__file__))]
    url = parse(settings.history_url)
    if not problems and isinstance(url, MysqlUrl):
        problems += _database(url, place_of(settings.state_dir), say, wait_s)
    return tuple(problems)


def _folder(folder: Path) -> Iterator[Problem]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        yield _no_folder(folder, error)
    else:
        yield from unwritable(folder)


def unwritable(folder: Path) -> Iterator[Problem]:
    """Find a folder in which no file can be made, written and put on the disk."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".startup-") as file:
            file.write(b"written before a start, and removed\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield _no_folder(folder, error)


def _no_folder(folder: Path, error: OSError) -> Problem:
    return Problem(
        message=f"the state folder {folder} cannot be written: {error.strerror}",
        key="state_dir",
        remedy="name a folder that this user may write, on a disk with room",
    )


def impossible_clock(now_ns: int, installed: Path) -> Iterator[Problem]:
    """Find a clock that stands before kangbot was installed: it cannot be right, and certificates would be refused."""
    behind_s = installed.stat().st_mtime - now_ns / SECOND_NS
    if behind_s > _DAY_S:
        yield Problem(
            message=f"the machine's clock is {behind_s / _DAY_S:.0f} days before the day kangbot was installed",
            remedy="set the clock, and set up time synchronisation",
        )


def _database(url: MysqlUrl, place: str, say: Callable[[str], None], wait_s: float) -> Iterator[Problem]:
    over_s = time.perf_counter() + wait_s
    said = False
    while True:
        try:
            writers = run(writing(url)) if run(current(url)) else []
        except NeedsHuman as error:
            yield Problem(message=error.message, key="database.url", remedy=error.remedy)
            return
        except Retryable as error:
            if time.perf_counter() > over_s:
                yield Problem(
                    message=f"the database did not answer within {wait_s:.0f} s: {error.message}",
                    key="database.url",
                    remedy="see that it runs, and that the address is right",
                )
                return
            if not said:
                say(f"waiting for {url}: {error.message}")
                said = True
            time.sleep(_ASK_EVERY_S)
        else:
            if other := another(writers, place):
                say(f"{url} is written by another kangbot: {other}; trading begins without it: {REMEDY}")
            return
