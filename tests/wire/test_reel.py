"""The reel is held to the recording: else what the daemon is shown would prove nothing of a real venue."""

import json
from itertools import islice, pairwise

import pytest

from tests.wire.recorded import four_markets
from tests.wire.reel import LAP_US, Reel, Said

pytestmark = pytest.mark.recorded

LATER_US = 5_000_001 * LAP_US  # an odd lap, in the year 2026


def said(began_us: int, for_us: int) -> list[Said]:
    """Return what is said from the recording's begin plus `began_us` on, for `for_us`."""
    frames = four_markets()
    from_us = frames[0].received_us + began_us
    told: list[Said] = []
    for one in Reel(frames).after(from_us):
        if one.at_us >= from_us + for_us:
            return told
        told.append(one)
    raise AssertionError("a reel has no end")


def test_lap_nought_is_the_recording_to_the_byte() -> None:
    """The frames of the streams it serves, in their order, at their times."""
    frames = [frame for frame in four_markets() if "depth" not in frame.stream]
    told = said(0, LAP_US)
    assert [one.data for one in told] == [frame.data for frame in frames[: len(told)]]
    assert [one.at_us for one in told] == [frame.received_us for frame in frames[: len(told)]]
    assert all(frame.received_us >= frames[0].received_us + LAP_US for frame in frames[len(told) :])


def test_later_laps_differ_in_times_and_ids_alone() -> None:
    """No id comes twice, ids grow; an odd lap has no candles, an even one has them on the minute."""
    first, odd, even = said(0, LAP_US), said(LATER_US, LAP_US), said(LATER_US + LAP_US, LAP_US)
    assert [one.stream for one in odd] == [one.stream for one in first if "kline" not in one.stream]
    assert [one.stream for one in even] == [one.stream for one in first]
    for before, after in zip(first, even, strict=True):
        moved, as_it_was = json.loads(after.data)["data"], json.loads(before.data)["data"]
        shift_ms = (LATER_US + LAP_US) // 1000
        assert after.at_us - before.at_us == shift_ms * 1000
        assert moved["E"] - as_it_was["E"] == shift_ms
        if "k" in moved:
            assert moved["k"]["t"] % 60_000 == 0
        changed = {name for name in moved if moved[name] != as_it_was[name]}
        assert changed <= {"E", "T", "a", "f", "l", "u", "k"}
    for name, kind in (("a", "aggTrade"), ("u", "bookTicker")):
        for symbol in ("ctkusdt", "keepusdt"):
            ids = [json.loads(one.data)["data"][name] for one in odd + even if one.stream == f"{symbol}@{kind}"]
            assert all(earlier < later for earlier, later in pairwise(ids))


def test_history_and_stream_are_one() -> None:
    """What streamed is in the newest trades, by id; candles are made of the same trades and hang together."""
    frames = four_markets()
    reel, now_us = Reel(frames), frames[0].received_us + LATER_US + LAP_US // 2
    streamed = [
        json.loads(one.data)["data"] for one in said(LATER_US - LAP_US, LAP_US) if "sushiusdt@agg" in one.stream
    ]
    told = {trade["a"]: trade for trade in reel.trades("SUSHIUSDT", now_us // 1000, 100)}
    for trade in streamed:
        assert told[trade["a"]] == {name: trade[name] for name in ("a", "p", "q", "f", "l", "T", "m")}
    assert list(told) == sorted(told)
    candles = reel.candles("SUSHIUSDT", now_us // 1000, 5)
    assert [after[0] - before[0] for before, after in pairwise(candles)] == [60_000] * 4
    assert candles[-1][0] == now_us // 1000 // 60_000 * 60_000
    assert [row[8] for row in islice(candles, 1, 4)] == [2 * len(streamed)] * 3  # two laps a minute
