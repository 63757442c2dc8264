"""Room on the disk: asked for in bytes, told in words."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from kangbot.storage.room import SPARE, changed, full, lacking


def test_what_just_fits_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not is told with its folder, what is there, and what it takes."""
    asked: list[Path] = []

    def disk(folder: Path) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(free=1_234_000_000, total=10**12)

    monkeypatch.setattr(shutil, "disk_usage", disk)
    assert lacking(tmp_path, 1_234_000_000) == ""
    said = lacking(tmp_path, 2_500_000_001)
    assert said == f"{tmp_path} has 1,234 MB free, and 2,500 MB are asked for"
    assert lacking(tmp_path, 1_234_000_001)
    assert set(asked) == {tmp_path}


def test_a_real_disk_is_asked(tmp_path: Path) -> None:
    """It has a byte, and no exabyte."""
    assert lacking(tmp_path, 1) == ""
    assert lacking(tmp_path, 10**21).startswith(f"{tmp_path} has ")


@pytest.mark.parametrize("size", [0, 4096, 100 << 20, 192 << 20, 193 << 20, 10 << 30])
def test_a_change_takes_a_third_more_than_its_file_and_leaves_as_much_free(size: int) -> None:
    """Of a large history no more than a copy leaves: the journal is on the same disk, and must go on."""
    log = size + size // 3
    assert changed(size) - log == min(log, SPARE)


@pytest.mark.parametrize(
    ("said", "is_full"),
    [
        ("Error writing file './ddl_recovery.log' (Errcode: 28 \"No space left on device\")", True),
        ('Can\'t create table `k`.`bars` (errno: 122 "Disk quota exceeded")', True),
        ('Can\'t create table `k`.`bars` (errno: 13 "Permission denied")', False),
    ],
)
def test_a_disk_is_full_by_the_words_of_the_system_below(said: str, *, is_full: bool) -> None:
    """A server has a dozen codes for it, each of which stands for other troubles as well."""
    assert full(said) is is_full
