"""A user who owns nothing."""

import encodings.cp437  # noqa: F401 -- of names in a zip file: an interpreter in root's folder shows it to nobody later
import encodings.utf_8_sig  # noqa: F401 -- of configurations, likewise; what was not found once is never looked for again
import os
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user to whom modes mean something."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
