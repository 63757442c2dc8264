"""`kangbot kill` without a daemon, also on a disk without room."""

import errno
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.kill import kill
from kangbot.machines.killswitch import FILE, NO_REASON, read
from tests.support.typed import kangbot


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes names, and no content."""

    def fsync(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


def typed(folder: Path, reason: str = "", *, flatten: bool = False) -> int:
    """Type the command where nobody answers."""
    return kill(folder / "kangbot.toml", socket=folder / "control.sock", reason=reason, flatten=flatten)


def test_a_daemon_with_a_fault_of_its_own_gets_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It answers, and may have set nothing."""
    said = b'HTTP/1.1 500 Oops\r\n\r\n{"error": "a fault in the daemon, see its log"}'

    def answers(door: socket.socket) -> None:
        with door.accept()[0] as asked:
            while not asked.recv(65536).endswith(b"}"):  # head and body may come apart
                pass
            asked.sendall(said)

    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "control.sock"))
        door.listen()
        daemon = threading.Thread(target=answers, args=(door,))
        daemon.start()
        assert typed(tmp_path, "news", flatten=True) == exit_codes.OK
        daemon.join()
    assert (tmp_path / FILE).read_text() == "news\nflatten\n"
    assert capsys.readouterr().out.startswith("a fault in the daemon, see its log; the file ")


def test_the_file_is_left_where_the_daemon_of_that_socket_looks_for_it(tmp_path: Path) -> None:
    """A socket may be elsewhere: a file beside it is seen by nobody, and strategies would enter on."""
    config, door = tmp_path / "kangbot.toml", tmp_path / "run" / "it.sock"
    door.parent.mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to(door.parent)
    text = f'[control]\nsocket = "{door}"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'
    for said, named in ((text, door), (text + "size = much\n", door), (text, tmp_path / "link" / "it.sock")):
        config.write_text(said)
        assert kill(config, socket=named, reason="fire", flatten=False) == exit_codes.OK
        assert (tmp_path / "state" / FILE).read_text() == "fire\n"
        (tmp_path / "state" / FILE).unlink()
    assert list(door.parent.iterdir()) == []


def test_a_full_disk_still_takes_the_switch(tmp_path: Path, full: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The file's being there is enough, so it does not say that nothing was stopped."""
    assert typed(tmp_path, "news") == exit_codes.OK
    assert read((tmp_path / FILE).read_text()).reason == NO_REASON
    said = capsys.readouterr()
    assert said.err == (
        f"{tmp_path / FILE} is there, which stops every entry; its words were not taken: No space left on device\n"
    )
    assert "and one that is started finds it before it trades" in said.out


def test_a_full_disk_takes_nothing_from_a_switch_that_is_set(tmp_path: Path, full: None) -> None:
    """Its reason, and that positions are to be closed, stand as they were."""
    (tmp_path / FILE).write_text("news\nflatten\n")
    assert typed(tmp_path, "later") == typed(tmp_path, flatten=True) == exit_codes.OK
    assert (tmp_path / FILE).read_text() == "news\nflatten\n"
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_positions_that_a_full_disk_keeps_open_are_said_to_be(
    tmp_path: Path, full: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The word that closes them did not fit: that is a failure, and no entry leaves all the same."""
    assert typed(tmp_path, flatten=True) == exit_codes.FAILURE
    assert "Positions are not closed, they keep their stops" in capsys.readouterr().err
    assert (tmp_path / FILE).exists()


def test_whatever_stands_in_its_place_stops_entries_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of that name: no daemon enters while it is there, so it is not said that nothing was stopped."""
    (tmp_path / FILE).mkdir()
    assert typed(tmp_path, "news") == exit_codes.OK
    assert capsys.readouterr().err == (
        f"{tmp_path / FILE} is there, which stops every entry; its words were not taken: Is a directory\n"
    )
    assert typed(tmp_path, flatten=True) == exit_codes.FAILURE
    assert "Positions are not closed, they keep their stops: put that right" in capsys.readouterr().err


def test_a_daemon_of_another_user_can_read_it(tmp_path: Path) -> None:
    """Typed by root with a mask that hides everything: the wish to flatten would be lost on the daemon."""
    before = os.umask(0o077)
    try:
        assert typed(tmp_path, flatten=True) == exit_codes.OK
    finally:
        os.umask(before)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o644


def test_the_kill_switch_without_a_daemon_is_a_file(tmp_path: Path) -> None:
    """It holds the next start; releasing needs the daemon, and a folder that is not there is said."""
    socket = ["--socket", str(tmp_path / "control.sock")]
    done = kangbot("kill", "--reason", "news", *socket)
    assert done.returncode == exit_codes.OK
    assert (tmp_path / "KILL").read_text() == "news\n"
    assert kangbot("kill", "--flatten", *socket).returncode == exit_codes.OK
    assert (tmp_path / "KILL").read_text() == "news\nflatten\n"
    said = json.loads(kangbot("kill", "--reason", "later", "--json", *socket).stdout)
    assert said == {"killed": "news", "flatten": True, "file": str(tmp_path / "KILL")}
    done = kangbot("release", *socket)
    assert done.returncode == exit_codes.NO_DAEMON
    assert (tmp_path / "KILL").exists()
    done = kangbot("kill", "--socket", str(tmp_path / "nowhere" / "control.sock"))
    assert done.returncode == exit_codes.NO_DAEMON
    assert "cannot be written" in done.stderr
