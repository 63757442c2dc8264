"""Frames from a loopback socket to a market's inbox: microseconds a frame at full speed, ours beside others.

A server in a process of its own writes prepared frames of Bybit (27 markets; two of three a level 1 book, one a trade)
as fast as they are read. Ours is all that runs in the daemon: hub, stream, session, watch over silence, dialect, one
inbox a market. The others stop at what is said: `json` and `msgspec` are the websockets library with untyped dicts,
`aiohttp` is another client library under our dialect and inboxes, without session and watch.

Contenders take turns in one process; a figure is CPU time of this process a frame, and the wall time beside it.

    python -m benchmarks.frames [seconds]
"""

import asyncio
import base64
import gc
import hashlib
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from statistics import quantiles

import aiohttp
import msgspec
import uvloop
from websockets.asyncio.client import connect

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.market.inbox import Inbox
from kangbot.model.market import Instrument
from kangbot.ports import Channel, Data, Topic
from kangbot.runtime.world import World, real_world
from kangbot.venues.bybit.feed import BybitPublic
from tests.support.instruments import instrument_of

MARKETS = 27
FRAMES = 30_000  # a turn
CHUNK = 200  # frames written at once: about what a busy socket holds when it is read

Turn = Callable[[str], Awaitable[tuple[float, float]]]  # url → CPU and wall microseconds a frame


# --------------------------------------------------------------------------------------------------------- the server
def frames() -> Sequence[bytes]:
    """Return frames of `MARKETS` markets in turn, as Bybit writes them."""
    made = []
    for n in range(MARKETS * 60):
        name, at, price = b"M%02dUSDT" % (n % MARKETS), 1672304484978 + n, 16493 + n % 50
        if n % 3:
            made.append(
                b'{"topic":"orderbook.1.%b","ts":%d,"type":"snapshot","data":{"s":"%b","b":[["%d.50","0.%03d"]],'
                b'"a":[["%d.60","0.%03d"]],"u":%d,"seq":%d},"cts":%d}'
                % (name, at, name, price, 1 + n % 900, price, 1 + n % 800, n + 1, 7961638724 + n, at - 2)
            )
        else:
            made.append(
                b'{"topic":"publicTrade.%b","type":"snapshot","ts":%d,"data":[{"T":%d,"s":"%b","S":"Buy","v":"0.0%02d",'
                b'"p":"%d.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-%012d","BT":false,"seq":%d}]}'
                % (name, at + 2, at, name, 1 + n % 90, price, n, n)
            )
    return made


def _framed(payload: bytes) -> bytes:
    """Return the payload as one text frame of RFC 6455, from server to client."""
    size = len(payload)
    return (struct.pack("!BB", 0x81, size) if size < 126 else struct.pack("!BBH", 0x81, 126, size)) + payload


