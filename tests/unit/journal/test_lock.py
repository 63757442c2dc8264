"""One process a state folder."""

import errno
import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal.lock import FolderLock
from tests.support.unprivileged import interpreter


def test_second_holder_is_refused_with_the_first_ones_process_id(tmp_path: Path) -> None:
    """The message names who holds the folder."""
    lock = FolderLock(tmp_path / "state")
    with pytest.raises(NeedsHuman, match=rf"process {os.getpid()}\)"):
        FolderLock(tmp_path / "state")
    lock.release()


def test_released_folder_can_be_held_again(tmp_path: Path) -> None:
    """Nothing is left behind that would need cleaning up, nor any of the process id of one that was killed."""
    (tmp_path / "lock").write_text("4194303999999\n")
    FolderLock(tmp_path).release()
    FolderLock(tmp_path).release()
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_folder_that_cannot_be_made_calls_a_human(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NeedsHuman, match="cannot be used: Not a directory"):
        FolderLock(tmp_path / "file" / "state")


def test_a_lock_of_another_user_is_called_that_users(tmp_path: Path) -> None:
    """After one start with sudo: the message says whose the file is and how to have it back."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a file another user's")
    lock = tmp_path / "lock"
    lock.touch(mode=0o600)
    os.chown(lock, 65534, 65534)
    program = (
        "import sys; from pathlib import Path; from kangbot.errors import NeedsHuman; "
        "from kangbot.journal.lock import FolderLock\n"
        "try:\n    FolderLock(Path(sys.argv[1]))\n"
        "except NeedsHuman as error:\n    print(error.message, '|', error.remedy)\n"
    )
    done = subprocess.run(
        [interpreter(tmp_path), "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=300
    )
    assert "cannot be used: Permission denied, for lock belongs to nobody | run this as nobody, or" in done.stdout
    assert f"sudo chown -R 0 {tmp_path}" in done.stdout


def test_folder_that_cannot_be_locked_calls_a_human(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system over the network may have no locks, and two daemons would write one journal."""

    def none(*_: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(NeedsHuman, match=r"cannot be locked: No locks available") as told:
        FolderLock(tmp_path)
    assert "a disk of this machine" in str(told.value.remedy)


def test_a_folder_that_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    """What is in it (the journal, the control socket) is nobody else's business."""
    lock = FolderLock(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    lock.release()
