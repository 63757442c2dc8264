"""A file and its name on the disk, so that a power cut finds them: the system keeps both in memory for half a minute.

It may take long where the disk does, and never end where it hangs: a thread of its own waits, and is left behind there.
"""

import asyncio
import os
from pathlib import Path

from kangbot.runtime.threads import Worker

_WITHIN_S = 5.0


async def synced(path: Path, within_s: float = _WITHIN_S) -> str:
    """Have the file at `path` on the disk, and its name in its folder; return why they are not, "" where they are."""
    try:
        thread = Worker("sync")
    except RuntimeError as error:  # no thread is to be had
        return str(error)
    try:
        async with asyncio.timeout(within_s):
            await thread.run(lambda: _sync(path))
    except TimeoutError:
        return f"no word of the disk in {within_s:g} s"
    except OSError as error:
        return error.strerror or str(error)
    finally:
        await thread.aclose(0)
    return ""


def _sync(path: Path) -> None:
    for place in (path, path.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
