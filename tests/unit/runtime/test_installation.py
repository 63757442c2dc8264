"""The files that a process was started from: the same, others, or gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kangbot.runtime import installation
from kangbot.runtime.installation import last_said, replaced, unstarted


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one file of a process that has begun with it."""
    made = tmp_path / "module.py"
    made.write_text("x = 1\n")
    monkeypatch.setattr(installation, "_began", installation._marks([str(made)]))
    return made


def test_who_has_remembered_nothing_finds_nothing_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types a command ends before anybody could."""
    monkeypatch.setattr(installation, "_began", {})
    assert not replaced()


def test_files_that_stand_as_they_stood_are_not_replaced(file: Path) -> None:
    """Also where they were put aside and back, as an installation that did not succeed does."""
    assert not replaced()
    file.rename(file.with_suffix(".aside"))
    assert replaced()
    file.with_suffix(".aside").rename(file)
    assert not replaced()


def test_a_file_of_another_version_is_seen_by_its_size_or_its_time(file: Path) -> None:
    """An installer writes it anew, whatever is in it."""
    before = file.stat()
    file.write_text("x = 12\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert replaced()
    file.write_text("x = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert replaced()


def test_a_daemon_remembers_what_is_its_own() -> None:
    """And nothing of the libraries: what they are is no matter where the answers are ours."""
    code = (
        "import kangbot.daemon, contextlib\n"
        "with contextlib.suppress(SystemExit): kangbot.daemon.main(['--help'])\n"
        "from kangbot.runtime.installation import _began as files\n"
        "import kangbot.settings.schema, kangbot.app\n"
        "assert kangbot.settings.schema.__file__ in files and kangbot.app.__file__ in files\n"
        "assert all('/kangbot/' in file for file in files), files\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (b"", ""),
        (b"Traceback (most recent call last):\n  ...\nImportError: no alembic\n", "ImportError: no alembic"),
        (
            b"ModuleNotFoundError: No module named 'encodings'\n\n<no Python frame>\n",
            "ModuleNotFoundError: No module named 'encodings'",
        ),
        (b"Killed\n \n", "Killed"),
    ],
)
def test_of_a_process_that_fell_the_line_that_names_its_error_is_kept(errors: bytes, said: str) -> None:
    """Not the line above it, and not what an interpreter without its library says after it."""
    assert last_said(errors) == said


def test_a_process_that_cannot_be_started_is_told_by_what_the_system_says(tmp_path: Path) -> None:
    """And by what it may be where the loop makes a number of it that means nothing."""
    with pytest.raises(FileNotFoundError) as missing:
        subprocess.run([tmp_path / "nothing"], check=False)
    assert "No such file or directory" in unstarted(missing.value)
    assert "open files" in unstarted(OSError(-1, "Unknown error -1"))
    assert "open files" in unstarted(OSError("no number"))
