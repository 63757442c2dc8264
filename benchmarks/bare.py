"""The least that can be done between a frame and an order that is on disk, as the floor under `benchmarks/latency.py`.

A process of its own reads the frames that the daemon reads, of the same markets from the same exchange: `websockets`,
uvloop, typed decoding. About as often as the daemon orders, a frame has a record committed by a thread (SQLite, WAL,
`synchronous=FULL`), and once that is on disk the order could leave. There are no bars, no strategy, no plan, no risk,
no order machine, no watch over silence. What is left is the machine: its wake-ups, its cold caches, its disk.

    python -m benchmarks.bare WS_URL FOLDER SECONDS MARKET...     # one JSON object: orders, p50 and p99 in ms
"""

import asyncio
import json
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

import msgspec
import uvloop
from websockets.asyncio.client import connect

_TOPICS_A_MESSAGE = 10  # as Bybit allows for spot, which is the stricter
_REST_S = 0.08  # between two orders; the daemon of `benchmarks/latency.py` sends about twelve a second
_TEXT = "x" * 400  # about an intent


class _Frame(msgspec.Struct):
    topic: str = ""
    data: msgspec.Raw = msgspec.Raw()


class Disk:
    """A thread that commits what it is given, and says on the loop when that is on disk."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._waiting: SimpleQueue[asyncio.Future[None]] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def commit(self) -> asyncio.Future[None]:
        """Return what resolves once a record is on disk."""
        done = self._loop.create_future()
        self._waiting.put(done)
        return done

    def _work(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE records (sequence INTEGER PRIMARY KEY, event TEXT NOT NULL)")
        while True:
            done = self._waiting.get()
            database.execute("INSERT INTO records (event) VALUES (?)", (_TEXT,))
            self._loop.call_soon_threadsafe(done.set_result, None)


async def trade(url: str, folder: str, seconds: float, markets: Sequence[str]) -> dict[str, object]:
    """Return the orders there were and the milliseconds from frame to disk."""
    disk = Disk(f"{folder}/bare.sqlite")
    topics = [f"{kind}.{market}" for market in markets for kind in ("orderbook.1", "publicTrade")]
    decoder = msgspec.json.Decoder(_Frame)
    taken: list[int] = []

    async def order(received_ns: int) -> None:
        await disk.commit()
        taken.append(time.perf_counter_ns() - received_ns)

    async with connect(f"{url}/linear", compression=None) as socket, asyncio.TaskGroup() as orders:
        for start in range(0, len(topics), _TOPICS_A_MESSAGE):
            await socket.send(json.dumps({"op": "subscribe", "args": topics[start : start + _TOPICS_A_MESSAGE]}))
        began = rested = time.perf_counter()
        while (now := time.perf_counter()) < began + seconds or not taken:
            message = await socket.recv(decode=False)
            received_ns = time.perf_counter_ns()
            frame = decoder.decode(message)
            if frame.topic.startswith("publicTrade") and now >= rested + _REST_S:
                rested = now
                orders.create_task(order(received_ns))
    taken.sort()
    return {
        "orders": len(taken),
        "p50": round(taken[len(taken) // 2] / 1e6, 3),
        "p99": round(taken[len(taken) * 99 // 100] / 1e6, 3),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(trade(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]))))
