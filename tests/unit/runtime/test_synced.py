"""A file and its name on the disk."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from kangbot.runtime.synced import synced


async def test_a_file_is_synced_and_then_the_folder_that_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the loop, and both handles are closed."""
    file = tmp_path / "kill"
    file.write_text("news")
    asked: list[tuple[Path, bool]] = []
    handles: list[int] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        asked.append((Path(f"/proc/self/fd/{handle}").readlink(), threading.current_thread().name == "sync"))
        handles.append(handle)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    assert await synced(file) == ""
    assert asked == [(file, True), (tmp_path, True)]
    for handle in handles:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(handle)


async def test_why_it_is_not_on_the_disk_is_told(tmp_path: Path) -> None:
    """There is no such file."""
    assert await synced(tmp_path / "gone") == "No such file or directory"


async def test_a_disk_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to is opened by nobody either, until somebody does."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert await synced(pipe, within_s=0.05) == "no word of the disk in 0.05 s"
    handle = os.open(pipe, os.O_RDWR)  # and the thread that was left behind ends
    async with asyncio.timeout(60):
        while any(thread.name == "sync" for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
    os.close(handle)


async def test_where_no_thread_is_to_be_had_that_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a limit of processes."""

    def none(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    assert await synced(tmp_path) == "can't start new thread"