def _read_exactly(conn: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = conn.recv(size - len(read))
        if not more:
            raise ConnectionResetError
        read += more
    return read


def _read_frame(conn: socket.socket) -> tuple[int, bytes]:
    """Return the opcode and payload of one masked frame."""
    first, second = _read_exactly(conn, 2)
    size = second & 127
    if size == 126:
        (size,) = struct.unpack("!H", _read_exactly(conn, 2))
    mask = _read_exactly(conn, 4)
    payload = _read_exactly(conn, size)
    return first & 15, bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def _serve_one(conn: socket.socket, chunks: Sequence[bytes]) -> None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += conn.recv(4096)
    key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")).split(b": ")[1]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    conn.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    while True:
        opcode, payload = _read_frame(conn)
        if opcode == 8:
            return
        said = json.loads(payload or b"{}") if opcode == 1 else {}
        if said.get("op") != "subscribe":
            continue
        conn.sendall(_framed(b'{"success":true,"ret_msg":"","req_id":"%b","op":"subscribe"}' % said["req_id"].encode()))
        sent = 0
        while sent < FRAMES:
            conn.sendall(chunks[sent // CHUNK % len(chunks)])
            sent += CHUNK


def serve() -> None:
    """Serve for ever; the first line of standard output is the port."""
    made = [_framed(frame) for frame in frames()]
    chunks = [b"".join(made[at % len(made)] for at in range(start, start + CHUNK)) for start in range(0, 8100, CHUNK)]
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def handle(conn: socket.socket) -> None:
        with conn, suppress(OSError):
            _serve_one(conn, chunks)

    while True:
        conn, _ = listener.accept()
        threading.Thread(target=handle, args=(conn,), daemon=True).start()


# ---------------------------------------------------------------------------------------------------- the contenders
def instruments() -> Sequence[Instrument]:
    """Return the markets of the frames."""
    return [instrument_of(f"M{n:02}") for n in range(MARKETS)]


class Watch:
    """CPU and wall time a frame, from the first frame on."""

    def __init__(self) -> None:
        gc.collect()
        self._began = (time.process_time(), time.perf_counter())

    def read(self, frames: int) -> tuple[float, float]:
        """Return microseconds a frame since it was made."""
        cpu_s, wall_s = time.process_time() - self._began[0], time.perf_counter() - self._began[1]
        return 1e6 * cpu_s / frames, 1e6 * wall_s / frames


async def ours(url: str, world: World) -> tuple[float, float]:
    """Measure the daemon's own way."""
    hub = FeedHub(
        world=world,
        name="bench",
        public=[lambda: BybitPublic(url=url, category="linear")],
        private=None,
        connects=ConnectBudget(world.clock, most=10_000, burst=1000),
        on_note=lambda *_: None,
    )
    async with hub:
        for instrument in instruments():
            hub.subscribe(instrument, {Channel.QUOTE: None, Channel.TRADE: None}, Inbox(world.clock))
        counters = hub.streams[0].counters
        while not counters.frames:  # noqa: ASYNC110 -- seen from outside
            await asyncio.sleep(0.0005)
        watch, before = Watch(), counters.frames
        while counters.events < FRAMES:  # noqa: ASYNC110 -- seen from outside
            await asyncio.sleep(0.005)
        return watch.read(counters.frames - before)


def _subscribe() -> str:
    return '{"req_id":"1","op":"subscribe","args":["orderbook.1.M00USDT"]}'


def library(decode: Callable[[bytes], object]) -> Turn:
    """Return a turn of the websockets library with that decoder, which keeps nothing."""

    async def turn(url: str) -> tuple[float, float]:
        async with connect(url, compression=None, proxy=None) as ws:
            await ws.send(_subscribe())
            decode(await ws.recv(decode=False))
            watch = Watch()
            for _ in range(FRAMES):
                decode(await ws.recv(decode=False))
            return watch.read(FRAMES)

    return turn


async def other_client(url: str, world: World) -> tuple[float, float]:
    """Measure aiohttp's client under our dialect and inboxes."""
    dialect = BybitPublic(url=url, category="linear")
    boxes: dict[str, Inbox] = {}
    topics: list[Topic] = []
    for instrument in instruments():
        box = Inbox(world.clock)
        for channel in (Channel.QUOTE, Channel.TRADE):
            topics += dialect.topics(instrument, channel, None)
            boxes[topics[-1].native] = box
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=0) as ws:
        await ws.send_str(dialect.subscribe("1", topics))
        await ws.receive_str()
        watch = Watch()
        for _ in range(FRAMES):
            received_ns = time.perf_counter_ns()
            frame = await ws.receive_str()
            for message in dialect.decode(frame.encode()):
                if isinstance(message, Data):
                    for event in message.events:
                        boxes[message.native].offer(event, received_ns)
        return watch.read(FRAMES)


# ---------------------------------------------------------------------------------------------------------- the contest
def _figures(turns: Sequence[tuple[float, float]]) -> dict[str, float]:
    cpu = sorted(cpu_us for cpu_us, _ in turns)
    wall = sorted(wall_us for _, wall_us in turns)
    cuts = quantiles(cpu, n=10, method="inclusive") if len(cpu) > 1 else cpu * 9
    return {
        "cpu_us_p50": round(cuts[4], 2),
        "cpu_us_p90": round(cuts[8], 2),
        "cpu_us_best": round(cpu[0], 2),
        "wall_us_p50": round(wall[len(wall) // 2], 2),
        "turns": len(turns),
    }


async def _contest(url: str, seconds: float) -> Mapping[str, dict[str, float]]:
    world = real_world()
    untyped = msgspec.json.Decoder()
    contenders: dict[str, Turn] = {
        "kangbot": lambda url: ours(url, world),
        "websockets + json": library(json.loads),
        "websockets + msgspec, untyped": library(untyped.decode),
        "websockets alone": library(len),
        "aiohttp + our decoder": lambda url: other_client(url, world),
    }
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or not turns["aiohttp + our decoder"]:
        for name, turn in contenders.items():
            turns[name].append(await turn(url))
    return {name: _figures(figures) for name, figures in turns.items()}


def run(seconds: float) -> dict[str, object]:
    """Return microseconds a frame for each contender, and each one's median as a multiple of ours."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.frames", "--serve"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = f"ws://127.0.0.1:{int(server.stdout.readline())}"
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(_contest(url, seconds))
        finally:
            server.terminate()
    mine = figures["kangbot"]["cpu_us_p50"]
    return {
        "frame_to_inbox_us": figures,
        "times_ours": {name: round(figure["cpu_us_p50"] / mine, 2) for name, figure in figures.items()},
        "markets": MARKETS,
        "frames_a_turn": FRAMES,
        "target_us": 8.0,
    }


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    else:
        print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 10.0), indent=2))
