"""The record of a session: a digest of what a seed decides, and a timeline that a person reads."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from kangbot.model.events import (
    BarStored,
    Desired,
    DesiredChanged,
    EquityMarked,
    Event,
    FillApplied,
    Noted,
    OrderIntended,
    RequestsPaused,
    RunState,
    RunStateChanged,
    Severity,
    StopSet,
)
from kangbot.model.orders import OrderStatus, Side
from kangbot.sim.exchange.events import Executed, Funded
from kangbot.sim.exchange.events import OrderChanged as AtVenue
from kangbot.sim.proof.trace import Trace
from tests.support.floor_story import bar_at
from tests.support.records import round_trip
from tests.support.sim_bench import START_NS, Bench
from tests.support.trade_words import MARKET, START, changed, dec, fill, intent

SECOND_NS = 1_000_000_000


def told(event: Event) -> str:
    """Return how a record stands in the timeline; "" where it does not."""
    trace = Trace()
    trace.journal(0, event, "")
    return "".join(line.removeprefix("    0.000  journal  ") for line in trace.timeline())


Taken = Callable[[Trace], None]
DECIDED: dict[str, Taken] = {
    "a note": lambda trace: trace.note(5, "fault", "loss"),
    "another time": lambda trace: trace.note(6, "fault", "loss"),
    "another source": lambda trace: trace.note(5, "daemon", "loss"),
    "another note": lambda trace: trace.note(5, "fault", "reset"),
    "a record": lambda trace: trace.journal(5, StopSet(market=MARKET, price=None, at_ns=5), "a"),
    "another record": lambda trace: trace.journal(5, StopSet(market=MARKET, price=None, at_ns=5), "b"),
    "an order": lambda trace: trace.request(5, intent(1)),
    "another order": lambda trace: trace.request(5, intent(2)),
    "a later order": lambda trace: trace.request(6, intent(1)),
}


def digest(*taken: Taken) -> str:
    """Return the digest of a session in which this came, in that order."""
    trace = Trace()
    for take in taken:
        take(trace)
    return trace.digest


def test_two_sessions_share_a_digest_where_the_same_happened_in_the_same_order() -> None:
    """And no other two."""
    everything = list(DECIDED.values())
    assert digest(*everything) == digest(*everything)
    digests = [digest(), *map(digest, everything), digest(*everything), digest(*reversed(everything))]
    assert len(set(digests)) == len(digests)


def test_what_the_venue_did_is_shown_and_no_part_of_the_digest() -> None:
    """Its prices follow from the seed, and what matters of them is in the journal."""
    bench, trace = Bench(), Trace()
    bench.submit(Side.BUY, "0.1")
    for event in bench.venue.drain():
        trace.venue(7, event)
    assert trace.digest == Trace().digest
    assert any("execution" in line for line in trace.timeline())


def test_the_timeline_has_the_newest_lines_in_their_order() -> None:
    """With the seconds since the start, and who it was."""
    trace = Trace()
    for number in range(200):
        trace.note(number * SECOND_NS // 2, "fault", f"the {number}th")
    lines = list(trace.timeline())
    assert len(lines) == 120
    assert lines[0] == "   40.000  fault    the 80th"
    assert lines[-1] == "   99.500  fault    the 199th"


def test_what_a_reader_can_do_without_takes_no_line_from_what_matters() -> None:
    """Bars and equities come every few seconds."""
    trace = Trace()
    trace.note(0, "daemon", "starts")
    for _ in range(200):
        trace.journal(1, BarStored(bar=bar_at(START, "100"), at_ns=START), "")
        trace.journal(1, EquityMarked(venue="bybit", currency="USDT", equity=dec(1), at_ns=START), "")
    assert list(trace.timeline()) == ["    0.000  daemon   starts"]


CANCELED = changed(OrderStatus.CANCELED, "0.50", code="7", message="why")
RUNNING = RunStateChanged(market=MARKET, before=RunState.LIVE, after=RunState.STOPPED, reason="asked", at_ns=START)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            OrderIntended(intent=intent(2, "1.50", stop="90"), at_ns=START),
            f"intends kbjournal12 {MARKET} entry buy 1.5 at 100 gtc, stop 90, because test",
        ),
        (
            OrderIntended(intent=msgspec.structs.replace(intent(), price=None), at_ns=START),
            f"intends kbjournal11 {MARKET} entry buy 1 at market, because test",
        ),
        (changed(OrderStatus.ACKED), "kbjournal11 is acked by stream, filled 0"),
        (
            msgspec.structs.replace(
                changed(OrderStatus.CANCELED, "0.50", code="7", message="why"), average=dec("100.10")
            ),
            "kbjournal11 is canceled by stream, filled 0.5 at 100.1: 7 why",
        ),
        (
            FillApplied(fill=fill("x", "1.0"), net=dec("2.0"), at_ns=START),
            f"{MARKET} buy 1 at 100 (trade, kbjournal11) makes 2",
        ),
        (
            FillApplied(fill=fill("x", 1, named=False), net=dec(0), at_ns=START),
            f"{MARKET} buy 1 at 100 (trade, no order of ours) makes 0",
        ),
        (StopSet(market=MARKET, price=dec("90.0"), at_ns=START), f"{MARKET} stop 90"),
        (StopSet(market=MARKET, price=None, at_ns=START), f"{MARKET} stop removed"),
        (RUNNING, f"{MARKET} live -> stopped: asked"),
        (
            DesiredChanged(market=MARKET, desired=Desired.PAUSED, caller="me", at_ns=START),
            f"{MARKET} shall be paused, says me",
        ),
        (
            Noted(kind="feed.silent", severity=Severity.INFO, market=MARKET, message="nothing came", at_ns=START),
            f"feed.silent {MARKET}: nothing came",
        ),
    ],
)
def test_a_record_is_told_in_words(event: Event, words: str) -> None:
    """Numbers without what does not count."""
    assert told(event) == words


def test_a_record_without_words_of_its_own_is_told_whole() -> None:
    """Nothing that happened is left out because nobody has worded it."""
    assert "bybit account" in told(RequestsPaused(budget="bybit account", until_ns=1, at_ns=START))


def test_the_venue_is_told_in_words() -> None:
    """Orders by their client ids, or by what made them; executions and payments too."""
    bench, trace = Bench(funding_interval_s=1), Trace()
    bench.submit(Side.BUY, "0.10", client_id="kb1", stop=Decimal(900))
    bench.submit(Side.BUY, "0.1", "990")
    bench.venue.cancel(bench.now_ns, order_id=bench.venue.orders.newest(1)[0].order_id)
    bench.venue.advance(START_NS + SECOND_NS)
    events = [event for event in bench.venue.drain() if isinstance(event, AtVenue | Executed | Funded)]
    for event in events:
        trace.venue(0, event)
    lines = [line.removeprefix("    0.000  venue    ") for line in trace.timeline()]
    name = bench.venue.executions[0].fill.execution_id[:8]  # type: ignore[union-attr]
    assert lines == [
        f"{MARKET} buy 0.1 at 1000.1, execution {name}",
        f"{MARKET} order kb1 filled, filled 0.1 of 0.1",
        f"{MARKET} order stop_loss acked, filled 0 of 0.1",
        f"{MARKET} order user acked, filled 0 of 0.1",
        f"{MARKET} order user canceled, filled 0 of 0.1 user",
        f"{MARKET} funding -0.01",
    ]


def test_a_round_trip_is_told_by_what_it_won() -> None:
    """And an order that leaves as it was meant."""
    assert told(round_trip()) == f"{MARKET} is flat after 0.75"
    trace = Trace()
    trace.request(SECOND_NS, intent())
    assert list(trace.timeline()) == [f"    1.000  sends    kbjournal11 {MARKET} entry buy 1 at 100 gtc"]
