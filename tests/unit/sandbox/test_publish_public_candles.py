"""Confirmed candles, on a clock that runs sixty times as fast."""

import time
from decimal import Decimal
from typing import Any

import aiohttp

from kangbot.runtime.world import Clock
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve

D = Decimal
Candle = dict[str, Any]


async def test_every_candle_is_confirmed_once_and_joins_the_next() -> None:
    """One final frame a candle; it is what REST tells afterwards and what the trades of the stream add up to."""
    options = ServeOptions(symbols=("BTCUSDT",), spot_symbols=(), history_minutes=10, rate=1)
    clock = Clock(monotonic_ns=lambda: time.monotonic_ns() * 60)
    async with await serve(options, clock) as sandbox, aiohttp.ClientSession() as session:
        confirmed: dict[str, list[Candle]] = {"kline.1.BTCUSDT": [], "kline.3.BTCUSDT": []}
        trades: list[dict[str, Any]] = []
        async with session.ws_connect(sandbox.ws_public_url) as socket:
            await socket.send_json({"op": "subscribe", "args": [*confirmed, "publicTrade.BTCUSDT"]})
            while len(confirmed["kline.3.BTCUSDT"]) < 2:
                frame = await socket.receive_json(timeout=120)
                if frame.get("topic") == "publicTrade.BTCUSDT":
                    trades.extend(frame["data"])
                elif "topic" in frame and frame["data"][0]["confirm"]:
                    confirmed[frame["topic"]].append(frame["data"][0])
        query = "category=linear&symbol=BTCUSDT&limit=1000&interval="
        for topic, candles in confirmed.items():
            step_ms = int(topic.split(".")[1]) * 60_000
            assert [candle["start"] for candle in candles] == [
                candles[0]["start"] + step_ms * index for index in range(len(candles))
            ]
            async with session.get(f"{sandbox.rest_url}/v5/market/kline?{query}{topic.split('.')[1]}") as answer:
                rest = {int(row[0]): row for row in (await answer.json())["result"]["list"]}
            for candle in candles:
                names = ("open", "high", "low", "close", "volume", "turnover")
                assert rest[candle["start"]][1:] == [candle[name] for name in names]
        for candle in confirmed["kline.1.BTCUSDT"][1:]:
            inside = [trade for trade in trades if candle["start"] <= trade["T"] <= candle["end"]]
            assert sum((D(trade["v"]) for trade in inside), D(0)) == D(candle["volume"])
            assert inside == [] or inside[-1]["p"] == candle["close"]
