"""A venue that only talks: Bybit's public frames at a steady rate for any number of markets, from its own process.

The sandbox exchange simulates every market and is a whole core at a few hundred of them; on a small machine a benchmark
with it measures the exchange. This one computes nothing: prices walk within one tick, candles are flat, so that no
strategy trades, and every frame is one formatting of bytes. The REST answers are those that a daemon needs to start.

Frames leave one by one, spread evenly over time, so that a reader is woken for each of them; or, with `--moments`, at
the moments at which the frames of a real venue came, which are in bunches as often as not.

    python -m benchmarks.load --markets 1000 --rate 10       # the first line of standard output tells the addresses

It keeps count of who connects and of how much is said to it, closes a connection that says more than `--most` messages
within a second with 1008, as venues do, and cuts every connection at once when it is told to::

    GET  /load/seen    {"connects": [seconds since the epoch, …], "peak": most messages of a connection within a second,
                        "closes": connections closed for saying too much, "topics": subscriptions there are}
    POST /load/cut     no close frame; {"cut": connections}
"""

import argparse
import asyncio
import gzip
import heapq
import itertools
import json
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import WSMsgType, web

_TURN_S = 0.002
_MINUTE_MS = 60_000
_PRICE = "100.0"
_CANDLE = [_PRICE] * 4 + ["10", "1000"]  # open, high, low, close, volume, turnover


def names(markets: int) -> Sequence[str]:
    """Return the native names of that many markets."""
    return [f"T{number:04}USDT" for number in range(markets)]


def framed(payload: bytes) -> bytes:
    """Return the payload as one text frame of RFC 6455, from server to client; at most 65,535 bytes."""
    size = len(payload)
    return (struct.pack("!BB", 0x81, size) if size < 126 else struct.pack("!BBH", 0x81, 126, size)) + payload


def book(name: bytes, number: int, now_ms: int) -> bytes:
    """Return a snapshot of level 1."""
    return (
        b'{"topic":"orderbook.1.%b","ts":%d,"type":"snapshot","data":{"s":"%b","b":[["99.9","%d.5"]],'
        b'"a":[["100.1","%d.5"]],"u":%d,"seq":%d},"cts":%d}'
        % (name, now_ms, name, 1 + number % 90, 1 + number % 70, number + 1, 7961638724 + number, now_ms)
    )


def candle(name: str, start_ms: int, now_ms: int, *, confirm: bool) -> bytes:
    """Return a push of the minute's candle."""
    row = dict(zip(("open", "high", "low", "close", "volume", "turnover"), _CANDLE, strict=True))
    row |= {"start": start_ms, "end": start_ms + _MINUTE_MS - 1, "interval": "1", "confirm": confirm}  # type: ignore[dict-item] # JSON
    frame = {"topic": f"kline.1.{name}", "data": [row | {"timestamp": now_ms}], "ts": now_ms, "type": "snapshot"}
    return json.dumps(frame, separators=(",", ":")).encode()


def moments(recordings: Sequence[Path]) -> Iterator[float]:
    """Yield the seconds from the beginning at which the frames of the recordings came, over and over.

    A recording is lines of a receive time in microseconds, a space, and the frame, compressed.
    """
    return heapq.merge(*map(_moments, recordings))


def _moments(recording: Path) -> Iterator[float]:
    with gzip.open(recording, "rb") as lines:
        at_us = [int(line.split(b" ", 1)[0]) for line in lines]
    length_us = at_us[-1] - at_us[0]
    for turn in itertools.count():
        yield from ((turn * length_us + at - at_us[0]) / 1e6 for at in at_us[1:])


def now_ms() -> int:
    """Return the venue's clock."""
    return time.time_ns() // 1_000_000


