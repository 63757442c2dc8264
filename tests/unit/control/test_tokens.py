"""The two tokens: made once, for the owner alone, and refused where they are no secret."""

import errno
import os
import stat
from pathlib import Path

import pytest

from kangbot.control.access import Access
from kangbot.control.tokens import tokens_in
from kangbot.errors import NeedsHuman


def test_tokens_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    """32 random bytes each; the next start has the same."""
    control, read = tmp_path / "c", tmp_path / "r"
    made = tokens_in(control, read)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (control, read)} == {0o600}
    assert all(len(secret) == 43 for secret in made.secrets)
    assert tokens_in(control, read).secrets == made.secrets
    assert [made.access(token) for token in (*made.secrets, "", "x")] == [
        Access.CONTROL,
        Access.READ,
        Access.OPEN,
        Access.OPEN,
    ]
    assert made.secrets[0] not in repr(made)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("x" * 43, 0o644, "is open to others"),
        ("x" * 43, 0o620, "is open to others"),
        ("short", 0o600, "holds no token"),
        ("x" * 31, 0o600, "holds no token"),
        ("two words" * 9, 0o600, "holds no token"),
        ("x" * 42 + "é", 0o600, "holds no token"),
        ("x" * 42 + "\a" + "x", 0o600, "holds no token"),
        ("x" * 42 + "\udcff", 0o600, "cannot be used: it is no text"),
    ],
)
def test_a_token_file_that_is_no_secret_stops_the_start(tmp_path: Path, text: str, mode: int, words: str) -> None:
    """In words, with the remedy, and without the token."""
    path = tmp_path / "c"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    path.chmod(mode)
    with pytest.raises(NeedsHuman, match=words) as raised:
        tokens_in(path, tmp_path / "r")
    assert text not in str(raised.value)


def test_a_token_of_ones_own_may_have_32_characters(tmp_path: Path) -> None:
    """From another machine, or out of a vault; a group may read it, as that of systemd's credentials does."""
    path = tmp_path / "c"
    path.write_text("x" * 32)
    path.chmod(0o640)
    assert tokens_in(path, tmp_path / "r").access("x" * 32) is Access.CONTROL


def test_one_token_for_both_is_refused(tmp_path: Path) -> None:
    """Else whoever may look could command."""
    for name in ("c", "r"):
        (tmp_path / name).write_text("x" * 43)
        (tmp_path / name).chmod(0o600)
    with pytest.raises(NeedsHuman, match="hold the same token"):
        tokens_in(tmp_path / "c", tmp_path / "r")


def test_a_token_file_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    """Its folder is not there."""
    with pytest.raises(NeedsHuman, match="cannot be used: No such file"):
        tokens_in(tmp_path / "no" / "c", tmp_path / "r")


def test_a_full_disk_keeps_no_token_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file would refuse every start, also once there is room."""

    def full(handle: int) -> None:
        os.ftruncate(handle, 0)  # nothing of it was taken
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as without_room:
        without_room.setattr(os, "fsync", full)
        with pytest.raises(NeedsHuman, match="No space left"):
            tokens_in(tmp_path / "c", tmp_path / "r")
    assert len(tokens_in(tmp_path / "c", tmp_path / "r").secrets) == 2
