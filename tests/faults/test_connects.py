"""Connections that cannot be had, or not for long."""

import time
from pathlib import Path

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import FaultWorld
from tests.support.resolver import HOST, Resolver

pytestmark = [pytest.mark.process, pytest.mark.sweep]


def test_accept_then_close_is_not_hammered(world: FaultWorld, expect: Expect) -> None:
    """Every handshake succeeds and is followed by a close, for five minutes."""
    row = expect("accept-then-close for 5 minutes", "≤ 60 connects, all live ≤ 30 s after")
    world.trading()
    world.public.hang_up = True
    begun = time.monotonic()
    world.public.cut()
    time.sleep(300)
    connects = world.public.since(begun)
    world.public.hang_up = False
    took = world.took(time.time(), world.fresh)
    row.measured(f"{connects} connects, all live on fresh data {took:.1f} s after", ok=connects <= 60 and took <= 30)


def test_ten_minutes_of_refused_connections_are_recovered_from(world: FaultWorld, expect: Expect) -> None:
    """Data, the account's stream and requests are refused by the system, then accepted again."""
    row = expect("all connections refused for 10 minutes", "trading again ≤ 30 s after, nothing lost or doubled")
    world.trading()
    for proxy in world.proxies:
        proxy.refuse()
    time.sleep(600)
    before = world.client.report().orders.filled
    for proxy in world.proxies:
        proxy.accept()
    healed = time.time()
    trading = world.took(healed, lambda report: report.orders.filled > before, 600)
    live = world.took(healed, world.fresh, 600)
    time.sleep(
        max(0.0, healed + 30.0 - time.time())
    )  # what stops did meanwhile is asked for once the account's stream is back
    wrong = world.disagreements()
    row.measured(
        f"the first order filled {trading:.1f} s and every market live {live:.1f} s after, {len(wrong)} disagreements",
        ok=trading <= 30 and live <= 30 and not wrong,
    )


def test_names_that_resolve_no_more_are_one_local_fault(tmp_path: Path, expect: Expect) -> None:
    """No name resolves for 400 s, every connection breaks: one fault of ours, not twenty-seven of the venue."""
    row = expect(
        "DNS failure for all, 400 s (the names of requests are remembered for 300 s)",
        "one local fault told once, 0 breakers open, 0 markets fallen, trading on fresh data ≤ 30 s after",
    )
    resolver = Resolver(tmp_path / "site")
    with FaultWorld(tmp_path, host=HOST, environment=resolver.environment) as world:
        world.trading()
        before = world.until(lambda report: sum(bool(market.net) for market in report.markets) >= 20)
        begun = time.time()
        resolver.fail()
        for proxy in world.proxies:
            proxy.cut()
        time.sleep(400)
        meanwhile = world.client.report()
        resolver.work()
        took = world.took(
            time.time(),
            lambda r: r.orders.filled > before.orders.filled and world.fresh(r) and not r.local_fault_ns,
        )
        faults = len(world.said("local_fault", begun))
        opened = {f"{line['market']} {line['lane']}" for line in world.said("breaker.open", begun)}
        falls = sum(market.falls for market in world.client.report().markets)
        row.measured(
            f"{faults} local fault told, in the report: {bool(meanwhile.local_fault_ns)}, {len(opened)} breakers "
            f"opened, {falls} falls, trading on fresh data {took:.1f} s after",
            ok=faults == 1 and not opened and not falls and took <= 30,
        )
