"""How much a disk still takes: bytes and files."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from kangbot.runtime.disk import room, takes_no_file
from tests.support.full_disk import mounted


def test_what_is_left_is_told(tmp_path: Path) -> None:
    """In MiB; of a disk that is not there nothing can be told."""
    assert room(tmp_path).mb == pytest.approx(shutil.disk_usage(tmp_path).free / 2**20, abs=512)
    with pytest.raises(FileNotFoundError):
        room(tmp_path / "nowhere")


def test_files_that_can_still_be_made_are_counted(tmp_path: Path) -> None:
    """There are megabytes left, and no file can be made."""
    with mounted(tmp_path / "small", megabytes=4, files=10) as small:
        before = room(small).files
        (small / "one").touch()
        assert before
        assert room(small).files == before - 1
        for number in range(before - 1):
            (small / str(number)).touch()
        assert room(small).files == 0
        assert room(small).mb > 3
        with pytest.raises(OSError, match="No space left"):
            (small / "more").touch()


def test_a_file_system_that_does_not_count_files_has_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As btrfs, which makes them as they are needed, and says that there are none."""
    real = os.statvfs(tmp_path)

    class Uncounted:
        f_bavail, f_frsize, f_files, f_favail = real.f_bavail, real.f_frsize, 0, 0

    monkeypatch.setattr(os, "statvfs", lambda _: Uncounted)
    assert room(tmp_path).files is None


def test_an_error_that_tells_of_no_room_may_be_for_want_of_files(tmp_path: Path) -> None:
    """Another tells of neither; and a disk of which nothing can be told has files, for all we know."""
    full, denied = OSError(errno.ENOSPC, "No space left on device"), PermissionError(errno.EACCES, "Permission denied")
    assert not takes_no_file(tmp_path, full)
    assert not takes_no_file(tmp_path / "nowhere", full)
    with mounted(tmp_path / "small", megabytes=4, files=2) as small:
        (small / "one").touch()
        assert takes_no_file(small)
        assert takes_no_file(small, full)
        assert not takes_no_file(small, denied)
