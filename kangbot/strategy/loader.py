"""A user's own strategy from a file: the one place where code is imported by path.

A file is loaded once for each content, under a name made of its path and its text, so that many markets share it and an
edited file is another module. Whatever the file does wrong becomes a StrategyInvalid with its line.
"""

import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from inspect import isabstract
from pathlib import Path
from types import ModuleType
from typing import Any

from kangbot.errors import Problem, named
from kangbot.strategy.base import Strategy
from kangbot.strategy.parameters import Parameters, StrategyInvalid, nearest

AnyStrategy = Strategy[Any, Any]


def split(text: str) -> tuple[str, str] | None:
    """Return (path, class name or "") of `file.py` or `file.py:Class`; None where the text names no file."""
    if text.endswith(".py"):
        return text, ""
    path, _, class_name = text.rpartition(":")
    return (path, class_name) if path.endswith(".py") else None


def load_class(path: Path, class_name: str) -> type[AnyStrategy]:
    """Return the strategy class of the file: the one named, or the only one. StrategyInvalid otherwise."""
    module = _module(path)
    found = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
    }
    concrete = {name: value for name, value in found.items() if not isabstract(value)}
    if class_name:
        if class_name not in found:
            raise _invalid(path, f"has no strategy class {class_name}", remedy=nearest(class_name, tuple(found)))
        return _complete(path, found[class_name])
    choice = concrete or found
    if not choice:
        raise _invalid(path, "has no strategy class", remedy="Derive one from kangbot.strategy.base.Strategy")
    if len(choice) > 1:
        raise _invalid(path, "has several strategy classes", remedy=f"Name one: {path.name}:{next(iter(choice))}")
    return _complete(path, next(iter(choice.values())))


def _complete(path: Path, strategy: type[AnyStrategy]) -> type[AnyStrategy]:
    missing = [name for name in ("name", "parameters_type") if not hasattr(strategy, name)]
    missing += sorted(getattr(strategy, "__abstractmethods__", ()))
    if missing:
        raise _invalid(path, f"class {strategy.__name__} does not define {', '.join(missing)}")
    if wrong := _wrong(strategy):
        raise _invalid(path, f"class {strategy.__name__}: {wrong}")
    return strategy


def _wrong(strategy: type[AnyStrategy]) -> str:
    """Return what the class says of itself and cannot be meant; "" where all of it can.

    No type checker has seen it, and the daemon builds on it: a report with such a name could not be written, and a
    start would end at such a number of bars after an edit was told to be right.
    """
    name: object = strategy.name
    if not isinstance(name, str):
        return f"name must be text, not {name!r:.100}"
    try:
        name.encode()
    except UnicodeEncodeError as error:
        return f"name must be text that can be written down: {error}"
    parameters: object = strategy.parameters_type
    if not (isinstance(parameters, type) and issubclass(parameters, Parameters)):
        return f"parameters_type must be a class derived from Parameters, not {parameters!r:.100}"
    kept: object = strategy.bars_kept
    if not isinstance(kept, int) or not 1 <= kept <= sys.maxsize:
        return f"bars_kept must be a whole number of bars, at least 1, not {kept!r:.100}"
    return ""


def _module(path: Path) -> ModuleType:
    try:
        source = path.read_bytes()
    except OSError as error:
        remedy = "Name its whole path, or the one from the configuration's folder, where kangbot may read it"
        raise _invalid(path, f"cannot be read: {error.strerror}", remedy=remedy) from error
    name = f"kangbot_user_{path.stem}_{sha256(str(path.resolve()).encode() + b'|' + source).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # annotations are resolved through it
    try:
        with _signals_kept():
            # Compiled here and not by importlib, whose bytecode cache takes two edits within a second for one.
            exec(compile(source, str(path), "exec"), vars(module))  # noqa: S102 -- the operator's own strategy
    except BaseException as error:  # a program that ends with sys.exit is a mistake of the file too
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise raised(path, error) from error
    return module


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Put back what a file, or a library that it imports, sets for signals: the daemon is ended by them, and in order.

    In another thread than the main one nobody can set any, nor put any back.
    """
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) != handler:
                with suppress(ValueError):
                    signal.signal(number, handler)


def raised(path: Path, error: BaseException) -> StrategyInvalid:
    """Return what the file's code raised as a mistake of the file, with its line."""
    return _invalid(path, named(error), line=_line(path, error))


def _line(path: Path, error: BaseException) -> int:
    """Return the line of the file where the error arose; 0 where it arose elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 0
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return next((line for file, line in reversed(places) if file == str(path)), 0)


def _invalid(path: Path, message: str, *, remedy: str = "", line: int = 0) -> StrategyInvalid:
    return StrategyInvalid((Problem(file=str(path), line=line, key="strategy", message=message, remedy=remedy),))
