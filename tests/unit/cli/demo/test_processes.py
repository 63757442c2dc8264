"""The port of a demo's dashboard: another's is left alone, whoever that is, and its own daemon gets it."""

import asyncio
import socket
from pathlib import Path

import pytest

from kangbot.cli.demo.processes import Daemon, DemoFailedError, DemoInterruptedError, Sandbox, hold_port, wait_for


def place(held: socket.socket) -> int:
    """Return its port."""
    return int(held.getsockname()[1])


async def test_demos_of_one_moment_have_a_port_each() -> None:
    """Neither daemon listens yet; each gets the port that was held for it, also when it is started again."""
    with hold_port(0) as free:
        usual = place(free)
    with hold_port(usual) as first, hold_port(usual) as second:
        assert place(first) == usual != place(second)
        for held in (first, second, first):
            server = await asyncio.start_server(lambda *_: None, "127.0.0.1", place(held), reuse_address=True)
            server.close()
            await server.wait_closed()


def test_a_port_on_which_somebody_listens_is_left_to_them() -> None:
    """A daemon with its dashboard, or anything else; on every address as well."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.create_server((address, 0)) as taken, hold_port(place(taken)) as held:
            assert place(held) != place(taken)


@pytest.mark.process
def test_a_demo_takes_nothing_from_a_daemon_of_somebodys_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its database would be written to, its chat be answered, by what trades with no money; its folder is not asked."""
    (tmp_path / "handed").mkdir()
    (tmp_path / "handed" / "telegram_token").write_text("two\nlines")
    for name, value in (
        ("KANGBOT_DATABASE__URL", "nonsense"),
        ("kangbot_telegram__chats", "nonsense"),
        ("CREDENTIALS_DIRECTORY", str(tmp_path / "handed")),
    ):
        monkeypatch.setenv(name, value)
    config = tmp_path / "wrong.toml"
    config.write_text('mode = "lvie"\n')
    daemon = Daemon(config=config, state=tmp_path, environment={"KANGBOT_LOGS__LEVEL": "shuot"}, log=tmp_path / "log")
    try:
        with pytest.raises(DemoFailedError, match=r"Did you mean live\?"):
            wait_for(tmp_path / "control.sock", daemon)
    finally:
        daemon.stop()
    said = daemon.last_lines()
    assert "KANGBOT_LOGS__LEVEL" in said, "what the demo itself sets is heeded"
    assert not any(word in said.lower() for word in ("database", "telegram"))


@pytest.mark.process
def test_a_daemon_that_does_not_begin_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    """Or nobody waits any more: whoever typed Ctrl-C is not told of a failure."""
    config = tmp_path / "wrong.toml"
    config.write_text('mode = "lvie"\n')
    daemon = Daemon(config=config, state=tmp_path, environment={}, log=tmp_path / "daemon.log")
    try:
        with pytest.raises(DemoInterruptedError, match="before the daemon was ready"):
            wait_for(tmp_path / "control.sock", daemon, lambda: True)
        with pytest.raises(DemoFailedError, match=r"ended with status 78:\n(?s:.)*Did you mean live\?"):
            wait_for(tmp_path / "control.sock", daemon)
    finally:
        assert daemon.stop() == 78
    (tmp_path / "control.sock").touch()
    wait_for(tmp_path / "control.sock", daemon)


@pytest.mark.process
def test_an_exchange_that_does_not_begin_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    """As with an option that it has not."""
    with pytest.raises(DemoFailedError, match=r"did not start: (?s:.)*--no-such-option"):
        Sandbox(seed=1, log=tmp_path / "sandbox.log", options=("--no-such-option",))
