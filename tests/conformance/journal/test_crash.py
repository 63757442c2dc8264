"""What resolved is there after `kill -9` and after a torn write; what is there is whole."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kangbot.journal.writer import FILE, JournalWriter
from kangbot.model.events import Noted
from kangbot.runtime.world import Clock, World

WORLD = World(clock=Clock(), seed=b"crash")

# Appends groups of 1 to 4 events for ever and prints the sequence of each group that resolved.
WRITER = """
import asyncio, sys
from pathlib import Path
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import Noted, Severity
from kangbot.runtime.world import Clock, World

async def resolved(ticket):
    sys.stdout.write(f"{await ticket}\\n")
    sys.stdout.flush()

async def main():
    journal = await JournalWriter.open(Path(sys.argv[1]), World(clock=Clock(), seed=b"crash"))
    group = 0
    while True:
        tickets = []
        for _ in range(5):
            group += 1
            size = group % 4 + 1
            tickets.append(journal.append(*(
                Noted(kind="test.group", severity=Severity.INFO, market=None, message=f"{group} {size}", at_ns=1)
                for _ in range(size)
            )))
        for ticket in tickets:
            await resolved(ticket)

asyncio.run(main())
"""


def crash(folder: Path, *, lines: int) -> int:
    """Run the writer until it has told of so many groups, kill it, and return the highest sequence it told of."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(lines)]
    os.kill(process.pid, signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    process.wait(120)
    process.stdout.close()
    return max(told)


async def groups(folder: Path) -> tuple[int, list[Noted]]:
    """Open the journal and return `last` and its events; every group must be whole."""
    async with await JournalWriter.open(folder, WORLD) as journal:
        events = [record.event for record in await journal.read(0, 1_000_000)]
        assert len(events) == journal.last
    notes = [event for event in events if isinstance(event, Noted)]
    assert len(notes) == len(events)
    place = 0
    while place < len(notes):
        group, size = notes[place].message.split()
        assert [note.message for note in notes[place : place + int(size)]] == [f"{group} {size}"] * int(size)
        place += int(size)
    return len(events), notes


@pytest.mark.process
async def test_what_resolved_survives_kill_dash_nine(tmp_path: Path) -> None:
    """Five lives of one journal, each ended at a moment of its own: nothing told is lost, no group is torn."""
    draw = random.Random(7)
    before = 0
    for _ in range(5):
        told = crash(tmp_path, lines=draw.randrange(1, 400))
        last, _ = await groups(tmp_path)
        assert last >= told > before
        before = last


@pytest.mark.process
async def test_torn_tail_costs_whole_groups_from_the_end_only(tmp_path: Path) -> None:
    """The log cut at any byte, or its tail overwritten: a shorter journal of whole groups, which goes on."""
    source = tmp_path / "source"
    crash(source, lines=30)
    # A live process may have folded the log into the file; what is left of the log is what can tear.
    log = source / f"{FILE}-wal"
    written = len(log.read_bytes().rstrip(b"\0"))  # behind that it is only laid out
    assert 4096 < written < log.stat().st_size
    whole, notes = await groups(Path(shutil.copytree(source, tmp_path / "whole")))
    draw = random.Random(11)
    shorter = 0
    for number in range(12):
        folder = Path(shutil.copytree(source, tmp_path / f"torn{number}"))
        torn = folder / f"{FILE}-wal"
        cut = draw.randrange(written // 2, written)
        if number % 2:
            os.truncate(torn, cut)
        else:
            with torn.open("r+b") as file:
                file.seek(cut)
                file.write(draw.randbytes(min(512, written - cut)))
        last, rest = await groups(folder)
        assert rest == notes[:last]
        shorter += last < whole
        async with await JournalWriter.open(folder, WORLD) as journal:
            assert await journal.append(notes[0]) == last + 1
    assert shorter > 0


@pytest.mark.process
async def test_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    """The kernel lets the lock go with its process: no stale lock, however it died."""
    crash(tmp_path, lines=1)
    await (await JournalWriter.open(tmp_path, WORLD)).aclose()
