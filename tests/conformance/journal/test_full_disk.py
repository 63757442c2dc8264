"""A disk that is really full: a tmpfs of 2 MB in a namespace of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Fills the disk with events and with a foreign file, then tries entries and exits; prints what it found.
STORY = """
import asyncio, os, sys
from pathlib import Path
from kangbot.errors import NeedsHuman
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import Noted, Severity
from kangbot.runtime.world import Clock, World

FOLDER = Path(sys.argv[1])
FOREIGN = FOLDER / "foreign"
WORLD = World(clock=Clock(), seed=b"full")

def note(text):
    return Noted(kind="test.full", severity=Severity.INFO, market=None, message=text, at_ns=1)

def fill():
    with FOREIGN.open("ab", buffering=0) as foreign:
        try:
            while True:
                foreign.write(bytes(4096))
        except OSError:
            pass

async def main():
    journal = await JournalWriter.open(FOLDER / "state", WORLD, reserve_bytes=512 << 10)
    await journal.append(note("before"))
    fill()
    refused = stored = 0
    for number in range(400):
        try:
            await journal.append(note("entry " + "x" * 3000))
        except NeedsHuman as error:
            reason = error.message
            refused += 1
    for number in range(20):
        await journal.append(note("exit"), reserve=True)
    full = journal.full
    await journal.aclose()
    fill()
    os.truncate(FOREIGN, FOREIGN.stat().st_size - (256 << 10))  # less than the reserve
    journal = await JournalWriter.open(FOLDER / "state", WORLD, reserve_bytes=512 << 10)  # a restart on the full disk
    exits = sum(record.event.message == "exit" for record in await journal.read(0, 10_000))
    still = journal.full
    await journal.append(note("exit"), reserve=True)
    FOREIGN.unlink()
    await journal.append(note("entry again"))
    print(refused > 0, full, exits, still, journal.full, reason)
    await journal.aclose()

asyncio.run(main())
"""


def in_namespace(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run the command where `folder` is a disk of 2 MB."""
    script = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(folder), *command]
    return subprocess.run(unshare, check=False, capture_output=True, text=True, timeout=300)


@pytest.mark.process
def test_full_disk_stops_entries_and_lets_exits_through(tmp_path: Path) -> None:
    """Entries are refused with the reason, exits use the reserve, also after a restart; with room all goes on."""
    if shutil.which("unshare") is None or in_namespace(tmp_path, "true").returncode:
        pytest.skip("this host allows no mount in a user namespace")
    done = in_namespace(tmp_path, sys.executable, "-c", STORY, str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()[-1]
    assert told.startswith("True True 20 True False the journal cannot be written: "), done.stdout
