"""What holds for every test."""

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
# Whose tests prove that every branch of what decides about orders is taken. Tracing costs as much as a test does, so
# nobody else pays for it.
_COVERING = (
    "unit/machines",
    "unit/risk",
    "unit/journal",
    "unit/execution",
    "conformance/journal",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say who is measured, and who goes first.

    Tests of real processes mostly wait: they go first, beside each other, and what only computes fills the cores behind
    them, so that no long test is left for the end. Within both it stays as pytest-randomly shuffled it.
    """
    for item in items:
        folder = item.path.parent.relative_to(_HERE).as_posix()
        if not folder.startswith(_COVERING):
            item.add_marker("no_cover")
    items.sort(key=lambda item: not _waits(item))


def _waits(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) for mark in ("process", "mariadb"))
