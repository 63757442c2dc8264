"""Whose a file is that stands in the way."""

import os
import subprocess
from pathlib import Path

import pytest

from kangbot.runtime.owner import barred
from tests.support.full_disk import mounted
from tests.support.unprivileged import interpreter

_PROGRAM = """
import sys
from pathlib import Path
from kangbot.runtime.owner import barred
found = barred(*map(Path, sys.argv[1:]))
print(found and f"{found.says} | {found.remedy}")
"""


def _seen(folder: Path, *files: Path) -> str:
    """Return what this user is told without root's way into every file."""
    command = [interpreter(folder), "-c", _PROGRAM, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.strip()


def test_nothing_is_said_of_files_that_can_be_used_or_are_not_there(tmp_path: Path) -> None:
    """A start makes those that are missing."""
    (tmp_path / "ours").touch()
    assert barred(tmp_path, tmp_path / "ours", tmp_path / "missing") is None
    assert _seen(tmp_path, tmp_path, tmp_path / "ours", tmp_path / "missing") == "None"


def test_permissions_that_bar_their_owner_are_given_back(tmp_path: Path) -> None:
    """A folder is named with what is in it, a file with its folder; a blank in its name needs quoting."""
    folder = tmp_path / "my state"
    folder.mkdir()
    (folder / "lock").touch(mode=0o400)
    assert _seen(tmp_path, folder, folder / "lock") == (
        f"the permissions of lock bar its owner | chmod -R u+rwX '{folder}'"
    )
    folder.chmod(0o500)
    assert _seen(tmp_path, folder) == f"the permissions of my state bar its owner | chmod -R u+rwX '{folder}'"
    folder.chmod(0o700)


@pytest.mark.parametrize(("user", "name"), [(65534, "nobody"), (4_000_123, "user 4000123")])
def test_another_users_file_is_named_with_its_owner(tmp_path: Path, user: int, name: str) -> None:
    """By name where the system knows one, as it does not for a user of a container."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a file another user's")
    file = tmp_path / "lock"
    file.touch(mode=0o600)
    os.chown(file, user, user)
    assert _seen(tmp_path, tmp_path, file) == (
        f"lock belongs to {name} | run this as {name}, or give the folder to this user: sudo chown -R 0 {tmp_path}"
    )


def test_a_disk_that_is_read_only_is_nobodys_fault(tmp_path: Path) -> None:
    """Another owner would have no more of it."""
    disk = tmp_path / "disk"
    with mounted(disk, megabytes=1):
        (disk / "lock").touch()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert not os.access(disk / "lock", os.W_OK)
        assert barred(disk, disk / "lock") is None
