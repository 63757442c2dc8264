"""A recording as a market without an end: what a venue says at any time, and what was traded before.

A recording is old and over in half a minute, and a daemon asks a venue for now: for candles that end now, for trades
that join to those that stream. So the recording is laid end to end, in laps of 30 s, from for ever to for ever, and
lap number n is the recording moved by n times 30 s. What is said is a function of the time alone: the stream, the
newest trades and the candles of one reel agree, whoever asks when.

Moved are the times in the frames (`E`, `T`, and a candle's `t` and `T`) and, so that no id comes twice, the ids (`a`,
`f`, `l`, `u`). Everything else is as it was recorded, to the byte, and the order and distance of frames too. Candles
begin on the minute and cannot be moved by half of one: odd laps have none.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.wire.recorded import Frame

LAP_US = 30_000_000
_MOVED_IDS = {"aggTrade": ("a", "f", "l"), "bookTicker": ("u",)}


@dataclass(frozen=True, slots=True)
class Said:
    """One frame, at the time at which it is said."""

    at_us: int
    stream: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Take:
    """One recorded frame, taken apart."""

    offset_us: int  # from the lap's begin
    stream: str
    kind: str
    message: dict[str, Any]


class Reel:
    """The frames of the streams `aggTrade`, `bookTicker` and `kline_1m`; those of other streams are left out."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._began_us = frames[0].received_us
        self._takes: list[_Take] = []
        for frame in frames:
            kind, offset_us = frame.stream.partition("@")[2], frame.received_us - self._began_us
            if kind in ("aggTrade", "bookTicker", "kline_1m") and offset_us < LAP_US:
                self._takes.append(_Take(offset_us, frame.stream, kind, json.loads(frame.data)))
        self._strides = self._id_strides()
        self._trades: dict[str, list[dict[str, Any]]] = {}
        for take in self._takes:
            if take.kind == "aggTrade":
                self._trades.setdefault(take.message["data"]["s"], []).append(take.message["data"])

    def _id_strides(self) -> dict[tuple[str, str], int]:
        """Return by how much each id of a stream moves with a lap: as far as the recording's own reach."""
        seen: dict[tuple[str, str], list[int]] = {}
        for take in self._takes:
            for name in _MOVED_IDS.get(take.kind, ()):
                seen.setdefault((take.stream, "f" if name == "l" else name), []).append(take.message["data"][name])
        strides = {key: max(ids) - min(ids) + 1 for key, ids in seen.items()}
        return strides | {(stream, "l"): stride for (stream, name), stride in strides.items() if name == "f"}

    @property
    def symbols(self) -> Sequence[str]:
        """The venue's names of the markets."""
        return sorted(self._trades)

    # -------------------------------------------------------------------------------------------------------- streams
    def after(self, at_us: int) -> Iterator[Said]:
        """Yield what is said from that time on, for ever."""
        lap = (at_us - self._began_us) // LAP_US
        first = bisect_left(self._takes, at_us - self._begin_us(lap), key=lambda take: take.offset_us)
        while True:
            for take in self._takes[first:]:
                if not (lap % 2 and take.kind == "kline_1m"):
                    yield Said(self._begin_us(lap) + take.offset_us, take.stream, self._moved(take, lap))
            lap, first = lap + 1, 0

    def _begin_us(self, lap: int) -> int:
        return self._began_us + lap * LAP_US

    def _moved(self, take: _Take, lap: int) -> bytes:
        message = deepcopy(take.message)
        data, shift_ms = message["data"], lap * LAP_US // 1000
        data["E"] += shift_ms
        if take.kind == "kline_1m":
            data["k"]["t"] += shift_ms
            data["k"]["T"] += shift_ms
        else:
            data["T"] += shift_ms
        for name in _MOVED_IDS.get(take.kind, ()):
            data[name] += lap * self._strides[take.stream, name]
        return json.dumps(message, separators=(",", ":")).encode()

    # --------------------------------------------------------------------------------------------------------- history
    def trades(self, symbol: str, until_ms: int, most: int) -> list[dict[str, Any]]:
        """Return the newest trades until then, as `aggTrades` tells them: oldest first, whatever has reached nobody."""
        newest: list[dict[str, Any]] = []
        for trade in self._backwards(symbol, until_ms):
            newest.append(trade)
            if len(newest) == most:
                break
        return newest[::-1]

    def candles(self, symbol: str, until_ms: int, most: int) -> list[list[Any]]:
        """Return the newest 1-minute candles until then, as `klines` tells them: the last one may be unfinished."""
        minutes: dict[int, list[dict[str, Any]]] = {}
        for trade in self._backwards(symbol, until_ms):
            minute_ms = trade["T"] - trade["T"] % 60_000
            if minute_ms not in minutes and len(minutes) == most:
                break
            minutes.setdefault(minute_ms, []).append(trade)
        return [_candle(minute_ms, trades[::-1]) for minute_ms, trades in sorted(minutes.items())]

    def _backwards(self, symbol: str, until_ms: int) -> Iterator[dict[str, Any]]:
        """Yield the trades until then, newest first, for ever."""
        stream = f"{symbol.lower()}@aggTrade"
        lap = (until_ms * 1000 - self._began_us) // LAP_US
        while True:
            shift_ms = lap * LAP_US // 1000
            for trade in reversed(self._trades[symbol]):
                if trade["T"] + shift_ms <= until_ms:
                    ids = {name: trade[name] + lap * self._strides[stream, name] for name in ("a", "f", "l")}
                    told = {name: trade[name] for name in ("a", "p", "q", "f", "l", "T", "m")}
                    yield told | ids | {"T": trade["T"] + shift_ms}
            lap -= 1


def _candle(minute_ms: int, trades: Sequence[dict[str, Any]]) -> list[Any]:
    prices = [Decimal(trade["p"]) for trade in trades]
    volume = sum((Decimal(trade["q"]) for trade in trades), Decimal(0))
    value = sum((Decimal(trade["p"]) * Decimal(trade["q"]) for trade in trades), Decimal(0))
    taken = [trade for trade in trades if not trade["m"]]
    taken_volume = sum((Decimal(trade["q"]) for trade in taken), Decimal(0))
    taken_value = sum((Decimal(trade["p"]) * Decimal(trade["q"]) for trade in taken), Decimal(0))
    shape = [str(price) for price in (prices[0], max(prices), min(prices), prices[-1])]
    tail = [minute_ms + 59_999, str(value), len(trades), str(taken_volume), str(taken_value), "0"]
    return [minute_ms, *shape, str(volume), *tail]
