"""The files that this process was started from, which somebody may replace or remove while it runs for months.

All that trades is in memory by then. But the processes that a daemon starts, for an edit of its configuration, for a
message and for the tables of its history, begin with whatever files are there: those of another version, half of them,
or none. What another version reads out of a configuration is not what this one would: a limit that it calls otherwise
would be gone without a word. So whoever starts such a process asks here.
"""

import os
import sys
from collections.abc import Iterable, Mapping

from kangbot import __name__ as ours

RESTART = "restart it once they are whole"
REPLACED = f"kangbot's files were replaced or removed since it was started; {RESTART}"

_Marks = Mapping[str, tuple[int, int] | None]
_began: _Marks = {}


def remember() -> None:
    """Take the files of what is imported by now for those that this process runs. Called once, at its start."""
    global _began  # noqa: PLW0603 -- a process is started once
    files = (getattr(module, "__file__", None) for name, module in sys.modules.items() if name.split(".")[0] == ours)
    _began = _marks(file for file in files if file)


def replaced() -> bool:
    """Whether one of them is another by now, or gone; False where nobody remembered any. One `stat` for each."""
    return _marks(_began) != _began


def unstarted(error: OSError) -> str:
    """Return why no process could be started for something; uvloop may say a number that means nothing."""
    named = error.errno is not None and error.errno > 0
    why = str(error) if named else "a limit of processes, of open files or of memory may be reached"
    return f"no process could be started for it: {why}"


def last_said(errors: bytes) -> str:
    """Return why a process fell, of what it wrote to its standard error: the last line that names an error."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "Error" in line), lines[-1] if lines else "")


def _marks(files: Iterable[str]) -> _Marks:
    return {file: _mark(file) for file in files}


def _mark(file: str) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 -- some hundreds of them, and a third of the cost of pathlib's
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns)
