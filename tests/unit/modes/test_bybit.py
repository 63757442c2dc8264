"""Bybit, as the settings say of it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal

import pytest

from kangbot.feed.hub import FeedHub
from kangbot.machines.memory import Memory
from kangbot.modes import Connection, Past, connection
from kangbot.modes.bybit import way
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.settings import Mode, Settings
from kangbot.settings.kinds import Secret
from kangbot.settings.trading import Paper
from kangbot.settings.venues import Bybit, Venues
from kangbot.venues.bybit.feed import BybitPrivate
from kangbot.venues.bybit.venue import BybitVenue

BYBIT = Bybit(key=Secret("the-key"), secret=Secret("the-secret"))


def settings(mode: Mode, bybit: Bybit = BYBIT) -> Settings:
    """Return settings of that mode with a key."""
    return Settings(mode=mode, venues=Venues(bybit=bybit), paper=Paper(balance=Decimal(777)))


def opened(chosen: Settings, past: Past | None = None) -> AbstractAsyncContextManager[Connection]:
    """Open the way that the settings ask for."""
    world = World(clock=Clock(), seed=b"modes")
    return connection(chosen, world, memory=Memory(), past=past or Past(chosen.venue), on_note=lambda *_: None)


@pytest.mark.parametrize(
    ("mode", "key", "host"),
    [
        ("sandbox", "the-key", "http://127.0.0.1:8790"),
        ("testnet", "the-key", "https://api-testnet.bybit.com"),
        ("live", "the-key", "https://api.bybit.com"),
    ],
)
async def test_a_real_account_is_reached_at_the_modes_address(mode: Mode, key: str, host: str) -> None:
    """The adapter itself and its hub, with the configured key; nothing is connected yet."""
    async with opened(settings(mode)) as way:
        assert isinstance(way.venue, BybitVenue)
        assert way.feeds is way.hub
        exchange = way.venue._client._exchange
        assert (exchange.apiKey, set(exchange.urls["api"].values())) == (key, {host})
        assert (exchange.secret, exchange.options["recvWindow"]) == ("the-secret", BYBIT.receive_window_ms)
        assert exchange.kangbot_now_ms == way.way.clock.now_ms
        assert isinstance(way.hub, FeedHub)
        assert way.hub._private is not None
        assert list(way.streams) == []


async def test_a_connection_is_waited_for_no_longer_than_half_of_a_request() -> None:
    """However short the configured patience is: being unable to connect is told apart from no answer."""
    for patience_ms, connect_s in ((500, 0.25), (60_000, 4.0)):
        async with opened(settings("sandbox", replace(BYBIT, request_timeout_ms=patience_ms))) as way:
            assert isinstance(way.venue, BybitVenue)
            timeout = way.venue._http._timeout
            assert (timeout.total, timeout.connect) == (patience_ms / 1000, connect_s)


async def test_what_bybit_bears_is_what_the_settings_say() -> None:
    """Of the account and of public data by themselves; a stamp is never later than half of what an order may take."""
    own = Bybit(requests_per_second=3, data_requests_per_second=7, receive_window_ms=900, connects_per_5_minutes=11)
    modes: tuple[tuple[Mode, bool], ...] = (("sandbox", True), ("paper", False))
    for mode, private in modes:
        one = way(Settings(mode=mode, venues=Venues(bybit=own)), World(clock=Clock(), seed=b"modes"))
        windows = [(window.most, window.span_ns) for window in (*one.account_windows, *one.data_windows)]
        assert windows == [(3, SECOND_NS), (7, SECOND_NS)]
        assert (one.receive_window_ms, one.connects_per_5_minutes) == (900, 11)
        assert one.clock._most_ns == 450_000_000
        assert [dialect().name for dialect in one.public] == ["bybit.linear.public", "bybit.spot.public"]
        assert [dialect().url.rpartition("/")[2] for dialect in one.public] == ["linear", "spot"]
        assert (one.private is not None) is private
        await one.venue.aclose()


async def test_the_accounts_stream_is_the_modes_own_and_signed_with_the_secret() -> None:
    """A testnet's key is worth nothing elsewhere, and must not be told there."""
    for mode, address in (("testnet", "stream-testnet.bybit.com"), ("live", "stream.bybit.com")):
        chosen = settings("live" if mode == "live" else "testnet")
        one = way(chosen, World(clock=Clock(), seed=b"modes"))
        assert one.private is not None
        account = one.private()
        assert isinstance(account, BybitPrivate)
        assert account.url == f"wss://{address}/v5/private"
        assert (account._key, account._secret) == ("the-key", "the-secret")
        assert {dialect().url.split("/")[2] for dialect in one.public} == {address}
        await one.venue.aclose()


async def test_a_stamp_may_be_wrong_by_less_than_a_second_however_late_an_order_may_be() -> None:
    """What is early by a second Bybit refuses."""
    own, world = Bybit(receive_window_ms=60_000), World(clock=Clock(), seed=b"modes")
    one = way(Settings(mode="live", venues=Venues(bybit=own)), world)
    assert one.clock._most_ns == SECOND_NS
    assert isinstance(one.venue, BybitVenue)
    assert one.venue._now_ns == world.clock.now_ns  # in which notes and deadlines are
    await one.venue.aclose()
