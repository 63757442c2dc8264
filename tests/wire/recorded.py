"""Recorded frames of real venues: where they are, and how they are read.

The folder is named by KANGBOT_RECORDED, by default `../shared/data` beside the checkout. None of it is in the
repository.
"""

import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

ROOT = Path(os.environ.get("KANGBOT_RECORDED") or Path(__file__).parents[2].parent / "shared" / "data")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it came: when it was received, its stream, its bytes."""

    received_us: int
    stream: str
    data: bytes


class _Wrapped(msgspec.Struct):
    stream: str = ""


class _Line(msgspec.Struct):
    t: float
    kind: str
    msg: msgspec.Raw = msgspec.Raw(b"null")


def recorded(*parts: str) -> Path:
    """Return a recording; skip the test where it is absent, and fail where it must be present."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        reason = f"no recording at {path} (KANGBOT_RECORDED names the folder)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def stream_files(*names: str) -> Sequence[Frame]:
    """Return the frames of `binance_usdm/stream` files: lines of receive time in µs, a space, the frame.

    REST answers that were written between the frames have no stream and are left out: no websocket sent them.
    """
    frames = []
    for name in names:
        with gzip.open(recorded("binance_usdm", "stream", name)) as lines:
            for line in lines:
                received, _, data = line.strip().partition(b" ")
                if stream := msgspec.json.decode(data, type=_Wrapped).stream:
                    frames.append(Frame(int(received), stream, data))
    return frames


def four_markets() -> Sequence[Frame]:
    """Return the frames of the recording of four markets: JSON lines {t, kind, msg}."""
    path = recorded("binance_usdm", "four_markets", "ws_depth_bookTicker_kline_aggTrade_2021-07-22.jsonl")
    frames = []
    for text in path.read_bytes().splitlines():
        line = msgspec.json.decode(text, type=_Line)
        if line.kind == "recv":
            data = bytes(line.msg)
            frames.append(Frame(round(line.t * 1e6), msgspec.json.decode(data, type=_Wrapped).stream, data))
    return frames


def four_markets_listing() -> bytes:
    """Return what `exchangeInfo` said when the four markets were recorded."""
    path = recorded("binance_usdm", "four_markets", "rest_exchangeInfo_2021-07-22.jsonl")
    return bytes(msgspec.json.decode(path.read_bytes().splitlines()[0], type=_Line).msg)
