"""A daemon is found by two keys, exactly as a load of the whole file finds it, or a load is asked."""

import os
from pathlib import Path

import pytest

from kangbot.settings.anchors import PATHS, Whereabouts, anchored, whereabouts
from kangbot.settings.loading import load
from kangbot.settings.sources import nested, value_at

from .conftest import MARKET


def found(folder: Path, text: str, environ: dict[str, str]) -> Whereabouts | None:
    """Return where the daemon of such a file is."""
    config = folder / "kangbot.toml"
    config.write_text(text)
    return whereabouts(config, environ)


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("", {}),
        ('state_dir = "memory"\n', {}),
        ('state_dir = "../a b/./memory"\n', {}),
        ('state_dir = "/var/lib/kangbot"\n', {"STATE_DIRECTORY": "/elsewhere"}),
        ("", {"STATE_DIRECTORY": "/var/lib/kangbot:/x"}),
        ('state_dir = "memory"\n', {"KANGBOT_STATE_DIR": "other"}),
        ('control.socket = "run/it.sock"\n', {}),
        ('control = { socket = "/run/it.sock", port = 0 }\n', {"KANGBOT_CONTROL__PORT": "8788"}),
        ('control.socket = "run/it.sock"\n', {"KANGBOT_CONTROL__SOCKET": "/run/other.sock"}),
        ("", {"KANGBOT_CONTROL__SOCKET": "other.sock", "KANGBOT_STATE_DIR": "/memory"}),
    ],
)
def test_where_it_is_said_plainly_it_is_where_a_load_finds_it(
    tmp_path: Path, text: str, environ: dict[str, str]
) -> None:
    """By the file, by the environment and by systemd, with every path taken from the file's folder."""
    place = found(tmp_path, text + MARKET, environ)
    settings = load(tmp_path / "kangbot.toml", environ)
    assert place == Whereabouts(settings.control_socket, settings.state_dir)


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("= =\n", {}),
        ("state_dir = 5\n", {}),
        ('state_dir = ""\n', {}),
        ('state_dir = "~/memory"\n', {}),
        ('state_dir = "memory "\n', {}),
        ("control.socket = ['it.sock']\n", {}),
        ('control.socket = ""\n', {}),
        ("", {"KANGBOT_CONTROL": '{"socket": "/run/it.sock"}'}),
        ("", {"kangbot_state_dir": "/memory"}),
        ("", {"KANGBOT_STATE_DIR": ""}),
    ],
)
def test_what_is_not_said_plainly_is_left_to_a_load(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    """A wrong guess would tell somebody that no daemon runs."""
    assert found(tmp_path, text + MARKET, environ) is None


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    """A load has the words for it."""
    assert whereabouts(tmp_path / "kangbot.toml", {}) is None


def test_a_mistake_elsewhere_hides_no_daemon(tmp_path: Path) -> None:
    """The rest of the file is not looked at."""
    place = found(tmp_path, 'state_dir = "memory"\nsizes = "many"\n', {})
    assert place == Whereabouts(tmp_path / "memory" / "control.sock", tmp_path / "memory")


def test_every_path_is_taken_from_the_files_folder(tmp_path: Path) -> None:
    """But what is whole already, what begins at somebody's home, and what is empty: that is a mistake."""
    for key in PATHS:
        for said, meant in {"a/../b": str(tmp_path / "b"), "/b": "/b", "~/b": "~/b", " ": " "}.items():
            assert value_at(anchored(nested(key, said), tmp_path, {}), key) == meant
    assert anchored({}, tmp_path, {}) == {"state_dir": os.fspath(tmp_path / "state")}
