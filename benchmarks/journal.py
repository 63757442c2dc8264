"""The journal: how long until an event is on disk, and how many a second, against one commit an event.

Both sides write the same events to an SQLite file (WAL, `synchronous=FULL`) through one thread, in the same run and on
the same disk: the journal groups what was queued during the last commit, the other side commits each event by itself.
`python -m benchmarks.journal [seconds]`
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from kangbot.journal import codec
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import Event, Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.threads import Worker
from kangbot.runtime.world import real_world

MARKETS = 27
Append = Callable[[Event], Awaitable[object]]


def event(number: int) -> Event:
    """Return an event of ordinary size."""
    market = MarketId("bybit:BTC-USDT:USDT")
    return Noted(kind="bench.noted", severity=Severity.INFO, market=market, message=f"number {number}", at_ns=number)


async def measure(append: Append, writers: int, seconds: float) -> dict[str, float]:
    """Let `writers` tasks append and await for so long; return latencies in milliseconds and events a second."""
    taken: list[int] = []
    end = time.perf_counter() + seconds

    async def write() -> None:
        while time.perf_counter() < end:
            started = time.perf_counter_ns()
            await append(event(len(taken)))
            taken.append(time.perf_counter_ns() - started)

    await asyncio.gather(*(write() for _ in range(writers)))
    taken.sort()
    return {
        "p50_ms": round(taken[len(taken) // 2] / 1e6, 3),
        "p99_ms": round(taken[len(taken) * 99 // 100] / 1e6, 3),
        "events_per_second": round(len(taken) / seconds),
    }


async def flood(append: Append, events: int) -> int:
    """Append so many at once and await them all; return events a second."""
    started = time.perf_counter()
    tickets = [append(event(number)) for number in range(events)]
    for ticket in tickets:
        await ticket
    return round(events / (time.perf_counter() - started))


class OneByOne:
    """A commit an event, on a thread: what a journal without groups does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = Worker("one-by-one")

    async def start(self) -> None:
        """Open the file."""
        await self._thread.run(self._open)

    def _open(self) -> None:
        self._db = sqlite3.connect(self._path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE records (sequence INTEGER PRIMARY KEY, event TEXT NOT NULL)")

    async def append(self, one: Event) -> None:
        """Commit one event."""
        text = codec.encode(one)
        await self._thread.run(lambda: self._db.execute("INSERT INTO records (event) VALUES (?)", (text,)))

    async def aclose(self) -> None:
        """Close the file."""
        await self._thread.run(self._db.close)
        await self._thread.aclose(10)


async def _both(folder: Path, seconds: float) -> dict[str, object]:
    part = seconds / 5
    async with await JournalWriter.open(folder / "journal", real_world()) as journal:
        grouped = {
            "one_writer": await measure(journal.append, 1, part),
            f"{MARKETS}_writers": await measure(journal.append, MARKETS, part),
            "burst_events_per_second": await flood(journal.append, 20_000),
        }
    alone = OneByOne(folder / "alone.sqlite")
    await alone.start()
    single = {
        "one_writer": await measure(alone.append, 1, part),
        f"{MARKETS}_writers": await measure(alone.append, MARKETS, part),
    }
    await alone.aclose()
    return {"group_commit": grouped, "one_commit_an_event": single}


def run(seconds: float) -> dict[str, object]:
    """Measure for about so many seconds, on the disk that holds the working folder."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-journal-") as folder:
        return uvloop.run(_both(Path(folder), seconds))


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0), indent=2))
