"""Each mode reaches the venue that it names, with the key that belongs there."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import NeedsHuman
from kangbot.feed.hub import FeedHub
from kangbot.machines.memory import Memory
from kangbot.model.events import Noted, Severity
from kangbot.model.ids import VenueName
from kangbot.modes import MODE_NOTED, Connection, Past, connection
from kangbot.modes import noted as noted_in
from kangbot.risk.account import NEW_BALANCE
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.settings import Mode, Settings
from kangbot.settings.kinds import Secret
from kangbot.settings.trading import Market, Paper
from kangbot.settings.venues import BinanceUsdm, Bybit, Venues
from kangbot.sim.paper.ports import PaperFeeds, PaperVenue
from kangbot.venues.binance_usdm.venue import BinanceVenue
from kangbot.venues.bybit.venue import BybitVenue
from tests.support.trade_words import START

BYBIT = Bybit(key=Secret("the-key"), secret=Secret("the-secret"))


def settings(mode: Mode, bybit: Bybit = BYBIT) -> Settings:
    """Return settings of that mode with a key."""
    return Settings(mode=mode, venues=Venues(bybit=bybit), paper=Paper(balance=Decimal(777)))


def opened(chosen: Settings, past: Past | None = None) -> AbstractAsyncContextManager[Connection]:
    """Open the way that the settings ask for."""
    world = World(clock=Clock(), seed=b"modes")
    return connection(chosen, world, memory=Memory(), past=past or Past(chosen.venue), on_note=lambda *_: None)


def noted(mode: str) -> Noted:
    """Return the journal's word on its mode."""
    return Noted(kind=MODE_NOTED, severity=Severity.INFO, market=None, message=mode, at_ns=START)


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
        assert isinstance(way.hub, FeedHub)
        assert way.hub._private is not None
        assert list(way.streams) == []


async def test_on_paper_there_is_no_key_and_no_private_stream() -> None:
    """Whatever is configured: what is not there signs nothing and asks for no account."""
    async with opened(settings("paper")) as way:
        assert isinstance(way.venue, PaperVenue)
        assert isinstance(way.feeds, PaperFeeds)
        real = way.venue._real
        assert isinstance(real, BybitVenue)
        exchange = real._client._exchange
        assert (exchange.apiKey, exchange.secret) == ("", "")
        assert set(exchange.urls["api"].values()) == {"https://api.bybit.com"}
        assert way.hub._private is None
        assert [balance.equity for balance in await way.venue.balances()] == [Decimal(777)]


async def test_a_connection_is_waited_for_no_longer_than_half_of_a_request() -> None:
    """However short the configured patience is: being unable to connect is told apart from no answer."""
    for patience_ms, connect_s in ((500, 0.25), (60_000, 4.0)):
        async with opened(settings("sandbox", replace(BYBIT, request_timeout_ms=patience_ms))) as way:
            assert isinstance(way.venue, BybitVenue)
            timeout = way.venue._http._timeout
            assert (timeout.total, timeout.connect) == (patience_ms / 1000, connect_s)


async def test_binance_gives_the_markets_of_a_paper_account() -> None:
    """Its own addresses and budgets are those that were set; there is no private stream."""
    own = BinanceUsdm(
        rest_url="http://127.0.0.1:1/",
        ws_public_url="ws://127.0.0.1:1",
        connects_per_5_minutes=7,
        requests_per_second=3,
    )
    market = Market(symbol="BTC/USDT:USDT", venue="binance_usdm")
    async with opened(Settings(mode="paper", markets=(market,), venues=Venues(binance_usdm=own))) as way:
        assert isinstance(way.venue, PaperVenue)
        real = way.venue._real
        assert isinstance(real, BinanceVenue)
        assert (way.venue.name, real._rest_url) == ("binance_usdm", "http://127.0.0.1:1")
        assert [dialect().url for dialect in way.way.public] == [
            "ws://127.0.0.1:1/public/stream",
            "ws://127.0.0.1:1/market/stream",
        ]
        assert way.hub._private is None
        assert way.way.connects_per_5_minutes == 7
        assert [(window.most, window.span_ns // SECOND_NS) for window in way.way.data_windows] == [(3, 1), (120, 60)]


def test_a_journal_stays_at_its_venue() -> None:
    """What was held at one venue is held nowhere at another; a journal that names no venue is Bybit's."""
    here = settings("paper")
    there = Settings(mode="paper", markets=(Market(symbol="BTC/USDT:USDT", venue="binance_usdm"),))
    for begun, other in ((here, there), (there, here)):
        past = Past(begun.venue)
        past.observe(noted_in(begun, START))
        past.check(begun)
        with pytest.raises(NeedsHuman, match=f"begun in mode paper at {begun.venue}"):
            past.check(other)
    old = Past(VenueName("bybit"))
    old.observe(noted("paper"))
    old.check(here)
    with pytest.raises(NeedsHuman):
        old.check(there)


def test_a_journal_stays_in_its_mode() -> None:
    """Paper positions are not taken to a real account, nor real ones onto paper; an old journal belongs to nobody."""
    past = Past(VenueName("bybit"))
    past.check(settings("live"))
    past.observe(noted("paper"))
    past.observe(msgspec.structs.replace(noted("live"), kind="daemon.stopped"))
    past.check(settings("paper"))
    with pytest.raises(NeedsHuman) as refused:
        past.check(settings("live"))
    assert "begun in mode paper" in refused.value.message


def test_the_balance_of_an_account_on_paper_is_told_and_told_again_where_it_is_another() -> None:
    """Over a checkpoint; a journal from before these words is told once, and loses count of nothing by it."""
    rich, poor = settings("paper"), replace(settings("paper"), paper=Paper(balance=Decimal(500)))
    past = Past(VenueName("bybit"))
    past.observe(noted_in(rich, START))
    for chosen, kinds in (
        (rich, ["paper.balance"]),
        (rich, []),
        (poor, [NEW_BALANCE]),
        (poor, []),
        (rich, [NEW_BALANCE]),
    ):
        told = list(past.news(chosen, START))
        assert [note.kind for note in told] == kinds
        assert all(f"{chosen.paper.balance} USDT" in note.message for note in told)
        for note in told:
            past.observe(note)
        after = Past(VenueName("bybit"))
        after.resume(past.checkpoint())
        past = after


def test_a_new_journal_is_told_where_it_begins() -> None:
    """Of a balance on paper alone: elsewhere it is the venue's to tell."""
    assert [note.kind for note in Past(VenueName("bybit")).news(settings("paper"), START)] == [
        MODE_NOTED,
        "paper.balance",
    ]
    assert [note.kind for note in Past(VenueName("bybit")).news(settings("sandbox"), START)] == [MODE_NOTED]
