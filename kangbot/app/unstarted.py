"""A start that something only a person can put right prevents: there is no daemon yet that could tell of it.

Where it is the configuration itself, people are told by what the last accepted version says of them; where it is the
database, whose tables a container's start brings up to date, by the file as it is. Where no version was ever accepted,
nobody is told of the file: whoever writes a first one looks.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from kangbot.app.parameters import last_words
from kangbot.errors import ConfigInvalid, KangbotError, NeedsHuman, named
from kangbot.journal.lock import FolderLock
from kangbot.logs import configure
from kangbot.notify.last_words import ended
from kangbot.runtime.unawaited import run
from kangbot.runtime.world import Clock
from kangbot.settings import Settings


def tell_wrong(config: Path, environ: Mapping[str, str], error: ConfigInvalid, clock: Clock) -> None:
    """Tell people that the daemon of a wrong configuration does not start."""
    from kangbot.settings.loading import reachable  # noqa: PLC0415 -- pydantic, which no daemon needs that starts

    with _harmless():
        settings = reachable(config, environ)
        if settings is not None:
            tell(settings, error, clock)


def tell(settings: Settings, error: KangbotError, clock: Clock) -> None:
    """Tell people that the daemon does not start. Blocks for as long as last words may take.

    Nobody where nobody is to be told, or another daemon has the state folder, which goes on and tells of its file
    itself; nor where the folder cannot be written: what is started again and again would say the same each time.
    """
    if settings.notify.addresses is None:
        return
    with _harmless():
        try:
            FolderLock(settings.state_dir).release()
        except NeedsHuman:
            return
        masker = configure(settings, clock)
        run(last_words(settings, ended("daemon.needs_human", masker.text(_what(error)), clock.now_ns())))


def _what(error: KangbotError) -> str:
    """Return what is wrong, each mistake of a configuration at its place, and what to do about it."""
    if isinstance(error, ConfigInvalid):
        return "; ".join(str(problem) for problem in error.problems)
    return f"{error.message}; {error.remedy}" if isinstance(error, NeedsHuman) else error.message


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    """Let a start end with its own code and words, whatever becomes of telling."""
    try:
        yield
    except Exception as fault:  # noqa: BLE001 -- as above
        sys.stderr.write(f"nobody could be told: {named(fault)}\n")
