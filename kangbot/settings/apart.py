"""Have a configuration read by a process of its own, which ends.

Measured beside what the daemon needs anyway: pydantic-settings and its models keep 11 MB, for work that takes 0.1 s
once, and again only after an edit. So a child reads, validates and answers in JSON; the daemon decodes that into plain
dataclasses. An edit of the file can then do no harm to the daemon either, whatever it holds.

The answer holds secrets: it goes through a pipe and nowhere else.
"""

import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from kangbot.errors import ConfigInvalid, ConfigUnread, Problem
from kangbot.runtime.installation import REPLACED, last_said, replaced
from kangbot.settings.schema import Settings

_ONCE_OVER = "Start again once its cause is gone; a daemon that runs reads it again by itself, or at once at SIGHUP."
CHILD_S = 60.0  # a configuration on a dead network mount must not hang a start for ever


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the child says: the settings, or every mistake."""

    settings: Settings | None = None
    problems: tuple[Problem, ...] = ()


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Return the configuration in `path` with the environment laid over it.

    ConfigInvalid with every mistake at once, in the order of the file; ConfigUnread where no process
    could say. Takes about 0.3 s and blocks; changes nothing.
    """
    # -P: where this is typed may be a file of the user's with the name of one of Python's modules, such as signal.py
    command = [sys.executable, "-P", "-m", "kangbot.settings", str(path)]
    try:
        child = subprocess.run(command, env=dict(environ), capture_output=True, timeout=CHILD_S, check=False)  # noqa: S603 -- our own module
    except subprocess.TimeoutExpired as error:
        problem = Problem(
            message=f"could not be read within {CHILD_S:.0f} s",
            file=str(path),
            remedy=(
                "Look whether its disk answers, for a strategy of your own that never ends being loaded, and for a "
                "number with an absurd exponent."
            ),
        )
        raise ConfigInvalid((problem,)) from error
    except (OSError, ValueError) as error:
        raise _unread(path, f"could not be checked: {error}") from error
    if replaced():  # asked once it has ended: what it began with may have been replaced only just then
        raise _unread(path, "could not be checked by the version that runs")
    try:
        answer = decode(child.stdout)
    except msgspec.DecodeError as error:
        why = last_said(child.stderr) or str(error)
        raise _unread(path, f"could not be checked (exit code {child.returncode}): {why}") from None
    if answer.settings is None:
        raise ConfigInvalid(answer.problems)
    return answer.settings


def _unread(path: Path, message: str) -> ConfigUnread:
    remedy = f"{REPLACED[:1].upper()}{REPLACED[1:]}." if replaced() else _ONCE_OVER
    return ConfigUnread((Problem(message=message, file=str(path), remedy=remedy),))


def encode(answer: Answer) -> bytes:
    """Return the answer as JSON; decimals as numbers, exact in their digits."""
    return msgspec.json.Encoder(enc_hook=_plain, decimal_format="number").encode(answer)


def decode(data: bytes) -> Answer:
    """Return the answer in `data`. Parameters of strategies have no type of their own: their fractions are decimals."""
    return msgspec.json.Decoder(Answer, dec_hook=_typed, float_hook=Decimal).decode(data)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not travel")


def _typed(kind: type, value: Any) -> Any:
    if issubclass(kind, Path):
        return Path(value)
    raise TypeError(f"{kind.__name__} does not travel")
