"""Frames that no venue should send."""

import json
import time

import pytest

from kangbot.health.report import MarketReport
from tests.faults.conftest import Expect
from tests.support.fault_world import FaultWorld
from tests.support.frames import BINARY, framed

pytestmark = pytest.mark.process

FLOODED = ("BTC/", "ETH/")

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
    after = world.until(lambda report: report.orders.filled > before.orders.filled + 3 and world.fresh(report))
    falls = sum(market.falls for market in after.markets)
    row.measured(
        f"{world.public.since(begun)} reconnects, {falls} falls, all fresh, "
        f"{after.orders.filled - before.orders.filled} orders filled since",
        ok=not world.public.since(begun) and not falls,
    )


@pytest.mark.sweep
def test_an_oversized_frame_ends_one_connection(world: FaultWorld, expect: Expect) -> None:
    """Eight megabytes in one frame are refused with 1009, not held in memory; the next connection is another."""
    row = expect("oversized frame (8 MB)", "1 reconnect, all fresh ≤ 15 s, peak RSS grows ≤ 16 MB")
    before = world.trading()
    time.sleep(2)
    begun_s, begun = time.time(), time.monotonic()
    world.public.inject(framed(json.dumps({"topic": "x" * (8 << 20)}).encode()))
    world.until(lambda report: report.reconnects > before.reconnects)
    after = world.until(world.fresh)
    took, grown = world.steady.since(begun_s, after.at_ns / 1e9), after.rss_peak_mb - before.rss_peak_mb
    row.measured(
        f"{world.public.since(begun)} reconnect, all fresh after {took:.1f} s, peak RSS grew by {grown:.1f} MB",
        ok=world.public.since(begun) == 1 and took <= 15 and grown <= 16,
    )


@pytest.mark.sweep
def test_a_full_inbox_is_its_markets_own(world: FaultWorld, expect: Expect) -> None:
    """Forty thousand trades of one market at once, eight times what its inbox keeps, and as much news of its account.

    Five times over. The market whose account is told of stands still: what is told of its position stays true.
    """
    row = expect(
        "a full inbox: 40,000 trades of one market and 20,000 positions of another at once, 5 times",
        "told once a market, 0 reconnects, 0 falls, the other 25 ≤ 2 s old, peak RSS grows ≤ 24 MB, trading, "
        "nothing lost or doubled",
    )
    before = world.trading()
    world.client.tell(f"/markets/{world.of('ETH').market}/stop")
    world.until(lambda report: world.of("ETH").state == "stopped", 30)
    held, since = world.of("ETH"), time.time()
    price = world.of("BTC").price
    begun, oldest = time.monotonic(), 0.0
    for burst in range(5):
        for number in range(5):  # each is more than an inbox keeps: between two of them it is emptied
            world.public.inject(framed(_trades(str(price), 8000 * (5 * burst + number), 8000)))
        for _ in range(4):
            world.private.inject(framed(_positions(held, 5_000)))
        until = time.monotonic() + 3
        while time.monotonic() < until:
            ages = [one.feed_age_s or 0.0 for one in world.client.report().markets if one.symbol[:4] not in FLOODED]
            oldest = max(oldest, *ages)
            time.sleep(0.1)
    after = world.orders(more_than=before.orders.filled + 3)
    grown, falls = after.rss_peak_mb - before.rss_peak_mb, sum(market.falls for market in after.markets)
    reconnects = world.public.since(begun) + world.private.since(begun)
    dropped = {base: world.of(base).dropped for base in ("BTC", "ETH")}
    told = sorted(str(line["market"]) for line in world.said("inbox.full", since))
    wrong = world.disagreements()
    row.measured(
        f"{dropped['BTC']} trades and {dropped['ETH']} positions did not fit, told {len(told)} times, {reconnects} "
        f"reconnects, {falls} falls, oldest price of the others {oldest:.1f} s, peak RSS grew by {grown:.1f} MB, "
        f"{len(wrong)} disagreements",
        ok=all(dropped.values())
        and len(told) == len(set(told)) == len(FLOODED)
        and not (reconnects or falls or wrong)
        and oldest <= 2
        and grown <= 24,
    )


def _positions(held: MarketReport, count: int) -> bytes:
    """Return a frame that tells so often how the market's position stands."""
    now_ms = time.time_ns() // 1_000_000
    row = {
        "symbol": "ETHUSDT",
        "category": "linear",
        "positionIdx": 0,
        "side": ("Buy" if held.net > 0 else "Sell") if held.net else "",
        "size": str(abs(held.net)),
        "entryPrice": str(held.entry or 0),
        "stopLoss": str(held.stop or 0),
        "markPrice": str(held.price),
        "updatedTime": str(now_ms),
    }
    return json.dumps({"id": "flood", "topic": "position", "creationTime": now_ms, "data": [row] * count}).encode()


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
