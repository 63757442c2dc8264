"""From an intent to its request on the wire: what our adapter adds to a bare socket, and what ccxt alone would.

A server of its own process on loopback stamps the moment at which it has read a whole request (`perf_counter_ns` is
one clock for all processes of a Linux host) and answers with the stamp as the order's id. One order at a time on a
kept-alive connection; the contenders take turns, so that a busy moment of the host meets them all.

    python -m benchmarks.orders [seconds]
"""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import uvloop

from kangbot.model.ids import client_id
from kangbot.model.orders import Intent, OrderKind, Purpose, Side
from kangbot.venues import ccxt_lean
from kangbot.venues.bybit.venue import BybitVenue
from tests.support.instruments import instrument_of

BITCOIN = instrument_of()
Send = Callable[[int], Awaitable[int]]  # place order number n; return when the server had read it


# ------------------------------------------------------------------------------------------------------------- server
def serve() -> None:
    """Print the port, then answer until standard input closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    pending = b""
    while received := connection.recv(65536):
        pending += received
        head, blank, rest = pending.partition(b"\r\n\r\n")
        if not blank or len(rest) < _length(head):
            continue
        stamp, pending = time.perf_counter_ns(), b""
        result = {"orderId": str(stamp), "orderLinkId": ""}
        body = json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + _content_length(body) + body)


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)


def _content_length(body: bytes) -> bytes:
    return f"Content-Length: {len(body)}\r\n\r\n".encode()


@contextmanager
def _server() -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.orders", "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()


# --------------------------------------------------------------------------------------------------------- contenders
def _intent(number: int) -> Intent:
    return Intent(
        client_id=client_id("benchmrk", number),
        number=number,
        market=BITCOIN.market,
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        kind=OrderKind.LIMIT,
        quantity=Decimal("0.001"),
        price=Decimal("25000.5"),
        stop=Decimal("24000.0"),
        reference=Decimal(25001),
        reason="benchmark",
        at_ns=0,
        deadline_ns=time.time_ns() + 5_000_000_000,
    )


def _floor(connection: socket.socket) -> Send:
    """Return a sender of a prepared request on a blocking socket: nothing in Python can be quicker."""
    body = json.dumps({"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "qty": "0.001", "price": "25000.5"})
    request = b"POST /v5/order/create HTTP/1.1\r\nHost: loopback\r\n" + _content_length(body.encode()) + body.encode()

    async def send(_: int) -> int:
        connection.sendall(request)
        answer = connection.recv(65536)
        return int(json.loads(answer.partition(b"\r\n\r\n")[2])["result"]["orderId"])

    return send


def _ours(venue: BybitVenue) -> Send:
    async def send(number: int) -> int:
        return int((await venue.submit(BITCOIN, _intent(number))).venue_order_id)

    return send


def _ccxts(exchange: Any) -> Send:
    """Return a sender through ccxt as it comes, with the same order and a market that is already loaded."""

    async def send(number: int) -> int:
        order = await exchange.create_order(
            "BTC/USDT:USDT",
            "limit",
            "buy",
            0.001,
            25000.5,
            {
                "clientOrderId": client_id("benchmrk", number),
                "timeInForce": "GTC",
                "positionIdx": 0,
                "stopLoss": {"triggerPrice": 24000.0},
                "tpslMode": "Full",
                "slTriggerBy": "LastPrice",
            },
        )
        return int(order["id"])

    return send


def _ccxt(url: str, *, limited: bool) -> Any:
    exchange = ccxt_lean.load("bybit")(
        {
            "apiKey": "key",
            "secret": "secret",
            "enableRateLimit": limited,
            "options": {"enableUnifiedMargin": False, "enableUnifiedAccount": True, "unifiedMarginStatus": 6},
        }
    )
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], url)
    market = {"id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT"}
    kind = {"type": "swap", "spot": False, "swap": True, "contract": True, "linear": True, "inverse": False}
    exchange.set_markets([{**market, **kind, "precision": {"amount": 0.001, "price": 0.1}}])
    return exchange


# ---------------------------------------------------------------------------------------------------------------- run
async def _measure(contenders: dict[str, Send], seconds: float) -> dict[str, list[int]]:
    """Return the nanoseconds of every order, contender by contender."""
    taken: dict[str, list[int]] = {name: [] for name in contenders}
    number = 0
    for send in contenders.values():  # connections, caches
        for _ in range(3):
            number += 1
            await send(number)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for name, send in contenders.items():
            for _ in range(2 if "limiter" in name else 20):
                number += 1
                start = time.perf_counter_ns()
                taken[name].append(await send(number) - start)
    return taken


async def _contest(port: int, seconds: float) -> dict[str, list[int]]:
    url = f"http://127.0.0.1:{port}"
    venue = BybitVenue(
        key="key",
        secret="secret",
        now_ns=time.time_ns,
        venue_now_ms=lambda: time.time_ns() // 1_000_000,
        rest_url=url,
    )
    plain, limited = _ccxt(url, limited=False), _ccxt(url, limited=True)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            return await _measure(
                {
                    "raw_socket": _floor(connection),
                    "kangbot": _ours(venue),
                    "ccxt": _ccxts(plain),
                    "ccxt_with_limiter": _ccxts(limited),
                },
                seconds,
            )
        finally:
            await venue.aclose()
            await plain.close()
            await limited.close()


def _percentile(ordered: list[int], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6


def run(seconds: float) -> dict[str, object]:
    """Return, for each way to place an order, milliseconds from the intent to the request at the server.

    `{"orders_ms": {name: {"orders", "p50", "p99", "over_floor"}}}`; `over_floor` is p50 over the raw socket's.
    """
    with _server() as port, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        taken = runner.run(_contest(port, seconds))
    figures: dict[str, dict[str, float]] = {}
    for name, times in taken.items():
        ordered = sorted(times)
        figures[name] = {
            "orders": len(ordered),
            "p50": round(_percentile(ordered, 0.50), 3),
            "p99": round(_percentile(ordered, 0.99), 3),
        }
    for figure in figures.values():
        figure["over_floor"] = round(figure["p50"] / figures["raw_socket"]["p50"], 1)
    return {"orders_ms": figures}


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 10.0), indent=2))
