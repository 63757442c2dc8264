"""Freezing what lasts."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from kangbot.runtime.garbage import freeze


class Node:
    """Something that refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Leave the test process as it was."""
    yield
    gc.unfreeze()


def test_what_is_frozen_is_not_looked_at_and_what_comes_later_is() -> None:
    """Garbage of before is freed first; a cycle made afterwards is found as ever."""
    before = weakref.ref(Node())
    assert freeze() > 1000
    assert before() is None
    assert len(gc.get_objects()) < 1000
    after = weakref.ref(Node())
    gc.collect()
    assert after() is None


def test_without_collecting_garbage_is_frozen_too() -> None:
    """It costs no time and keeps the little garbage that there is."""
    gc.collect()
    before = weakref.ref(Node())
    freeze(collect=False)
    gc.collect()
    assert before() is not None
