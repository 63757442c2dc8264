"""A process that ends without looking for garbage."""

import subprocess
import sys

import pytest

# What only a collection frees, left for the end.
LEFT = """
import gc
import {module}
class Node:
    def __init__(self): self.me = self
    def __del__(self): print("taken apart")
print(gc.isenabled())
Node()
"""


def said(module: str) -> list[str]:
    """Run it in a fresh interpreter and return the lines it prints, to its very end."""
    command = [sys.executable, "-c", LEFT.format(module=module)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("module", "collects"),
    [
        ("kangbot.__main__", True),
        ("kangbot.daemon", True),
        ("kangbot.sandbox.__main__", True),
        ("kangbot.settings.__main__", False),
        ("kangbot.notify.child", False),
    ],
)
def test_no_garbage_is_looked_for_at_the_end(module: str, collects: bool) -> None:
    """Who answers once looks for none before either; who stays does."""
    assert said(module) == [str(collects)]


def test_garbage_is_looked_for_without_it() -> None:
    """That is what it saves: the interpreter looks at everything there is."""
    assert said("kangbot") == ["True", "taken apart"]


def test_what_is_open_is_closed_all_the_same() -> None:
    """A file that nobody has closed is on the disk, and whoever asked to be called at the end is."""
    code = (
        "import kangbot.runtime.brief, atexit, os, tempfile\n"
        "atexit.register(lambda: print('called'))\n"
        "kept = tempfile.NamedTemporaryFile('w', delete=False)\n"
        "kept.write('whole'); print(kept.name, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    name, called = done.stdout.splitlines()
    assert called == "called"
    with open(name) as file:  # noqa: PTH123 -- as it was written
        assert file.read() == "whole"
