"""A process that answers once looks for no garbage; a whole one, to its end, is in `test_ending.py`."""

import atexit
import gc
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

BRIEF, ENDING = "kangbot.runtime.brief", "kangbot.runtime.ending"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the test process as it was."""
    kept = {name: sys.modules.pop(name) for name in (BRIEF, ENDING) if name in sys.modules}
    yield
    gc.enable()
    if ENDING not in kept:
        atexit.unregister(gc.freeze)
    for name in (BRIEF, ENDING):
        sys.modules.pop(name, None)
    sys.modules.update(kept)


def test_whoever_imports_it_collects_no_more() -> None:
    """Neither from then on nor at the end."""
    assert gc.isenabled()
    import_module(BRIEF)
    assert not gc.isenabled()
    assert ENDING in sys.modules
