"""What holds for every test."""

import contextlib
import gc
import importlib
import logging
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Tests make things fall on purpose; the default renderer of tracebacks shows every local in colour, for seconds.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])

# How long an example takes is the machine's: a stall of a second, once in thousands of examples, proves nothing.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_HERE = Path(__file__).parent
_HEARD = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_COVERED = ("machines", "risk", "journal", "execution")
# Whose tests prove that every branch of what decides about orders is taken. Tracing costs as much as a test does, so
# nobody else pays for it.
_COVERING = (
    "unit/machines",
    "unit/risk",
    "unit/journal",
    "unit/execution",
    "conformance/journal",
)


@contextlib.contextmanager
def _untraced() -> Iterator[None]:
    """Have nothing traced meanwhile. pytest-cov's `no_cover` leaves the tracer on in the workers of pytest-xdist."""
    trace, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(trace)
        threading.settrace(of_threads)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Have everything collected without what makes it long: each worker of pytest-xdist does it for itself.

    What is to be covered is imported first, since whatever stands outside of its functions runs then; the rest need not
    be traced. And of what is imported and collected hardly anything becomes garbage to look for.
    """
    collects = session.config.getoption("dist", "no") == "no"  # whoever has workers does not
    if collects and sys.gettrace() is not None:
        for room in _COVERED:
            package = importlib.import_module(f"kangbot.{room}")
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
    gc.disable()
    try:
        with _untraced():
            return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that proves no branch run untraced, and what is set up for it.

    Beside the time it costs, CPython 3.11 spins in a traced thread for as long as an exception waits for another one
    (`PyThreadState_SetAsyncExc`), which is how a strategy is interrupted.
    """
    if item.path.parent.relative_to(_HERE).as_posix().startswith(_COVERING):
        return (yield)
    with _untraced():
        return (yield)


@pytest.fixture(autouse=True)
def _what_belongs_to_the_process() -> Iterator[None]:
    """Umask, signals and log are set by entry points: a test that calls one leaves none to the tests behind it.

    A signal that is ignored is ignored by every process that is started afterwards.
    """
    umask, log, root = os.umask(0o022), structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    heard = {number: signal.getsignal(number) for number in _HEARD}
    try:
        yield
    finally:
        os.umask(umask)
        structlog.configure(**log)
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        for number, handler in heard.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say who goes first.

    Tests of real processes mostly wait: they go first, beside each other, and what only computes fills the cores behind
    them, so that no long test is left for the end. Within both it stays as pytest-randomly shuffled it.
    """
    items.sort(key=lambda item: not _waits(item))


def _waits(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) for mark in ("process", "mariadb"))
