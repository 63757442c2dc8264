"""The configuration's file in memory: what it says, and to whom."""

from dataclasses import replace
from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid, Problem
from kangbot.scenario.saved import Bench, NoVersions, SavedFile
from kangbot.settings import Settings
from kangbot.sim.world.loop import run

BEGUN = Settings()
OTHER = replace(BEGUN, state_dir=Path("/elsewhere"))
WRONG = ConfigInvalid((Problem(message="is not TOML"),))


def test_the_file_says_what_was_saved_last() -> None:
    """Each time by another mark."""
    file = SavedFile(BEGUN)
    first = file.read()
    file.save(OTHER)
    assert (first.settings, file.read().settings) == (BEGUN, OTHER)
    assert first.mark != file.read().mark == file.mark()


def test_a_mistake_is_what_everybody_reads_until_it_is_put_right() -> None:
    """What was meant is there then; a file without a mistake is left as it is."""
    file = SavedFile(BEGUN)
    file.save(OTHER, WRONG)
    with pytest.raises(ConfigInvalid):
        file.read()
    wrong = file.mark()
    file.mend()
    mended = file.mark()
    file.mend()
    assert file.read().settings == OTHER
    assert wrong != mended == file.mark()


def test_work_takes_its_time_and_no_version_is_kept() -> None:
    """As long as a process needs to read a file."""

    async def story() -> str:
        bench = Bench("config")
        said = await bench.run(lambda: "done")
        return said if await bench.aclose(1.0) else ""

    assert run(story()) == "done"
    versions = NoVersions(BEGUN.state_dir)
    assert versions.keep(b"", "edit", 1).cause == "edit"
    assert versions.set_aside(b"", "kangbot.toml", 1) is None
