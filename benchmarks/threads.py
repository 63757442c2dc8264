"""The old design beside the daemon, in one run: the same 27 markets, the same frames, the same database server.

The old design is 27 threads, each with an asyncio loop, a websocket (websockets and json) and a fresh MySQL connection
twice a second that asks whether its market should run. It does no more than that: no bars, no decision, no journal, no
watch over silence, all of which the daemon does; it is measured once as it is and once with the whole of ccxt imported,
which it needs to trade. Without a database server its threads do not ask.

    python -m benchmarks.threads [seconds]
"""

import argparse
import asyncio
import importlib
import json
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import pymysql
from websockets.asyncio.client import connect

from benchmarks.daemon import config
from benchmarks.house import Reading, Served, database, load_venue, machine, peak_mb, read, running, scratch, speaking
from benchmarks.load import names
from tests.support.mariadb import MariadbServer

MARKETS = 27
RATE = 10.0
_ASK_S = 0.5
_PATIENCE_S = 120.0


# ----------------------------------------------------------------------------------------------------- the old design
def _should_run(url: str, name: str) -> bool:
    """Ask on a connection of its own, as the old design did."""
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname or "",
        port=parts.port or 0,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path[1:],
        ssl_disabled=True,  # on loopback; making a TLS context for each connection would be most of its cost
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT running FROM states WHERE market = %s", (name,))
        row = cursor.fetchone()
    return bool(row and row[0])


async def _ask(url: str, name: str, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if not _should_run(url, name):
            stop.set()
        await asyncio.sleep(_ASK_S)


async def _market(
    ws_url: str, database_url: str, name: str, prices: dict[str, float], heard: threading.Semaphore
) -> None:
    stop = asyncio.Event()
    async with connect(f"{ws_url}/linear") as socket:
        await socket.send(json.dumps({"op": "subscribe", "args": [f"orderbook.1.{name}", f"kline.1.{name}"]}))
        asking = asyncio.ensure_future(_ask(database_url, name, stop)) if database_url else None
        while not stop.is_set():
            frame = json.loads(await socket.recv())
            if frame.get("topic", "").startswith("orderbook"):
                if name not in prices:
                    heard.release()
                prices[name] = (float(frame["data"]["b"][0][0]) + float(frame["data"]["a"][0][0])) / 2
        if asking is not None:
            await asking


def work(ws_url: str, database_url: str, markets: int) -> None:
    """Run the threads until one of them ends; say so once every market has heard a price."""
    prices: dict[str, float] = {}
    heard = threading.Semaphore(0)
    for name in names(markets):
        run = _market(ws_url, database_url, name, prices, heard)
        threading.Thread(target=asyncio.run, args=(run,), daemon=True).start()
    for _ in range(markets):
        if not heard.acquire(timeout=_PATIENCE_S):
            sys.exit("not every market has heard a price")
    print("{}", flush=True)
    while all(thread.is_alive() for thread in threading.enumerate()):
        time.sleep(1)


# ------------------------------------------------------------------------------------------------------- measurement
def _cost(process: psutil.Process, server: MariadbServer | None, seconds: float) -> dict[str, object]:
    """Return what the process costs, and what it has the database server do, over `seconds`."""
    served, database_process = (Served(server), psutil.Process(server.pid)) if server else (None, None)
    before, database_before = read(process), read(database_process) if database_process else None
    time.sleep(seconds)
    after = read(process)
    figures: dict[str, object] = {
        "rss_mb": after.rss_mb,
        "rss_peak_mb": peak_mb(process.pid),
        "cpu_percent": after.cpu_percent(before),
        "threads": process.num_threads(),
    }
    if served is not None and database_process is not None and database_before is not None:
        figures |= _asked(served.read(), read(database_process), database_before)
    return figures


def _asked(counts: Mapping[str, int], after: Reading, before: Reading) -> dict[str, object]:
    passed_s = after.at_s - before.at_s
    return {
        "database_connections_per_second": round(counts["Connections"] / passed_s, 2),
        "database_statements_per_second": round(counts["Questions"] / passed_s, 2),
        "database_cpu_percent": after.cpu_percent(before),
    }


def old(
    addresses: Mapping[str, str], server: MariadbServer | None, markets: int, seconds: float, *options: str
) -> dict[str, object]:
    """Measure the old design for so long; without a server its threads do not ask."""
    url = ""
    if server is not None:
        name = server.database()
        server.sql("CREATE TABLE states (market VARCHAR(32) PRIMARY KEY, running INT NOT NULL)", database=name)
        for market in names(markets):
            server.sql("INSERT INTO states VALUES (%s, 1)", market, database=name)
        url = server.url(name)
    arguments = ["--ws", addresses["ws_public_url"], "--database", url, "--markets", str(markets), *options]
    with speaking("benchmarks.threads", *arguments) as (_, process):
        return _cost(process, server, seconds)


def _new(
    folder: Path, addresses: Mapping[str, str], server: MariadbServer | None, markets: int, seconds: float
) -> dict[str, object]:
    with running(folder / "new", config(markets), addresses, server) as house:
        house.until(lambda report: report.live == markets and not report.history_backlog)
        time.sleep(min(3.0, seconds))
        return _cost(house.process, server, seconds)


def _times(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, float]:
    """Return how many times ours the old design costs, where ours costs something."""
    pairs = {name: (old[name], new[name]) for name in old if name in new}
    return {
        name: round(theirs / ours, 1)
        for name, (theirs, ours) in pairs.items()
        if isinstance(theirs, int | float) and isinstance(ours, int | float) and ours
    }


def run(seconds: float) -> dict[str, object]:
    """Return the cost of both designs, and how many times the daemon's the old one's is."""
    with (
        scratch() as folder,
        database(folder) as server,
        load_venue(MARKETS, RATE) as (addresses, _),
    ):
        bare = old(addresses, server, MARKETS, seconds / 3)
        whole = old(addresses, server, MARKETS, seconds / 3, "--ccxt")
        new = _new(folder, addresses, server, MARKETS, seconds / 3)
    return {
        "threads": bare,
        "threads_with_ccxt": whole,
        "kangbot": new,
        "times_ours": {"threads": _times(bare, new), "threads_with_ccxt": _times(whole, new)},
        "markets": MARKETS,
        "machine": machine(),
    }


if __name__ == "__main__":
    if "--ws" in sys.argv:
        parser = argparse.ArgumentParser()
        parser.add_argument("--ws", required=True)
        parser.add_argument("--database", required=True)
        parser.add_argument("--markets", type=int, required=True)
        parser.add_argument("--ccxt", action="store_true")
        arguments = parser.parse_args()
        if arguments.ccxt:
            importlib.import_module("ccxt.async_support")
        work(arguments.ws, arguments.database, arguments.markets)
    else:
        print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 45.0), indent=2))
