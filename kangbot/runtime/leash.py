"""End with whoever started us, however it ends.

A parent that is killed cannot stop its children, and a child that talks to nobody would run for ever. So the parent
holds the writing end of a pipe that is the child's standard input, and writes nothing: when the parent is gone, the
kernel closes its end, and the child reads the end of the file.
"""

import asyncio
import os
from collections.abc import Callable

_STANDARD_INPUT = 0


def on_leash(cut: Callable[[], None]) -> None:
    """Call `cut` once on the running loop when standard input, a pipe, ends. What is written to it is passed over."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(_STANDARD_INPUT, 4096):
            loop.remove_reader(_STANDARD_INPUT)
            cut()

    loop.add_reader(_STANDARD_INPUT, look)
