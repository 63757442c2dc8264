"""Killed while it writes and compacts, a journal remembers what it would have without."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kangbot.journal.replay import replay
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import OrderIntended, Record
from kangbot.runtime.world import Clock, World
from tests.support.folded import replayed
from tests.support.trade_words import START, TAG, intent

WORLD = World(clock=Clock(), seed=b"compaction")

# Appends intents for ever, and compacts all the while; prints the newest number that is on disk.
WRITER = """
import asyncio, sys
from pathlib import Path
import structlog
from kangbot.journal.compact import Compactor
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import OrderIntended
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import Clock, World
from tests.support.trade_words import START, intent

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is for numbers

async def main():
    world = World(clock=Clock(), seed=b"compaction")
    journal = await JournalWriter.open(Path(sys.argv[1]), world, reserve_bytes=0)
    small = Compactor(journal, world.clock, fresh=dict, beat_s=0, keep_s=0, least=1, step=7, pause_s=0)
    tasks = Tasks("writer", lambda name, error: sys.exit(f"{name}: {error!r}"))
    tasks.spawn("compact", small.run())
    while True:
        number = await journal.append(OrderIntended(intent=intent(journal.last + 1), at_ns=START))
        journal.mark_drained(number)
        print(number, journal.floor, flush=True)

asyncio.run(main())
"""


def crash(folder: Path, seconds: float) -> tuple[int, int]:
    """Run the writer so long after its first word, kill it, and return its last word."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    words = [process.stdout.readline()]
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    words += [line for line in process.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    process.wait(120)
    process.stdout.close()
    number, floor = words[-1].split()
    return int(number), int(floor)


@pytest.mark.process
async def test_killed_while_compacting_it_remembers_everything(tmp_path: Path) -> None:
    """Eight lives: what was told is there, as records or in the checkpoint, and numbers go on without a gap."""
    draw, floors = random.Random(5), [0]
    for _ in range(8):
        told, floor = crash(tmp_path, draw.uniform(0, 0.3))
        async with await JournalWriter.open(tmp_path, WORLD, reserve_bytes=0) as journal:
            assert journal.last >= told
            assert journal.last >= journal.floor >= floor >= floors[-1]
            floors.append(journal.floor)
            memory = await replay(journal)
            events = [OrderIntended(intent=intent(number), at_ns=START) for number in range(1, journal.last + 1)]
            records = [Record(journal=TAG, sequence=number, event=event) for number, event in enumerate(events, 1)]
            assert memory == replayed(records)
    assert floors[-1] > 0
