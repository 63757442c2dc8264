"""The configuration's file as a daemon looks at it: when it has changed, and what it said whole."""

import errno
import os
from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid
from kangbot.settings import file as file_of
from kangbot.settings.file import ConfigFile
from kangbot.settings.loading import load
from kangbot.settings.schema import Settings

from .conftest import MARKET


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "kangbot.toml"
    path.write_text(MARKET)
    return path


def test_whatever_is_done_to_the_file_is_seen(path: Path) -> None:
    """Written to, replaced by one of the same words and time, opened to others, removed; nothing where nothing is."""
    file = ConfigFile(path, {})
    marks = [file.mark()]
    assert file.mark() == marks[0]
    path.write_text(MARKET + "size = 60\n")
    marks.append(file.mark())
    other, status = path.with_name("other"), path.stat()
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    marks.append(file.mark())
    path.chmod(0o640)
    marks.append(file.mark())
    path.unlink()
    marks.append(file.mark())
    assert marks[-1] == ()
    assert len(set(marks)) == len(marks)
    assert ConfigFile(Path("a\0b"), {}).mark() == ()


def test_what_is_read_is_of_one_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, words and mark belong together, also where the file is changed while it is read."""
    edits = [MARKET.replace("BTC", "ETH"), MARKET.replace("BTC", "SOL")]

    def slowly(where: Path, _: object) -> Settings:  # in this process: the child has a test of its own
        settings = load(where, {})
        if edits:
            path.write_text(edits.pop(0) + "# saved meanwhile\n" * len(edits))
        return settings

    monkeypatch.setattr(file_of, "load", slowly)
    saved = ConfigFile(path, {}).read()
    assert [market.symbol for market in saved.settings.markets] == ["SOL/USDT:USDT"]
    assert saved.text == path.read_bytes()
    assert saved.mark == ConfigFile(path, {}).mark()


def test_a_file_that_never_stands_still_is_told_after_three_tries(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is gone in between is one of them."""
    tries: list[int] = []

    def never(*_: object) -> Settings:
        tries.append(1)
        if len(tries) == 2:
            path.unlink()
        else:
            path.write_text(MARKET + "#" * len(tries))
        return Settings()

    monkeypatch.setattr(file_of, "load", never)
    with pytest.raises(ConfigInvalid, match="is being written all the time"):
        ConfigFile(path, {}).read()
    assert len(tries) == 3


def test_a_file_that_cannot_be_read_once_more_is_not_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words are kept beside the settings: without them nobody could go back."""

    def failing(_: Path) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(file_of, "read_plain", failing)
    with pytest.raises(ConfigInvalid, match="is being written all the time"):
        ConfigFile(path, {}).read()
