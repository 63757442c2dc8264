"""A file that is wrong: its copy, once for each content, and the way back from it."""

import os
import stat
from pathlib import Path

import pytest

from kangbot.daemon import main
from kangbot.settings.versions import KEPT, Versions, state_of, way_back, write_whole

GOOD = b'state_dir = "memory"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'
BROKEN = GOOD + b"size = \n"


def copies(state: Path) -> list[bytes]:
    """Return what was set aside, oldest first."""
    return [path.read_bytes() for path in sorted((state / "config").glob("*.corrupted.*"))]


def test_a_copy_is_kept_once_for_each_content_and_the_newest_stay(tmp_path: Path) -> None:
    """For this user alone, since a secret may be what is wrong with it; it counts as no version."""
    kept = Versions(tmp_path)
    assert kept.set_aside(BROKEN, "kangbot.toml", 0) is None, "without a version there is nothing to go back to"
    version = kept.keep(GOOD, "start", 0)
    first = kept.set_aside(BROKEN, "kangbot.toml", 1_000)
    assert first is not None
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert kept.set_aside(BROKEN, "kangbot.toml", 2_000) == first
    for number in range(KEPT):
        kept.set_aside(b"# %d" % number, "kangbot.toml", (3 + number) * 1_000)
    assert copies(tmp_path) == [b"# %d" % number for number in range(KEPT)]
    assert kept.all() == [version]


@pytest.mark.parametrize(
    ("text", "environ", "state"),
    [
        (BROKEN, {}, "memory"),
        (b"\xff\n  state_dir = 'a b' # here\n\"", {}, "a b"),
        (b"\xef\xbb\xbfstate_dir = 'memory'\r\n= =\r\n", {}, "memory"),  # as an editor of Windows saves it
        (b"= =", {}, "state"),
        (b"= =", {"STATE_DIRECTORY": "/var/lib/kangbot:/x"}, "/var/lib/kangbot"),
        (BROKEN, {"KANGBOT_STATE_DIR": "/elsewhere"}, "/elsewhere"),
    ],
)
def test_the_state_folder_is_found_in_a_file_that_is_broken(
    tmp_path: Path, text: bytes, environ: dict[str, str], state: str
) -> None:
    """As it would be where the file were right."""
    config = tmp_path / "kangbot.toml"
    config.write_bytes(text)
    assert state_of(config, environ) == tmp_path / state


def test_a_start_on_a_broken_file_leaves_it_and_says_how_to_go_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real start: place and key, a copy, the command; the file of the person is as it was, and once is enough."""
    config, state = tmp_path / "kangbot.toml", tmp_path / "memory"
    config.write_bytes(BROKEN)
    assert main(["--config", str(config)]) == 78
    assert "config restore" not in capsys.readouterr().err, "no version was ever accepted"
    Versions(state).keep(GOOD, "start", 0)
    for _ in range(2):
        assert main(["--config", str(config)]) == 78
        said = capsys.readouterr().err
        assert f"{config}:4" in said
        assert f"kangbot config restore 1 --config {config} --state {state}" in said
        assert "kangbot.toml.corrupted." in said
    assert config.read_bytes() == BROKEN
    assert copies(state) == [BROKEN]


def test_a_file_that_is_gone_has_a_way_back_too(tmp_path: Path) -> None:
    """There is nothing to copy."""
    Versions(tmp_path / "state").keep(GOOD, "start", 0)
    said = way_back(tmp_path / "kangbot.toml", {}, 1)
    assert "kangbot config restore 1" in said
    assert "copy" not in said


def test_a_file_that_stays_its_owners_is_given_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit forbids the system call that would, and ended the daemon for it, while it wrote its last report."""
    called: list[object] = []
    monkeypatch.setattr(os, "chown", lambda *said: called.append(said))
    path = tmp_path / "last_run.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777, called) == (b"new", 0o640, [])
