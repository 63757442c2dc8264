"""Frames that no venue should send."""

import json
import time

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import FaultWorld
from tests.support.frames import BINARY, framed

pytestmark = pytest.mark.process

GARBAGE = (
    framed(b"{not json"),
    framed(b""),
    framed(b"null"),
    framed(b"[" * 50_000),
    framed(b'{"topic":"orderbook.1.BTCUSDT","ts":1,"type":"snapshot","data":null}'),
    framed(
        b'{"topic":"orderbook.1.BTCUSDT","ts":1,"type":"snapshot","data":{"s":"BTCUSDT","b":[["NaN","-1"]],"a":[[]]}}'
    ),
    framed(b'{"topic":"publicTrade.BTCUSDT","ts":"soon","data":[{"T":-1,"p":"1e999999","v":"x"}]}'),
    framed(b'{"topic":"orderbook.1.NOBODYUSDT","ts":1,"type":"snapshot","data":{"s":"NOBODYUSDT","b":[],"a":[]}}'),
    framed(bytes(range(256)) * 64, BINARY),
    framed(b"", BINARY),
)


def test_garbage_and_binary_frames_cost_nobody_anything(world: FaultWorld, expect: Expect) -> None:
    """A hundred of each kind between good frames: the connection stays, every good frame arrives."""
    row = expect(
        f"{len(GARBAGE)} kinds of garbage and binary frames, 100 of each", "0 reconnects, 0 falls, all fresh, trading"
    )
    before = world.trading()
    begun = time.monotonic()
    for _ in range(100):
        for frame in GARBAGE:
            world.public.inject(frame)
    after = world.orders(more_than=before.orders.filled + 3)
    falls = sum(market.falls for market in after.markets)
    fresh = world.fresh(after)
    row.measured(
        f"{world.public.since(begun)} reconnects, {falls} falls, all fresh: {fresh}, "
        f"{after.orders.filled - before.orders.filled} orders filled since",
        ok=not world.public.since(begun) and not falls and fresh,
    )


@pytest.mark.sweep
def test_an_oversized_frame_ends_one_connection(world: FaultWorld, expect: Expect) -> None:
    """Eight megabytes in one frame are refused with 1009, not held in memory; the next connection is another."""
    row = expect("oversized frame (8 MB)", "1 reconnect, all fresh ≤ 15 s, peak RSS grows ≤ 16 MB")
    before = world.trading()
    time.sleep(2)
    begun = time.monotonic()
    world.public.inject(framed(json.dumps({"topic": "x" * (8 << 20)}).encode()))
    world.until(lambda report: report.reconnects > before.reconnects, 30)
    after = world.until(world.fresh, 30)
    took, grown = time.monotonic() - begun, after.rss_peak_mb - before.rss_peak_mb
    row.measured(
        f"{world.public.since(begun)} reconnect, all fresh after {took:.1f} s, peak RSS grew by {grown:.1f} MB",
        ok=world.public.since(begun) == 1 and took <= 15 and grown <= 16,
    )


@pytest.mark.sweep
def test_a_full_inbox_is_its_markets_own(world: FaultWorld, expect: Expect) -> None:
    """Forty thousand trades of one market at once, eight times what its inbox keeps, five times over."""
    row = expect(
        "a full inbox: 40,000 trades of one market at once, 5 times",
        "0 reconnects, 0 falls, the other 26 ≤ 2 s old, peak RSS grows ≤ 24 MB, trading",
    )
    before = world.trading()
    price = world.of("BTC").price
    begun, oldest = time.monotonic(), 0.0
    for burst in range(5):
        for number in range(40):
            world.public.inject(framed(_trades(str(price), 1000 * (40 * burst + number), 1000)))
        until = time.monotonic() + 3
        while time.monotonic() < until:
            ages = [one.feed_age_s or 0.0 for one in world.client.report().markets if not one.symbol.startswith("BTC/")]
            oldest = max(oldest, *ages)
            time.sleep(0.1)
    after = world.orders(more_than=before.orders.filled + 3)
    grown, falls = after.rss_peak_mb - before.rss_peak_mb, sum(market.falls for market in after.markets)
    row.measured(
        f"{world.of('BTC').ticks} events of the market taken, {world.public.since(begun)} reconnects, {falls} falls, "
        f"oldest price of the others {oldest:.1f} s, peak RSS grew by {grown:.1f} MB",
        ok=not world.public.since(begun) and not falls and oldest <= 2 and grown <= 24,
    )


def _trades(price: str, first: int, count: int) -> bytes:
    """Return a frame of so many trades of now."""
    now_ms = time.time_ns() // 1_000_000
    data = [
        {
            "T": now_ms,
            "s": "BTCUSDT",
            "S": "Buy",
            "v": "0.001",
            "p": price,
            "L": "PlusTick",
            "i": f"flood-{first + number}",
            "BT": False,
            "seq": first + number,
        }
        for number in range(count)
    ]
    return json.dumps({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": now_ms, "data": data}).encode()
