"""Binance USD-M: data only, traded on paper."""

from contextlib import nullcontext

from kangbot.execution.venue_clock import VenueClock
from kangbot.health.latency import Timings
from kangbot.machines.limiter import Window
from kangbot.modes.way import Way
from kangbot.ports import Turn
from kangbot.runtime.world import SECOND_NS, World
from kangbot.settings import Settings
from kangbot.venues.binance_usdm.feed import BinancePublic
from kangbot.venues.binance_usdm.venue import BinanceVenue

# Binance counts weight, 2,400 a minute for an address. The heaviest question asked of it, the newest trades, weighs 20.
_A_MINUTE = Window(most=2400 // 20, span_ns=60 * SECOND_NS)
_RECEIVE_WINDOW_MS = 5000  # of the simulated account, which orders reach at once


def way(settings: Settings, world: World, turn: Turn = nullcontext) -> Way:
    """Compose what the settings say of Binance USD-M; each request is held under a `turn`."""
    own, timings = settings.venues.binance_usdm, Timings()
    a_second = Window(most=own.requests_per_second, span_ns=SECOND_NS)
    venue = BinanceVenue(rest_url=own.rest_url, timings=timings, turn=turn)
    return Way(
        venue=venue,
        public=[
            lambda: BinancePublic(url=own.ws_public_url, path="public"),
            lambda: BinancePublic(url=own.ws_public_url, path="market"),
        ],
        private=None,
        connects_per_5_minutes=own.connects_per_5_minutes,
        account_windows=(a_second,),
        data_windows=(a_second, _A_MINUTE),
        receive_window_ms=_RECEIVE_WINDOW_MS,
        timings=timings,
        rates=venue.funding,
        clock=VenueClock(world.clock, most_ns=SECOND_NS),
    )
