"""Whether something is at a path."""

from pathlib import Path

import pytest

from kangbot.runtime.there import there
from tests.support.nobody import as_nobody, open_folder


def test_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    """A file, a folder and a link that leads somewhere are; a link that leads nowhere, and what lies in a file, not."""
    file = tmp_path / "file"
    assert not there(file)
    file.touch()
    assert there(file)
    assert there(tmp_path)
    assert not there(file / "below")
    (tmp_path / "link").symlink_to("nowhere")
    assert not there(tmp_path / "link")
    (tmp_path / "nowhere").touch()
    assert there(tmp_path / "link")


def test_what_may_not_be_looked_for_is_not_taken_for_absent() -> None:
    """Whoever asks hears why it cannot be told."""
    with open_folder() as folder:
        shut = folder / "shut"
        shut.mkdir(mode=0)
        with as_nobody(), pytest.raises(PermissionError):
            there(shut / "file")


def test_a_path_that_leads_in_a_circle_is_not_taken_for_absent(tmp_path: Path) -> None:
    """Nor is any other error an answer."""
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(OSError, match="symbolic links"):
        there(tmp_path / "link")
