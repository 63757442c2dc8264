"""The process has its logging back after each test."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Give the process its logging back; warnings that a test of another room had captured are let go first.

    Whoever ran before in this process may have set logging up: the standard library then takes warnings for captured
    and does not capture them again, while the test runner has put its own hook back.
    """
    logging.captureWarnings(capture=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
