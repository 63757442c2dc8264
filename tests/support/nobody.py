"""A user who owns nothing."""

import encodings.cp437  # noqa: F401 -- of names in a zip file: an interpreter in root's folder shows it to nobody later
import encodings.utf_8_sig  # noqa: F401 -- of configurations, likewise; what was not found once is never looked for again
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user to whom modes mean something, to `os.access` as well, which asks for the real user."""
    us = os.getresuid()
    if not us[1]:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(*us)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that nobody may enter and read: pytest's own, and a checkout in root's home, are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder
