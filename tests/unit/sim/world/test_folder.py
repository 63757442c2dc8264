"""The simulated state folder: files outlive processes, and a full disk takes none."""

import random
from pathlib import PurePosixPath

import pytest

from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.folder import SimPath
from kangbot.sim.world.process import Process


class Story:
    """A folder, a process that writes to it, and a person who does."""

    def __init__(self) -> None:
        self.faults = Faults(random.Random(1))
        self.process = Process(lambda _spot: None)
        files: dict[PurePosixPath, str] = {}
        self.ours = SimPath(PurePosixPath("/state"), files, self.faults, self.process) / "KILL"
        self.by_hand = SimPath(PurePosixPath("/state"), files, self.faults, None) / "KILL"


def test_a_file_is_replaced_in_one_step_and_read_by_others() -> None:
    """As the kill switch writes its file."""
    story = Story()
    fresh = story.ours.with_name("new")
    fresh.write_text("a reason\n")
    fresh.replace(story.ours)
    assert story.by_hand.read_text() == "a reason\n"
    with pytest.raises(FileNotFoundError):
        fresh.read_text()
    assert (story.ours.name, str(story.ours.parent)) == ("KILL", "/state")


def test_a_dead_process_changes_nothing() -> None:
    """What it still writes or removes does not arrive."""
    story = Story()
    story.by_hand.write_text("by hand")
    story.process.die()
    story.ours.write_text("late")
    story.ours.unlink()
    assert story.by_hand.read_text() == "by hand"


def test_a_full_disk_takes_no_file_and_lets_one_be_removed() -> None:
    """And the fault is counted where it struck."""
    story = Story()
    story.ours.write_text("before")
    story.faults.begin(Kind.DISK_FULL, 1.0)
    with pytest.raises(OSError, match="no space"):
        story.ours.write_text("after")
    assert story.faults.counts[Kind.DISK_FULL] == 1
    story.ours.unlink()
    story.ours.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        story.ours.unlink()
