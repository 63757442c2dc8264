"""Which markets count as having a breaker open."""

from kangbot.machines.breakers import Breakers
from kangbot.market.reporting import tripped
from kangbot.market.roster import Place
from kangbot.model.events import Desired, Lane
from kangbot.model.ids import MarketId

A, B, GONE = MarketId("v:A"), MarketId("v:B"), MarketId("v:GONE")


def test_a_market_with_a_breaker_open_counts_once_and_only_where_it_is_to_run() -> None:
    """Neither its other lanes, nor a market that is stopped, nor one that left."""
    breakers = Breakers()
    running, stopped = Place(desired=Desired.RUNNING), Place(desired=Desired.STOPPED)
    assert tripped(breakers, {A: running, B: running}) == 0
    for market, lane in ((A, Lane.ENTRY), (A, Lane.EXIT), (B, Lane.DATA), (GONE, Lane.DATA)):
        breakers.isolate(market, lane, "ann", 1)
    assert tripped(breakers, {A: running, B: running}) == 2
    assert tripped(breakers, {A: running, B: stopped}) == 1
    breakers.reset(A, None, "ann", 2)
    assert tripped(breakers, {A: running, B: stopped}) == 0
