"""Bybit: data and orders. On paper it is given no key and no private stream."""

from contextlib import nullcontext

from kangbot.execution.venue_clock import VenueClock
from kangbot.health.latency import Timings
from kangbot.machines.limiter import Window
from kangbot.modes.way import Way
from kangbot.ports import Turn
from kangbot.runtime.world import SECOND_NS, World
from kangbot.settings import Settings
from kangbot.venues.bybit.feed import BybitPrivate, BybitPublic
from kangbot.venues.bybit.venue import BybitVenue

_MILLISECOND_NS = 1_000_000
_CONNECT_S = 4.0  # to wait for a connection, at most, and half of what a request may take in all


def way(settings: Settings, world: World, turn: Turn = nullcontext) -> Way:
    """Compose what the settings say of Bybit; each request is held under a `turn`."""
    own = settings.venues.bybit
    # Bybit takes a stamp that is late by less than the receive window, or early by less than a second.
    clock = VenueClock(world.clock, most_ns=min(own.receive_window_ms * _MILLISECOND_NS // 2, SECOND_NS))
    timings = Timings()
    venue = _venue(settings, world, clock, timings, turn)
    public, private = settings.bybit_ws_public_url, settings.bybit_ws_private_url

    def account() -> BybitPrivate:
        return BybitPrivate(url=private, key=settings.bybit_key, secret=settings.bybit_secret, markets=venue.market_of)

    return Way(
        venue=venue,
        public=[
            lambda: BybitPublic(url=f"{public}/linear", category="linear"),
            lambda: BybitPublic(url=f"{public}/spot", category="spot"),
        ],
        private=None if settings.mode == "paper" else account,
        connects_per_5_minutes=own.connects_per_5_minutes,
        account_windows=(Window(most=own.requests_per_second, span_ns=SECOND_NS),),
        data_windows=(Window(most=own.data_requests_per_second, span_ns=SECOND_NS),),
        receive_window_ms=own.receive_window_ms,
        timings=timings,
        rates=venue.funding,
        clock=clock,
    )


def _venue(settings: Settings, world: World, clock: VenueClock, timings: Timings, turn: Turn) -> BybitVenue:
    timeout_s = settings.venues.bybit.request_timeout_ms / 1000
    return BybitVenue(
        key=settings.bybit_key,
        secret=settings.bybit_secret,
        rest_url=settings.bybit_rest_url,
        now_ns=world.clock.now_ns,
        venue_now_ms=clock.now_ms,
        receive_window_ms=settings.venues.bybit.receive_window_ms,
        timeout_s=timeout_s,
        connect_timeout_s=min(_CONNECT_S, timeout_s / 2),
        timings=timings,
        turn=turn,
    )