class Load:
    """The server's state: who listens to what, and how far the frames have come."""

    def __init__(self, markets: int, rate: float, most: int) -> None:
        self.names = names(markets)
        self._rate = rate
        self._most = most
        self._open: dict[asyncio.WriteTransport, None] = {}
        self._connects: list[float] = []
        self._peak = self._closes = 0
        self._sinks: dict[str, asyncio.WriteTransport] = {}  # by topic

    # ------------------------------------------------------------------------------------------------------ frames
    async def pump(self) -> None:
        """Write every frame when it is due: `rate` books and one candle a second for each market."""
        began, sent, candles, minute = time.perf_counter(), 0, 0, now_ms() // _MINUTE_MS
        count = len(self.names)
        while True:
            await asyncio.sleep(_TURN_S)
            passed, now = time.perf_counter() - began, now_ms()
            due = int(passed * self._rate * count)
            for number in range(sent, due):
                name = self.names[number % count]
                self._write(f"orderbook.1.{name}", book, name.encode(), number, now)
            sent = due
            due = int(passed * count)
            start = now - now % _MINUTE_MS
            for number in range(candles, due):
                self._candle(self.names[number % count], start, now, confirm=False)
            candles = due
            if now // _MINUTE_MS != minute:
                minute = now // _MINUTE_MS
                for name in self.names:
                    self._candle(name, start - _MINUTE_MS, now, confirm=True)

    def _candle(self, name: str, start: int, now: int, *, confirm: bool) -> None:
        self._write(f"kline.1.{name}", lambda: candle(name, start, now, confirm=confirm))

    def _write(self, topic: str, make: Any, *args: object) -> None:
        transport = self._sinks.get(topic)
        if transport is not None and not transport.is_closing():
            transport.write(framed(make(*args)))

    async def pump_at(self, recordings: Sequence[Path]) -> None:
        """Write a frame at each moment of the recordings, played over each other; every eleventh is a candle.

        The moments are kept by a thread: the loop's timers are of whole milliseconds.
        """
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._keep, args=(loop, moments(recordings)), daemon=True).start()
        await loop.create_future()

    def _keep(self, loop: asyncio.AbstractEventLoop, due_s: Iterator[float]) -> None:
        began = time.perf_counter()
        for number, due in enumerate(due_s):
            if (left := began + due - time.perf_counter()) > 0:
                time.sleep(left)
            loop.call_soon_threadsafe(self._next, number)

    def _next(self, number: int) -> None:
        now = now_ms()
        turn, place = divmod(number, 11)
        if place:
            name = self.names[(number - turn) % len(self.names)]
            self._write(f"orderbook.1.{name}", book, name.encode(), number, now)
        else:
            self._candle(self.names[turn % len(self.names)], now - now % _MINUTE_MS, now, confirm=False)

    # -------------------------------------------------------------------------------------------------- websockets
    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one websocket. Frames are written beside aiohttp's own, whole, to the same transport."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        transport, mine = request.transport, set[str]()
        assert transport is not None
        self._connects.append(time.time())
        self._open[transport] = None
        within = deque[float](maxlen=self._most + 1)
        with suppress(ConnectionError):
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    if self._too_much(within):
                        await socket.close(code=1008, message=b"too many messages")
                        break
                    said = json.loads(message.data)
                    await socket.send_str(json.dumps(self._answer(said, request.path)))
                    self._subscribe(said, transport, mine)
        for topic in mine:
            self._sinks.pop(topic, None)
        self._open.pop(transport)
        return socket

    def _too_much(self, within: deque[float]) -> bool:
        """Count one message, and say whether it is one too many for the second that it ends."""
        now = time.monotonic()
        within.append(now)
        said = sum(now - at < 1.0 for at in within)
        self._peak = max(self._peak, said)
        self._closes += said > self._most
        return said > self._most

    # --------------------------------------------------------------------------------------------------- asked and told
    async def seen(self, _: web.Request) -> web.Response:
        """Say what was counted."""
        counts = {"peak": self._peak, "closes": self._closes, "topics": len(self._sinks)}
        return web.json_response({"connects": self._connects, **counts})

    async def cut(self, _: web.Request) -> web.Response:
        """Break every websocket, as a network would."""
        cut = tuple(self._open)
        for transport in cut:
            transport.abort()
        return web.json_response({"cut": len(cut)})

    def _answer(self, said: dict[str, Any], path: str) -> dict[str, object]:
        if said["op"] == "ping" and path.endswith("private"):
            return {"req_id": said.get("req_id", ""), "op": "pong", "args": [str(now_ms())]}
        word = "pong" if said["op"] == "ping" else ""
        return {"success": True, "ret_msg": word, "req_id": said.get("req_id", ""), "op": said["op"]}

    def _subscribe(self, said: dict[str, Any], transport: asyncio.WriteTransport, mine: set[str]) -> None:
        for topic in said.get("args", ()) if said["op"] in {"subscribe", "unsubscribe"} else ():
            if said["op"] == "subscribe":
                self._sinks[topic] = transport
                mine.add(topic)
            else:
                self._sinks.pop(topic, None)
                mine.discard(topic)

    # -------------------------------------------------------------------------------------------------------- REST
    async def rest(self, request: web.Request) -> web.Response:
        """Answer as Bybit does; what is not known has an empty list."""
        result = self._result(request)
        answer = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms()}
        return web.json_response(answer)

    def _result(self, request: web.Request) -> dict[str, object]:
        asked = request.query
        match request.path:
            case "/v5/market/instruments-info":
                begin, most = int(asked.get("cursor") or 0), int(asked.get("limit") or 500)
                page = self.names[begin : begin + most]
                more = str(begin + most) if begin + most < len(self.names) else ""
                return {"category": "linear", "list": [_instrument(name) for name in page], "nextPageCursor": more}
            case "/v5/market/time":
                return {"timeSecond": str(now_ms() // 1000), "timeNano": str(time.time_ns())}
            case "/v5/market/kline":
                newest_ms = min(now_ms(), int(asked.get("end") or now_ms()))
                start = newest_ms - newest_ms % _MINUTE_MS
                starts = [start - _MINUTE_MS * back for back in range(int(asked["limit"]))]
                return {"list": [[str(at), *_CANDLE] for at in starts]}
            case "/v5/account/wallet-balance":
                coin = {"coin": "USDT", "equity": "100000", "walletBalance": "100000", "unrealisedPnl": "0"}
                account = {"accountType": "UNIFIED", "totalEquity": "100000", "totalAvailableBalance": "100000"}
                return {"list": [account | {"coin": [coin]}]}
            case _:
                return {"list": [], "nextPageCursor": ""}


def _instrument(name: str) -> dict[str, object]:
    lot = {"minOrderQty": "0.1", "qtyStep": "0.1", "maxOrderQty": "10000", "minNotionalValue": "5"}
    return {
        "symbol": name,
        "status": "Trading",
        "contractType": "LinearPerpetual",
        "baseCoin": name.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "lotSizeFilter": lot,
        "priceFilter": {"tickSize": "0.1"},
    }


async def serve(markets: int, rate: float, most: int, recordings: Sequence[Path]) -> None:
    """Serve for ever."""
    load = Load(markets, rate, most)
    app = web.Application()
    app.router.add_get("/load/seen", load.seen)
    app.router.add_post("/load/cut", load.cut)
    app.router.add_get("/v5/public/linear", load.stream)
    app.router.add_get("/v5/private", load.stream)
    app.router.add_route("*", "/v5/{tail:.*}", load.rest)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    addresses = {
        "rest_url": f"http://{host}",
        "ws_public_url": f"ws://{host}/v5/public",
        "ws_private_url": f"ws://{host}/v5/private",
    }
    print(json.dumps(addresses), flush=True)
    await (load.pump_at(recordings) if recordings else load.pump())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--markets", type=int, required=True)
    parser.add_argument("--rate", type=float, default=10.0, help="books a second and market")
    parser.add_argument("--most", type=int, default=10, help="messages a second and connection; Binance's limit")
    parser.add_argument("--moments", type=Path, nargs="*", default=(), help="recordings whose moments are kept instead")
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.markets, arguments.rate, arguments.most, arguments.moments))
