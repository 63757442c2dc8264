"""The machine: the state folder, its disk, memory, and whether the clock is possible at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import kangbot
from kangbot.cli.doctor.finding import Look, Mark
from kangbot.cli.offline import given_to_its_owner
from kangbot.cli.startup import impossible_clock, unwritable
from kangbot.errors import NeedsHuman, Problem
from kangbot.health.checks import FEW_FILES
from kangbot.health.memory import available_mb, limit
from kangbot.health.process import ProcessMeter
from kangbot.journal.file import ENDS
from kangbot.journal.glance import glance
from kangbot.journal.lock import FILE as LOCK
from kangbot.journal.writer import FILE as JOURNAL
from kangbot.machines.verdict import Status, worst
from kangbot.modes.past import Past
from kangbot.runtime.disk import room
from kangbot.runtime.owner import barred
from kangbot.settings import Settings

_ENOUGH_MB = 128  # nearly twice what 27 markets take: docs/benchmarks.md
_MARKS = {Status.HEALTHY: Mark.OK, Status.WARNING: Mark.WARNING, Status.CRITICAL: Mark.WRONG}


def machine(settings: Settings, *, now_ns: int) -> Iterator[Look]:
    """Look at what this machine gives. Makes no folder; a file is written and removed where there is one."""
    yield _folder(settings.state_dir)
    yield from _journal(settings)
    yield _disk(settings)
    yield _memory()
    yield _judged("clock", impossible_clock(now_ns, Path(kangbot.__file__)), "after the day kangbot was installed")


def _folder(folder: Path) -> Look:
    if _there(folder):
        written = _judged("folder", unwritable(folder), f"{folder} can be written")
        whose = barred(folder / LOCK, *(folder / f"{JOURNAL}{end}" for end in ENDS))
        if whose is None or written.mark is not Mark.OK:
            return written
        return Look(name="folder", mark=Mark.WRONG, says=f"{folder}: {whose.says}", remedy=whose.remedy)
    above = _existing(folder)
    if os.access(above, os.W_OK | os.X_OK):
        return Look(name="folder", mark=Mark.OK, says=f"{folder} will be made")
    return Look(
        name="folder",
        mark=Mark.WRONG,
        says=f"{folder} cannot be made: {above} is not this user's to write",
        remedy="name a state_dir that this user may write, or make it and give it to this user",
    )


def _journal(settings: Settings) -> Iterator[Look]:
    """Say whether a start could go on from what the last one wrote; nothing where there is none that we may see."""
    folder, past = settings.state_dir, Past(settings.venue)
    if not (_there(folder) and os.access(folder / JOURNAL, os.R_OK)):
        return
    try:
        with given_to_its_owner(folder):  # SQLite's side files, where no daemon runs
            last = glance(folder, {"past": past})
        past.check(settings)
    except NeedsHuman as error:
        yield Look(name="journal", mark=Mark.WRONG, says=error.message, remedy=error.remedy)
    else:
        if last is not None:
            yield Look(name="journal", mark=Mark.OK, says=f"can be read, up to record {last:,}")


def _existing(folder: Path) -> Path:
    return next(place for place in folder.absolute().parents if _there(place))


def _there(folder: Path) -> bool:
    """Whether it is there for this user: what is beyond a folder that they may not enter is not."""
    return os.path.exists(folder)  # noqa: PTH110 -- of a Path it raises, before Python 3.14


def _disk(settings: Settings) -> Look:
    folder = settings.state_dir if _there(settings.state_dir) else _existing(settings.state_dir)
    left = room(folder)
    free_mb = round(left.mb)
    status, files = settings.health.thresholds.disk_mb.judge_left(free_mb), FEW_FILES.judge_left(left.files)
    if files is not status and worst((status, files)) is files:
        return Look(
            name="disk",
            mark=_MARKS[files],
            says=f"{left.files:,} more files can be made on the disk of {settings.state_dir}, whatever room it has",
            figure=left.files,
            unit="files",
            remedy="remove files there, which `df -i` counts: where none can be made, no daemon starts",
        )
    mark = _MARKS[status]
    return Look(
        name="disk",
        mark=mark,
        says=f"{free_mb:,} MB free for {settings.state_dir}",
        figure=free_mb,
        unit="MB",
        remedy="" if mark is Mark.OK else "make room: an order whose intent finds none on the disk is not sent",
    )


def _memory() -> Look:
    try:
        ProcessMeter()
    except NeedsHuman as error:  # the daemon would not start either
        return Look(name="memory", mark=Mark.WRONG, says=error.message, remedy=error.remedy)
    most, free_mb = limit(), available_mb()
    left_mb = most.mb if free_mb is None else min(most.mb, free_mb)
    return Look(
        name="memory",
        mark=Mark.OK if left_mb >= _ENOUGH_MB else Mark.WARNING,
        says=f"{left_mb:,.0f} MB to be had, the limit of the {most.source} is {most.mb:,.0f} MB",
        figure=left_mb,
        unit="MB",
        remedy="" if left_mb >= _ENOUGH_MB else f"give it {_ENOUGH_MB} MB, or swap",
    )


def _judged(name: str, problems: Iterator[Problem], well: str) -> Look:
    found = next(problems, None)
    if found is None:
        return Look(name=name, mark=Mark.OK, says=well)
    return Look(name=name, mark=Mark.WRONG, says=found.message, remedy=found.remedy)
