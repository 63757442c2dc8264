"""Where the daemon of a configuration is looked for, also while the file is wrong."""

from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.kill import kill
from kangbot.cli.whereabouts import whereabouts
from kangbot.errors import ConfigInvalid
from kangbot.machines.killswitch import FILE

RIGHT = 'mode = "sandbox"\nstate_dir = "mine"\n[defaults]\nstrategy = "ema_cross"\ntimeframe = "1m"\nsize = 100\n'
MARKET = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that is right."""
    file = tmp_path / "kangbot.toml"
    file.write_text(RIGHT + MARKET)
    return file


def spoil(config: Path) -> None:
    """Make a typing mistake."""
    config.write_text(config.read_text().replace("size = 100", "size = much"))


def test_a_file_that_is_right_says_it(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is said."""
    assert whereabouts(config) == (config.parent / "mine" / "control.sock", config.parent / "mine")
    assert capsys.readouterr() == ("", "")


def test_a_mistake_in_the_file_hides_no_daemon(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder is the one that the file names all the same; the mistake is said in one line."""
    state = config.parent / "mine"
    state.mkdir()
    spoil(config)
    assert whereabouts(config) == (state / "control.sock", state)
    out, said = capsys.readouterr()
    assert out == ""
    assert said.splitlines()[0].startswith(f"{config}:6: ")
    assert (
        said.splitlines()[1] == f"No daemon can start with it; one that runs is looked for by the state folder {state}"
    )


def test_where_a_socket_is_nothing_else_of_the_file_is_read(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would take a process of its own; that the file is wrong, the daemon's status says."""
    socket = config.parent / "mine" / "control.sock"
    socket.parent.mkdir()
    socket.touch()
    config.write_text(config.read_text().replace("size = 100", "size = 'much'"))
    monkeypatch.setattr("sys.executable", "/nowhere")
    assert whereabouts(config) == (socket, socket.parent)
    assert capsys.readouterr() == ("", "")


def test_a_socket_of_the_environment_is_heeded(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the file is right."""
    (config.parent / "mine").mkdir()
    spoil(config)
    monkeypatch.setenv("KANGBOT_CONTROL__SOCKET", "/run/it.sock")
    assert whereabouts(config).socket == Path("/run/it.sock")


@pytest.mark.parametrize("said", ["[control]\nsocket = 'run/it.sock'\n", 'control.socket = "run/it.sock"\n'])
def test_a_socket_of_the_file_is_heeded(config: Path, said: str) -> None:
    """Whatever the mistake is: a daemon that runs on it would be told to be none."""
    (config.parent / "mine").mkdir()
    config.write_text(RIGHT.replace("[defaults]", f"{said}[defaults]").replace("size = 100", "size = much") + MARKET)
    assert whereabouts(config).socket == config.parent / "run" / "it.sock"


def test_a_socket_of_the_environment_is_taken_from_the_folder_of_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every path is, where the file is right."""
    (config.parent / "mine").mkdir()
    monkeypatch.setenv("KANGBOT_CONTROL__SOCKET", "it.sock")
    right = whereabouts(config)
    spoil(config)
    assert whereabouts(config) == right


def test_where_no_daemon_can_be_the_mistakes_are_the_answer(config: Path) -> None:
    """Without the folder that it names nothing has ever run on it."""
    spoil(config)
    with pytest.raises(ConfigInvalid):
        whereabouts(config)


def test_the_kill_switch_is_set_beside_a_file_that_is_wrong(config: Path) -> None:
    """In an emergency nobody mends a typo first: where no daemon answers its file is left for the next start."""
    state = config.parent / "mine"
    state.mkdir()
    spoil(config)
    assert kill(config, socket=None, reason="fire", flatten=False) == exit_codes.OK
    assert "fire" in (state / FILE).read_text()
