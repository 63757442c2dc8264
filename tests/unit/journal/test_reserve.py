"""The reserve is room that is really there."""

import os
from pathlib import Path

import pytest

from kangbot.journal.reserve import Reserve


def test_reserve_occupies_its_size_and_gives_it_back(tmp_path: Path) -> None:
    """Taken: that many bytes in real blocks. Released: the file is gone."""
    path = tmp_path / "reserve"
    reserve = Reserve(path, 1 << 20)
    assert reserve.take()
    assert reserve.take()
    assert path.stat().st_size == 1 << 20
    assert path.stat().st_blocks * 512 >= 1 << 20
    reserve.release()
    assert not path.exists()
    assert not reserve.held
    reserve.release()


def test_reserve_is_written_where_the_system_has_no_call_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS: its size to the byte, in real blocks; a folder that is gone is the same answer."""
    monkeypatch.delattr(os, "posix_fallocate")
    path = tmp_path / "reserve"
    size = (1 << 20) + 17
    assert Reserve(path, size).take()
    assert path.stat().st_size == size
    assert path.stat().st_blocks * 512 >= size
    assert path.read_bytes() == bytes(size)


def test_reserve_that_the_disk_cannot_hold_is_not_held(tmp_path: Path) -> None:
    """An exabyte fits nowhere; nothing is left of the attempts, of which each append is one while the disk is full."""
    reserve = Reserve(tmp_path / "reserve", 1 << 60)
    opened = len(list(Path("/dev/fd").iterdir()))
    assert not any(reserve.take() for _ in range(3))
    assert len(list(Path("/dev/fd").iterdir())) == opened
    assert not (tmp_path / "reserve").exists()


def test_reserve_in_a_folder_that_is_gone_is_not_held(tmp_path: Path) -> None:
    """No exception: a missing reserve is an answer."""
    assert not Reserve(tmp_path / "gone" / "reserve", 1).take()


def test_reserve_of_nothing_is_always_held(tmp_path: Path) -> None:
    """Size 0 switches it off."""
    assert Reserve(tmp_path / "reserve", 0).take()


def test_reserve_that_the_disk_will_not_give_back_is_no_fault(tmp_path: Path) -> None:
    """A disk that an error has made read-only removes nothing: no exception, and it is not held."""
    path = tmp_path / "reserve"
    reserve = Reserve(path, 1)
    assert reserve.take()
    path.unlink()
    path.mkdir()  # what no one may remove as a file
    reserve.release()
    assert not reserve.held
    assert not reserve.take()
    path.rmdir()
    assert reserve.take()
