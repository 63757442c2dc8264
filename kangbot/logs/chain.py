"""The chain an event passes: context, time, level, error, mask, renderer, standard error."""

import atexit
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, TextIO

import msgspec
import structlog

from kangbot.logs.bridge import route
from kangbot.logs.masking import Masker
from kangbot.logs.out import Out
from kangbot.logs.rendering import Console, Fields, render_json
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

Level = Literal["debug", "info", "warning", "error"]
PACKAGE = Path(__file__).parents[1]
_STANDARD = Path(os.__file__).parent  # the interpreter's own modules
_LIBRARIES = frozenset({"site-packages", "dist-packages"})
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to write. `format` is "console" or "json"; secrets are values that may not appear."""

    format: Literal["console", "json"] = "console"
    level: Level = "info"
    secrets: tuple[str, ...] = ()


class _LogSection(Protocol):
    @property
    def format(self) -> Literal["console", "json"]: ...
    @property
    def level(self) -> Level: ...


class _Settings(Protocol):
    """The part of the settings that logs need; the two do not import each other."""

    @property
    def logs(self) -> _LogSection: ...
    @property
    def secrets(self) -> Iterable[str]: ...


def configure(settings: _Settings, clock: Clock) -> Masker:
    """Set up logging as the configuration says; the answer takes further secrets."""
    options = LogOptions(format=settings.logs.format, level=settings.logs.level, secrets=tuple(settings.secrets))
    return set_up(options, clock)


def set_up(options: LogOptions, clock: Clock, stream: TextIO | None = None) -> Masker:
    """Set up logging for this process, to `stream` (None: standard error)."""
    masker = Masker(options.secrets)
    out = Out(stream or sys.stderr, lambda lines: log.warning("logs.lost", lines=lines))
    atexit.register(out.close)
    debug = options.level == "debug"
    render: Callable[[Fields], str]
    if options.format == "json":
        render = render_json
    else:
        render = Console(colours=out.is_terminal and "NO_COLOR" not in os.environ)
    chain = _Chain(clock=clock, masker=masker, render=render, whole_errors=debug or options.format == "json")
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, chain],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, options.level.upper())),
        logger_factory=lambda *_: out,
        cache_logger_on_first_use=True,  # a filtered debug line costs a call and no more
    )

    def from_library(level: str, fields: dict[str, object]) -> None:
        out.write(chain(None, level, structlog.contextvars.merge_contextvars(None, level, fields)))

    route(from_library, logging.INFO if debug else max(logging.WARNING, getattr(logging, options.level.upper())))
    return masker


class _Chain:
    """From an event's fields to its line."""

    def __init__(self, *, clock: Clock, masker: Masker, render: Callable[[Fields], str], whole_errors: bool) -> None:
        self._clock = clock
        self._masker = masker
        self._render = render
        self._whole_errors = whole_errors

    def __call__(self, _logger: object, method: str, fields: MutableMapping[str, Any]) -> str:
        """Return the line to write; a processor as structlog calls it, the last of the chain."""
        error = _error_of(fields.pop("exc_info", None))
        stamped = {"at": stamp(self._clock.now_ns()), "level": method, **fields}
        plain = {name: self._masker.field(name, value) for name, value in stamped.items()}
        if error is not None:
            plain.setdefault("error", self._masker.value(error[1]))
            plain["where"] = where(error[2])
            if self._whole_errors:
                plain["traceback"] = self._masker.text("".join(traceback.format_exception(*error)))
        return self._render(plain)


def _error_of(given: object) -> ExcInfo | None:
    match given:
        case BaseException():
            return type(given), given, given.__traceback__
        case (type() as kind, BaseException() as error, tb):
            return kind, error, tb if isinstance(tb, TracebackType) else None
        case None | False:
            return None
        case _:
            current = sys.exception()
            return _error_of(current) if current is not None else None


def where(tb: TracebackType | None) -> str:
    """Return the place of an error as `market/task.py:120 in run`: the innermost line of ours, else the innermost.

    Where ours have called a user's own code, which are strategies, it is the innermost line of that.
    """
    frames = [(Path(frame.filename), frame) for frame in traceback.extract_tb(tb)]
    if not frames:
        return ""
    ours = [number for number, (path, _) in enumerate(frames) if path.is_relative_to(PACKAGE)]
    theirs = [number for number, (path, _) in enumerate(frames) if ours and number > ours[0] and _of_a_user(path)]
    path, frame = frames[(theirs or ours or [-1])[-1]]
    name = path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path.name
    return f"{name}:{frame.lineno} in {frame.name}"


def _of_a_user(path: Path) -> bool:
    """Whether it is neither ours, nor the interpreter's, nor a library's; what was compiled names no whole path."""
    others = path.is_relative_to(PACKAGE) or path.is_relative_to(_STANDARD) or not _LIBRARIES.isdisjoint(path.parts)
    return path.is_absolute() and not others


def stamp(at_ns: int) -> str:
    """Return nanoseconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    seconds, rest = divmod(at_ns, SECOND_NS)
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"
