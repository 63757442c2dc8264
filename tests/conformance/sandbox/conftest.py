"""One sandbox for each test file; its clients are the unmodified libraries."""

from collections.abc import Iterator

import pytest

from tests.support.sandbox_process import Running, sandbox_process


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    """A sandbox without a budget of requests: these tests ask much in a short time.

    It is a few milliseconds away, as a venue is at least: pybit registers a subscription after it has sent it, and an
    answer within microseconds would find nothing registered.
    """
    with sandbox_process("--no-limits", "--balance", "1000000", "--latency-s", "0.005") as running:
        yield running
