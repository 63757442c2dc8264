"""The look before a start: real folders, and databases that are there, are not, or come late."""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kangbot.cli.startup import startup
from kangbot.runtime.world import real_world
from kangbot.settings import Settings
from kangbot.settings.daemon import Database
from kangbot.settings.kinds import Secret

DAY_NS = 86_400 * 10**9


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with the embedded history, in a folder that is not there yet."""
    return Settings(state_dir=tmp_path / "state")


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a database that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        yield f"mysql://kangbot:pw@127.0.0.1:{taken.getsockname()[1]}/kangbot"


def looked(settings: Settings, *, at_ns: int | None = None, wait_s: float = 0.5) -> tuple[list[str], list[str]]:
    """Return what stands in the way, and what was said meanwhile."""
    said: list[str] = []
    now_ns = real_world().clock.now_ns() if at_ns is None else at_ns
    return [str(problem) for problem in startup(settings, now_ns=now_ns, say=said.append, wait_s=wait_s)], said


def test_a_machine_that_is_ready_has_nothing_in_the_way(settings: Settings) -> None:
    """And nothing is left in its state folder."""
    assert looked(settings) == ([], [])
    assert list(settings.state_dir.iterdir()) == []


def test_a_state_folder_that_cannot_be_made_is_told(settings: Settings, tmp_path: Path) -> None:
    """By its name, with what to do; a file in the way stops root as well."""
    (tmp_path / "state").write_text("a file")
    problems, _ = looked(settings)
    assert len(problems) == 1
    assert f"the state folder {settings.state_dir} cannot be written" in problems[0]
    assert "name a folder that this user may write" in problems[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_that_may_not_be_written_is_told(settings: Settings) -> None:
    """A volume that belongs to another user is the usual reason."""
    settings.state_dir.mkdir(mode=0o500)
    assert "cannot be written: Permission denied" in looked(settings)[0][0]


def test_a_clock_before_the_installation_is_told(settings: Settings) -> None:
    """A board without a battery wakes up in 1970."""
    problems, _ = looked(settings, at_ns=DAY_NS)
    assert len(problems) == 1
    assert "before the day kangbot was installed" in problems[0]


def test_a_database_that_stays_away_is_waited_for_and_then_told(settings: Settings, nobody: str) -> None:
    """The wait is bounded, said once, and its message shows no password."""
    away = replace(settings, database=Database(url=Secret(nobody)))
    began = time.monotonic()
    problems, said = looked(away, wait_s=1.2)
    assert 1.0 < time.monotonic() - began < 300.0
    assert len(problems) == 1
    assert "the database did not answer within 1 s" in problems[0]
    assert len(said) == 1
    assert said[0].startswith("waiting for mysql://kangbot@127.0.0.1")
    assert ":pw@" not in problems[0] + said[0]


def test_the_database_is_not_waited_for_where_the_start_fails_anyway(
    settings: Settings, nobody: str, tmp_path: Path
) -> None:
    """What is wrong is told at once."""
    (tmp_path / "state").write_text("a file")
    problems, said = looked(replace(settings, database=Database(url=Secret(nobody))), wait_s=60)
    assert len(problems) == 1
    assert said == []
