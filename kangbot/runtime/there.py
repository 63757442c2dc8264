"""Whether something is at a path: yes, no, or an error where that cannot be told.

`pathlib` answers no where it may not look, or the disk does not answer: for some errors before Python 3.14, and for all
from then on. A kill switch, a journal or a restore that cannot be seen is not one that is not there.
"""

from typing import Protocol


class Place(Protocol):
    """What it needs of a `pathlib.Path`, which is one."""

    def stat(self) -> object:
        """Return something where it is there; an OSError where it is not, or cannot be seen."""


def there(path: Place) -> bool:
    """Whether `path` leads to something. OSError where a folder on the way may not be entered, or does not answer."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
