"""What stands in the place of a configuration and is none: it is told, and neither waited for nor taken into memory."""

import os
from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid
from kangbot.settings.loading import load
from kangbot.settings.plain import LARGEST, read_plain
from kangbot.settings.versions import Versions, way_back


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    """Neither by a command nor by the way back that a start names; a running daemon looks by the same two."""
    pipe = tmp_path / "kangbot.toml"
    os.mkfifo(pipe)
    Versions(tmp_path / "state").keep(b"", "start", 0)
    with pytest.raises(ConfigInvalid, match=rf"^{pipe}: cannot be read: it is no plain file$"):
        load(pipe, {})
    assert "kangbot config restore 1" in way_back(pipe, {"KANGBOT_STATE_DIR": str(tmp_path / "state")}, 0)


def test_a_device_and_a_disk_image_are_no_configuration(tmp_path: Path) -> None:
    """Nor is a copy of them kept."""
    with pytest.raises(OSError, match="no plain file"):
        read_plain(Path("/dev/zero"))
    image = tmp_path / "kangbot.toml"
    image.touch()
    os.truncate(image, LARGEST + 1)
    with pytest.raises(ConfigInvalid, match=rf"^{image}: cannot be read: it is larger than 4,000,000 bytes$"):
        load(image, {})
    Versions(tmp_path / "state").keep(b"", "start", 0)
    assert "A copy" not in way_back(image, {"KANGBOT_STATE_DIR": str(tmp_path / "state")}, 0)
