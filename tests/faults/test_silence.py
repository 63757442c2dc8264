"""Sockets and topics that say nothing, or nothing new, while everything else looks well."""

import time
from typing import Any

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import FaultWorld, at, wait_until

pytestmark = pytest.mark.process

EARLY_S = 10.0  # the silence that a quote's topic is allowed before its usual gap is known
BUDGET_S = 4.0  # the least silence that a quote's topic is allowed: what five frames a second teach it
FACTOR = 4  # of its longest gap, where a busy machine draws its frames so far apart that this is more


class Spell:
    """A spell on one topic that a new subscription breaks: `do` sees its frames until then."""

    def __init__(self, topic: str, do: Any) -> None:
        self._topic = topic
        self._do = do
        self.broken = 0.0  # when it was subscribed anew

    def __call__(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if message.get("op") == "subscribe" and not self.broken:
            self.broken = time.time()
        if message.get("topic") != self._topic or self.broken:
            return message
        shown: dict[str, Any] | None = self._do(message)
        return shown


def learned(world: FaultWorld) -> None:
    """Trade until the usual gap of every quote's topic is known, for which 20 of them are enough."""
    world.trading()
    passed = world.public.forwarded
    wait_until(
        lambda: all(passed[f"orderbook.1.{base}USDT"] > 30 for base in world.bases), 120, "no thirty quotes each"
    )


def drawn(world: FaultWorld, allowed_s: float, *bases: str) -> float:
    """Return how much more silence than that is allowed to every quote of these markets: frames came far apart."""
    longest_s = min(world.public.gaps_s[f"orderbook.1.{base}USDT"] for base in bases)
    return max(0.0, FACTOR * longest_s - allowed_s)


def healed(world: FaultWorld, topic: str, event: str, begun: float) -> tuple[float, float]:
    """Wait until the topic was told to be in trouble and to be well; return when that was."""
    down = wait_until(
        lambda: next((line for line in world.said(event, begun) if line.get("topic") == topic), None),
        120,
        f"no {event} for {topic}",
    )
    up = wait_until(
        lambda: next((line for line in world.said("feed.topics_up", at(down)) if topic in line["topics"]), None),
        120,
        f"{topic} was not healed",
    )
    return at(down), at(up)


def missed(world: FaultWorld, but: str) -> int:
    """Hold everything, and return how many frames of the other markets passed the proxy and do not arrive."""
    world.public.freeze()
    given_up = time.monotonic() + 120
    while (lost := _under_way(world, but)) and time.monotonic() < given_up:
        time.sleep(0.1)
    return lost


def _under_way(world: FaultWorld, but: str) -> int:
    lost = 0
    for one in world.client.report().markets:
        base = one.symbol.split("/")[0]
        if base != but:
            passed = sum(n for topic, n in world.public.forwarded.items() if topic.endswith(f".{base}USDT"))
            lost += abs(passed - one.ticks)
    return lost


def entries(world: FaultWorld, base: str, since: float, until: float) -> int:
    """Return how many orders that are no exits reached the exchange meanwhile."""
    return sum(not row["reduceOnly"] for row in world.orders_of(base, since, until))


def test_a_half_open_socket_is_noticed_and_replaced(world: FaultWorld, expect: Expect) -> None:
    """Nothing passes and nothing is closed: every topic is stale in seconds, and a new socket is dialled."""
    row = expect("half-open socket", "stale flagged ≤ 5 s, reconnecting ≤ 25 s")
    learned(world)
    begun, dialled, drawn_s = time.time(), time.monotonic(), drawn(world, BUDGET_S, *world.bases)
    assert world.public.freeze() >= 1
    stale = world.steady.since(begun, at(world.until_said("feed.silent", begun, 120))) - drawn_s
    wait_until(lambda: world.public.since(dialled), 120, "no new connection")
    reconnecting = world.steady.since(begun, begun + world.public.connects[-1] - dialled) - drawn_s
    world.until(world.fresh)
    fresh = time.time() - begun
    row.measured(
        f"stale flagged after {stale:.1f} s, reconnecting after {reconnecting:.1f} s, all fresh after {fresh:.1f} s",
        ok=stale <= 5 and reconnecting <= 25,
    )


def test_one_mute_topic_is_healed_alone(world: FaultWorld, expect: Expect) -> None:
    """Its quotes stop while pongs and all else flow; a subscription of its own heals it."""
    row = expect(
        "one mute topic among 27, pongs flowing",
        f"healed alone ≤ its budget + 10 s ({BUDGET_S + 10:.0f} s), no entry sent meanwhile, "
        "the other 26 without a missed frame, no reconnect",
    )
    learned(world)
    begun, dialled, drawn_s = time.time(), time.monotonic(), drawn(world, BUDGET_S, "ETH")
    world.public.look = Spell("orderbook.1.ETHUSDT", lambda _: None)
    down, up = healed(world, "orderbook.1.ETHUSDT", "feed.silent", begun)
    flagged, well = (world.steady.since(begun, at_s) - drawn_s for at_s in (down, up))
    sent = entries(world, "ETH", down, up)
    time.sleep(2)
    reconnects = world.public.since(dialled)
    lost = missed(world, "ETH")
    row.measured(
        f"flagged after {flagged:.1f} s, healed after {well:.1f} s, {sent} entries meanwhile, "
        f"{lost} frames of the others missed, {reconnects} reconnects",
        ok=well <= BUDGET_S + 10 and not sent and not lost and not reconnects,
    )


def test_a_topic_that_falls_mute_before_it_is_known_is_found_too(world: FaultWorld, expect: Expect) -> None:
    """Its first three frames come and no more: too few to know what is usual for it."""
    row = expect(
        "one topic mute after its first three frames",
        f"flagged ≤ {EARLY_S + 2:.0f} s, healed alone ≤ {EARLY_S + 10:.0f} s, nothing told of the other 26",
    )
    topic, frames, begun, healing = "orderbook.1.ETHUSDT", 0, 0.0, False

    def look(message: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal frames, begun, healing
        healing = healing or message.get("op") == "unsubscribe"  # what heals begins so, and a start never does
        if message.get("topic") != topic or healing:
            return message
        frames += 1
        if frames == 3:
            begun = time.time()
        return message if frames <= 3 else None

    world.public.look = look
    world.start()
    wait_until(lambda: begun, 60, "its first frames did not come")
    drawn_s = drawn(world, EARLY_S, "ETH")
    flagged, well = (world.steady.since(begun, at_s) - drawn_s for at_s in healed(world, topic, "feed.silent", begun))
    time.sleep(2)
    others = [line for line in world.said("feed.silent") if line.get("topic") != topic]
    row.measured(
        f"flagged after {flagged:.1f} s, healed after {well:.1f} s, {len(others)} of the others told as silent",
        ok=flagged <= EARLY_S + 2 and well <= EARLY_S + 10 and not others,
    )


@pytest.mark.sweep
def test_a_stuck_timestamp_is_told_from_silence(world: FaultWorld, expect: Expect) -> None:
    """Frames of one topic come with the same venue time for ever: that is not data."""
    row = expect(
        "stuck timestamp of one topic",
        f"told apart as stuck and healed alone ≤ its budget + 10 s ({BUDGET_S + 10:.0f} s), no entry sent meanwhile",
    )
    learned(world)
    stamps: dict[str, Any] = {}

    def stop_the_clock(message: dict[str, Any]) -> dict[str, Any]:
        for name in ("ts", "cts"):
            if name in message:
                stamps.setdefault(name, message[name])
        return message | stamps

    begun, drawn_s = time.time(), drawn(world, BUDGET_S, "SOL")
    world.public.look = Spell("orderbook.1.SOLUSDT", stop_the_clock)
    down, up = healed(world, "orderbook.1.SOLUSDT", "feed.stuck", begun)
    flagged, well = (world.steady.since(begun, at_s) - drawn_s for at_s in (down, up))
    sent = entries(world, "SOL", down, up)
    row.measured(
        f"stuck told after {flagged:.1f} s, healed after {well:.1f} s, {sent} entries meanwhile",
        ok=well <= BUDGET_S + 10 and not sent,
    )


@pytest.mark.sweep
def test_acknowledged_without_data_is_not_believed(world: FaultWorld, expect: Expect) -> None:
    """Every subscription is answered, none is fed: no topic counts as well, and no order leaves."""
    row = expect(
        "acknowledged without data, 30 s", "told as mute ≤ 15 s, 0 topics told as up, 0 orders, all fresh ≤ 30 s after"
    )
    world.sandbox.fault({"fault": "ack_without_data"})
    world.start()
    begun = at(world.until_said("daemon.ready", 0.0, 120))
    mute = world.steady.since(begun, at(world.until_said("feed.mute", 0.0, 120)))
    time.sleep(max(0.0, begun + 30 - time.time()))
    up = sum(line["count"] for line in world.said("feed.topics_up"))
    orders = world.sandbox.truth()["orders"]["total"]
    world.sandbox.heal()
    took = world.took(time.time(), world.fresh)
    row.measured(
        f"told as mute after {mute:.1f} s, {up} topics told as up, {orders} orders, all fresh {took:.1f} s after",
        ok=mute <= 15 and not up and not orders and took <= 30,
    )


@pytest.mark.sweep
def test_a_lost_acknowledgement_is_never_taken_for_one(world: FaultWorld, expect: Expect) -> None:
    """Data flows and no answer to any subscription comes: nothing counts as subscribed."""
    row = expect("lost acknowledgements, 30 s", '0 false "subscribed", all live ≤ 45 s after')
    world.public.look = lambda message: None if message.get("op") == "subscribe" else message
    world.start()
    begun = time.time()
    world.until_said("feed.unacknowledged", 0.0, 120)
    time.sleep(max(0.0, begun + 30 - time.time()))
    false = sum(line["count"] for line in world.said("feed.topics_up"))
    live = world.client.report().live
    told = len(world.said("feed.unacknowledged"))
    world.public.look = None
    took = world.took(time.time(), lambda report: report.live == len(world.bases))
    row.measured(
        f"{false} topics told as up and {live} markets live while {sum(world.public.forwarded.values())} events came, "
        f"unacknowledged told {told} times, all live {took:.1f} s after",
        ok=not false and not live and bool(told) and took <= 45,
    )
