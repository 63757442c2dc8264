"""Bybit: data and orders. On paper it is given no key and no private stream."""

from kangbot.machines.limiter import Window
from kangbot.modes.way import Way
from kangbot.runtime.world import SECOND_NS, World
from kangbot.settings import Settings
from kangbot.venues.bybit.feed import BybitPrivate, BybitPublic
from kangbot.venues.bybit.venue import BybitVenue

_MILLISECOND_NS = 1_000_000
_CONNECT_S = 4.0  # to wait for a connection, at most, and half of what a request may take in all


def way(settings: Settings, world: World) -> Way:
    """Compose what the settings say of Bybit."""
    own, venue = settings.venues.bybit, _venue(settings, world)
    public, private = settings.bybit_ws_public_url, settings.bybit_ws_private_url

    def account() -> BybitPrivate:
        return BybitPrivate(url=private, key=settings.bybit_key, secret=settings.bybit_secret, markets=venue.market_of)

    return Way(
        venue=venue,
        public=[
            lambda: BybitPublic(url=f"{public}/linear", category="linear"),
            lambda: BybitPublic(url=f"{public}/spot", category="spot"),
        ],
        private=None if settings.bybit_mode == "paper" else account,
        connects_per_5_minutes=own.connects_per_5_minutes,
        account_windows=(Window(most=own.requests_per_second, span_ns=SECOND_NS),),
        data_windows=(Window(most=own.data_requests_per_second, span_ns=SECOND_NS),),
        receive_window_ms=own.receive_window_ms,
    )


def _venue(settings: Settings, world: World) -> BybitVenue:
    clock, timeout_s = world.clock, settings.venues.bybit.request_timeout_ms / 1000
    return BybitVenue(
        key=settings.bybit_key,
        secret=settings.bybit_secret,
        rest_url=settings.bybit_rest_url,
        now_ns=clock.now_ns,
        venue_now_ms=lambda: clock.now_ns() // _MILLISECOND_NS,
        receive_window_ms=settings.venues.bybit.receive_window_ms,
        timeout_s=timeout_s,
        connect_timeout_s=min(_CONNECT_S, timeout_s / 2),
    )
