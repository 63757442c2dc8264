"""A fresh bench for each test."""

import pytest

from tests.support.sim_bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A venue whose markets are moved by hand."""
    return Bench()
