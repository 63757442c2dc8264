"""What it costs to watch over feeds: the same sockets, decoder and inboxes, bare and as the daemon supervises them.

Bare is `websockets` alone: connect, subscribe, decode, hand to inboxes, for ever; nothing notices silence, an answer
that does not come, a stuck clock, a socket that is dead or a day old, and nothing reconnects. Supervised is the hub as
the daemon runs it. Each is a process of its own and is fed by `benchmarks/load.py` at a venue's pace, ten books a
second and market beside a candle; the cost is what the kernel counts over the same seconds, one after the other, twice
in turn. Memory is that of the whole process, and of each beside the other.

    python -m benchmarks.supervision [seconds]
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from statistics import median
from typing import Any

import psutil
import uvloop
from websockets.asyncio.client import connect

from benchmarks.house import load_venue, machine, read
from benchmarks.load import names
from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.market.inbox import Inbox
from kangbot.model.market import Instrument
from kangbot.ports import Channel, Data, Topic
from kangbot.runtime.world import World, real_world
from kangbot.venues.bybit.feed import BybitPublic
from tests.support.instruments import instrument_of

SIZES = (27, 270)
RATE = 10.0  # books a second and market
CHANNELS = {Channel.QUOTE: None, Channel.BAR: 60}
TOPICS_A_SOCKET = 100
_TURNS = 2
_SETTLE_S = 2.0

Frames = Callable[[], int]
Begin = Callable[[str, Sequence[Instrument], World], Awaitable[Frames]]


def instruments(markets: int) -> Sequence[Instrument]:
    """Return the load venue's markets."""
    least = Decimal("0.1")
    bases = (native.removesuffix("USDT") for native in names(markets))
    return [instrument_of(base, step=least, min_quantity=least) for base in bases]


async def supervised(url: str, markets: Sequence[Instrument], world: World) -> Frames:
    """Begin the daemon's way; return what counts the frames."""
    hub = FeedHub(
        world=world,
        name="bench",
        public=[lambda: BybitPublic(url=url, category="linear")],
        private=None,
        connects=ConnectBudget(world.clock),
        on_note=lambda *_: None,
        topics_a_socket=TOPICS_A_SOCKET,
    )
    hub.start()
    for instrument in markets:
        hub.subscribe(instrument, CHANNELS, Inbox(world.clock))
    return lambda: hub.counters.frames


async def bare(url: str, markets: Sequence[Instrument], world: World) -> Frames:
    """Begin with nothing but the library, the decoder and the inboxes; return what counts the frames."""
    asked = BybitPublic(url=url, category="linear")
    boxes: dict[str, Inbox] = {}
    topics: list[Topic] = []
    for instrument in markets:
        box = Inbox(world.clock)
        for channel, timeframe_s in CHANNELS.items():
            for topic in asked.topics(instrument, channel, timeframe_s):
                topics.append(topic)
                boxes[topic.native] = box
    frames = [0]

    async def carry(carried: Sequence[Topic]) -> None:
        dialect = BybitPublic(url=url, category="linear")
        async with connect(url, compression=None, proxy=None, max_queue=64) as ws:
            for start in range(0, len(carried), 10):
                await ws.send(dialect.subscribe(str(start), carried[start : start + 10]))
                await asyncio.sleep(0.25)
            while True:
                frame = await ws.recv(decode=False)
                received_ns = time.perf_counter_ns()
                frames[0] += 1
                for message in dialect.decode(frame):
                    if isinstance(message, Data):
                        for event in message.events:
                            boxes[message.native].offer(event, received_ns)

    loop = asyncio.get_running_loop()
    tasks = [
        loop.create_task(carry(topics[start : start + TOPICS_A_SOCKET]))
        for start in range(0, len(topics), TOPICS_A_SOCKET)
    ]
    return lambda: frames[0] if all(not task.done() for task in tasks) else -1


_WAYS: Mapping[str, Begin] = {"supervised": supervised, "bare": bare}


async def _client(way: str, url: str, markets: int, seconds: float) -> dict[str, float]:
    """Run one way, and return what it cost once every topic was there."""
    frames = await _WAYS[way](url, instruments(markets), real_world())
    while (rate := await _rate(frames)) < 0.95 * (RATE + 1) * markets:
        if rate < 0:
            raise RuntimeError("a connection ended")
    await asyncio.sleep(_SETTLE_S)
    gc.collect()
    process = psutil.Process()
    before, seen = read(process), frames()
    await asyncio.sleep(seconds)
    after, more = read(process), frames() - seen
    return {
        "cpu_percent": after.cpu_percent(before),
        "cpu_us_a_frame": round((after.cpu_s - before.cpu_s) / more * 1e6, 2),
        "frames_per_second": round(more / (after.at_s - before.at_s)),
        "rss_mb": after.rss_mb,
    }


async def _rate(frames: Frames) -> float:
    before = frames()
    await asyncio.sleep(1.0)
    return frames() - before


def measure(markets: int, seconds: float) -> dict[str, Any]:
    """Return the medians of both ways, and the difference."""
    turns: dict[str, list[dict[str, float]]] = {way: [] for way in _WAYS}
    with load_venue(markets, RATE) as (addresses, _):
        url = f"{addresses['ws_public_url']}/linear"
        for _ in range(_TURNS):
            for way, done in turns.items():
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.supervision",
                    "--client",
                    way,
                    url,
                    str(markets),
                    str(seconds),
                ]
                said = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 90, check=True)
                done.append(json.loads(said.stdout))
    ways = {way: {name: median(one[name] for one in done) for name in done[0]} for way, done in turns.items()}
    mine, theirs = ways["supervised"], ways["bare"]
    difference = {name: round(mine[name] - theirs[name], 2) for name in ("cpu_percent", "cpu_us_a_frame", "rss_mb")}
    return {**ways, "difference": difference}


def run(seconds: float) -> dict[str, object]:
    """Return `{"supervision": {markets: figures}, …}`; where there is little time, 27 markets only."""
    sizes = SIZES if seconds >= 15 else SIZES[:1]
    each = max(2.0, seconds / len(sizes) / len(_WAYS) / _TURNS)
    return {"supervision": {str(markets): measure(markets, each) for markets in sizes}, "machine": machine()}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        way, url, markets, seconds = sys.argv[2:]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(json.dumps(runner.run(_client(way, url, int(markets), float(seconds)))))
    else:
        print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 60.0), indent=2))
