"""What holds for every test."""

import logging
import os
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
# Whose tests prove that every branch of what decides about orders is taken. Tracing costs as much as a test does, so
# nobody else pays for it.
_COVERING = (
    "unit/machines",
    "unit/risk",
    "unit/journal",
    "unit/execution",
    "conformance/journal",
)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let a test that proves no branch run untraced.

    Beside the time it costs, CPython 3.11 spins in a traced thread for as long as an exception waits for another one
    (`PyThreadState_SetAsyncExc`), which is how a strategy is interrupted. pytest-cov's `no_cover` leaves the tracer on
    in the workers of pytest-xdist.
    """
    if pyfuncitem.path.parent.relative_to(_HERE).as_posix().startswith(_COVERING):
        return (yield)
    trace, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(trace)
        threading.settrace(of_threads)


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
