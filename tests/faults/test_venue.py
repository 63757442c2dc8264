"""A venue that answers, and says no."""

import time
from collections import Counter

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import FaultWorld, wait_until
from tests.support.loopback import http

pytestmark = [pytest.mark.process, pytest.mark.sweep]

CLOSE = {"Connection": "close"}
BAN = http(b"", status=429, headers={"Retry-After": "120", **CLOSE})
MAINTENANCE = http(
    b'{"retCode":10016,"retMsg":"Server error, please try again later","result":{},"time":0}', status=503, headers=CLOSE
)


# Connections within 90 s, by 27 markets: each asks for price, bars and an order, and up to twice more at its own pace.
# The rest is one probe, one comparison of the account, and two streams, with a backoff each.
MOST_ASKED = 300


def test_a_ban_is_obeyed_to_its_end(world: FaultWorld, expect: Expect) -> None:
    """429 with Retry-After 120 to requests and websockets alike: silence until then, and recovery after."""
    row = expect("ban, HTTP 429 with Retry-After 120", "0 requests and 0 connects inside it, trading ≤ 45 s after")
    before = world.trading()
    for proxy in world.proxies:
        proxy.ban(BAN)
    wait_until(lambda: any(proxy.answered for proxy in world.proxies), 120, "nobody asked")
    time.sleep(2.0)
    firsts = [proxy.answered[0][0] for proxy in (world.rest, world.public, world.private) if proxy.answered]
    time.sleep(min(firsts) + 119 - time.monotonic())
    late = max(firsts) + 1.0  # what had left before the first answer came is in the air
    inside = [sum(at > late for at, _ in proxy.answered) for proxy in world.proxies]
    for proxy in world.proxies:
        proxy.answer = None
    took = world.took(time.time(), lambda r: r.orders.filled > before.orders.filled and world.fresh(r))
    row.measured(
        f"{inside[2]} requests and {inside[0] + inside[1]} connects between a second after the first answers and "
        f"second 119, {sum(len(proxy.answered) for proxy in world.proxies)} in all; trading {took:.1f} s after the ban",
        ok=not any(inside) and took <= 45,
    )


def test_maintenance_is_waited_out(world: FaultWorld, expect: Expect) -> None:
    """Ninety seconds of 503 and code 10016 on every request and handshake; sockets are closed at its beginning."""
    row = expect(
        "venue maintenance, 90 s of 503",
        f"at most {MOST_ASKED} connections, trading on all markets ≤ 45 s after, nothing lost or doubled",
    )
    world.trading()
    begun = time.monotonic()
    for proxy in world.proxies:
        proxy.ban(MAINTENANCE)
    time.sleep(90)
    asked = sum(proxy.since(begun) for proxy in world.proxies)
    lines = Counter(
        line.split("?")[0].removesuffix(" HTTP/1.1") for proxy in world.proxies for _, line in proxy.answered
    )
    who = ", ".join(f"{line} {count}" for line, count in lines.most_common(8))
    before = world.client.report()
    for proxy in world.proxies:
        proxy.answer = None
    took = world.took(time.time(), lambda r: r.orders.filled > before.orders.filled and world.fresh(r))
    wrong = world.disagreements()
    row.measured(
        f"{asked} connections in 90 s ({who}), trading on fresh data {took:.1f} s after, {len(wrong)} disagreements",
        ok=asked <= MOST_ASKED and took <= 45 and not wrong,
    )


def test_slow_replies_slow_nothing_else(world: FaultWorld, expect: Expect) -> None:
    """Each answer of the venue is held back for six seconds, for one minute, under load."""
    row = expect(
        "replies of requests 6 s late, 60 s",
        "prices stay ≤ 2 s old, 0 falls, 0 orders of unknown outcome 30 s after, nothing lost or doubled",
    )
    world.trading()
    world.rest.hold_s = 6.0
    begun, oldest = time.monotonic(), 0.0
    while time.monotonic() < begun + 60:
        oldest = max(oldest, *(market.feed_age_s or 0.0 for market in world.client.report().markets))
        time.sleep(0.2)
    sent = world.client.report().orders.sent
    world.rest.hold_s = 0.0
    after = world.until(lambda report: report.orders.unknown == 0, 30)
    falls, wrong = sum(market.falls for market in after.markets), world.disagreements()
    row.measured(
        f"oldest price {oldest:.1f} s, {falls} falls, {sent} orders sent in all, {after.orders.unknown} unknown after, "
        f"{len(wrong)} disagreements",
        ok=oldest <= 2 and not falls and not wrong,
    )
