"""From a frame's bytes to our types: what decoding costs, beside json and beside msgspec without types.

Recorded frames of Binance where there are any (KANGBOT_RECORDED, by default `../shared/data`), and generated frames of
Bybit in the documented form. The contenders take turns on the same frames, so that a busy moment of the host meets
them all; a contender's figure is the median of its turns. `json` and `msgspec_untyped` end at dicts and strings: what
our own does beyond that (decimals, checks, the event) still lies before them. `two_passes` reads the topic by decoding
the frame once before decoding it by its topic: it is why the dialects look at the first bytes instead.

    python -m benchmarks.decode [seconds]
"""

import gzip
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter_ns

import msgspec

from benchmarks.house import RECORDED
from kangbot.model.ids import MarketId
from kangbot.ports import Channel, Dialect, Topic
from kangbot.venues.binance_usdm.feed import BinancePublic
from kangbot.venues.bybit.feed import BybitPublic

MARKET = MarketId("venue:BTC-USDT:USDT")
FRAMES_A_TURN = 2000

Decode = Callable[[bytes], object]


class _Outside(msgspec.Struct):
    topic: str = ""
    stream: str = ""


_OUTSIDE = msgspec.json.Decoder(_Outside)


def bybit_books(count: int) -> Sequence[bytes]:
    """Return snapshots of level 1, with prices that walk."""
    return [
        b'{"topic":"orderbook.1.BTCUSDT","ts":%d,"type":"snapshot","data":{"s":"BTCUSDT","b":[["%d.50","0.%03d"]],'
        b'"a":[["%d.60","0.%03d"]],"u":%d,"seq":%d},"cts":%d}'
        % (at, price, n % 1000, price, (7 * n) % 1000, n + 1, 7961638724 + n, at - 2)
        for n in range(1, count + 1)
        for at, price in [(1672304484978 + 10 * n, 16493 + n % 50)]
        if n % 1000 and (7 * n) % 1000
    ]


def bybit_trades(count: int, in_frame: int) -> Sequence[bytes]:
    """Return frames of `in_frame` trades."""
    row = (
        b'{"T":%d,"s":"BTCUSDT","S":"%b","v":"0.0%02d","p":"%d.50","L":"PlusTick",'
        b'"i":"20f43950-d8dd-5b31-9112-%012d","BT":false,"seq":%d}'
    )
    frames = []
    for n in range(count):
        rows = [
            row % (1672304486865 + n, (b"Buy", b"Sell")[k % 2], 1 + k % 90, 16578 + n % 50, n * in_frame + k, n)
            for k in range(in_frame)
        ]
        frames.append(
            b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":%d,"data":[%b]}'
            % (1672304486868 + n, b",".join(rows))
        )
    return frames


def binance_recorded(kind: str) -> Sequence[bytes]:
    """Return recorded frames of one kind of stream; none where there is no recording."""
    path = RECORDED / "binance_usdm" / "stream" / "btcusdt_20230404.dat.gz"
    if not path.exists():
        return []
    begin = b'{"stream":"btcusdt@%b"' % kind.encode()
    with gzip.open(path) as lines:
        return [frame for line in lines if (frame := line.strip().partition(b" ")[2]).startswith(begin)]


def _bybit() -> Dialect:
    dialect = BybitPublic(url="wss://x", category="linear")
    natives = ((Channel.QUOTE, "orderbook.1.BTCUSDT"), (Channel.TRADE, "publicTrade.BTCUSDT"))
    dialect.subscribe("1", [Topic(market=MARKET, channel=channel, native=native) for channel, native in natives])
    return dialect


def _binance() -> Dialect:
    dialect = BinancePublic(url="wss://x", path="public", trades="trade")
    natives = ("btcusdt@bookTicker", "btcusdt@trade")
    dialect.subscribe("1", [Topic(market=MARKET, channel=Channel.TRADE, native=native) for native in natives])
    return dialect


def _contenders(dialect: Dialect) -> Mapping[str, Decode]:
    def two_passes(frame: bytes) -> object:
        _OUTSIDE.decode(frame)
        return dialect.decode(frame)

    return {
        "kangbot": dialect.decode,
        "two_passes": two_passes,
        "json": json.loads,
        "msgspec_untyped": msgspec.json.decode,
    }


def _turn_us(decode: Decode, frames: Sequence[bytes]) -> float:
    began = perf_counter_ns()
    for frame in frames:
        decode(frame)
    return (perf_counter_ns() - began) / 1000 / len(frames)


def _contest(contenders: Mapping[str, Decode], frames: Sequence[bytes], seconds: float) -> dict[str, float]:
    turns: dict[str, list[float]] = {name: [] for name in contenders}
    began, place = perf_counter_ns(), 0
    while True:
        some = frames[place : place + FRAMES_A_TURN]
        for name, decode in contenders.items():
            turns[name].append(_turn_us(decode, some))
        place = (place + FRAMES_A_TURN) % len(frames)
        if perf_counter_ns() - began >= seconds * 1e9:
            break
    return {name: round(median(times), 2) for name, times in turns.items()}


def run(seconds: float) -> dict[str, object]:
    """Return microseconds a frame: `{"decode_us": {kind of frame: {contender: median}}}`."""
    cases: dict[str, tuple[Dialect, Sequence[bytes]]] = {
        "bybit orderbook.1": (_bybit(), bybit_books(10_000)),
        "bybit publicTrade, 1 trade": (_bybit(), bybit_trades(10_000, 1)),
        "bybit publicTrade, 10 trades": (_bybit(), bybit_trades(2_000, 10)),
        "binance bookTicker, recorded": (_binance(), binance_recorded("bookTicker")),
        "binance trade, recorded": (_binance(), binance_recorded("trade")),
    }
    present = {name: case for name, case in cases.items() if case[1]}
    share = seconds / len(present)
    return {
        "decode_us": {
            name: _contest(_contenders(dialect), frames, share) for name, (dialect, frames) in present.items()
        }
    }


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 5.0), indent=2))
