"""The blocks of SQLite's write-ahead log, written out before they are needed. Blocking: used on the journal's thread.

A commit that makes its file longer waits for the file system's own journal as well, which has to note the new length
and the new blocks: such a commit takes about twice as long, and now and then twenty times. A log that has been filled
once is written over from its beginning, so only the first few megabytes of each process would be slow; they are filled
with zeros instead when the journal is opened. SQLite stops reading a log at the first frame whose salt is not the
header's, so what follows the last frame means nothing, as after any log that was written over.
Source: SQLite, "Database File Format", 4.3 and 4.4.
"""

import contextlib
import os
from pathlib import Path

_BLOCK = bytes(1 << 16)
_SPARE = 8  # of what is free on the disk not more than this part is taken


def write_out(path: Path, size: int) -> None:
    """Make the log that stands at `path` at least `size` bytes long, with zeros that are on the disk.

    Left as it is where it does not exist, where the disk has little room, or does not take it: it only is slower then.
    """
    with contextlib.suppress(OSError), path.open("r+b", buffering=0) as log:
        before = log.seek(0, os.SEEK_END)
        disk = os.fstatvfs(log.fileno())
        if size - before > disk.f_bavail * disk.f_frsize // _SPARE:
            return
        try:
            for at in range(before, size, len(_BLOCK)):
                log.write(_BLOCK[: size - at])
            os.fsync(log.fileno())
        except OSError:
            log.truncate(before)
            raise
