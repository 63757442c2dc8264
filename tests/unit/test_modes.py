"""Each mode reaches the venue that it names, with the key that belongs there."""

from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from pathlib import Path

import msgspec

from kangbot.execution.calls import turn
from kangbot.feed.kept import Counted
from kangbot.feed.rules import terms
from kangbot.machines.memory import Memory
from kangbot.modes import CONNECTS, Connection, Past, budgets, connection
from kangbot.runtime.world import Clock, World
from kangbot.settings import Mode, Settings
from kangbot.settings.feeds import FeedSettings
from kangbot.settings.kinds import Secret
from kangbot.settings.trading import Market, Paper
from kangbot.settings.venues import BinanceUsdm, Bybit, Venues
from kangbot.sim.paper.ports import PaperFeeds, PaperVenue
from kangbot.venues.binance_usdm.venue import BinanceVenue
from kangbot.venues.bybit.venue import BybitVenue

BYBIT = Bybit(key=Secret("the-key"), secret=Secret("the-secret"))


def settings(mode: Mode, bybit: Bybit = BYBIT) -> Settings:
    """Return settings of that mode with a key."""
    return Settings(mode=mode, venues=Venues(bybit=bybit), paper=Paper(balance=Decimal(777)))


def opened(
    chosen: Settings, past: Past | None = None, memory: Memory | None = None
) -> AbstractAsyncContextManager[Connection]:
    """Open the way that the settings ask for."""
    world = World(clock=Clock(), seed=b"modes")
    return connection(
        chosen, world, memory=memory or Memory(), past=past or Past(chosen.venue), on_note=lambda *_: None
    )


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


async def test_an_account_on_paper_is_what_the_journal_knows_of_it() -> None:
    """Its coins from the fold, its orders from the memory; its funding is the real venue's, and nothing is doubted."""
    past, memory = Past(settings("paper").venue), Memory()
    past.ledger.coins["USDT"] = Decimal(23)
    async with opened(settings("paper"), past, memory) as way:
        assert isinstance(way.venue, PaperVenue)
        assert [balance.equity for balance in await way.venue.balances()] == [Decimal(800)]
        account = way.venue._account
        assert account._memory is memory
        assert way.deaf == account.deaf
        assert way.venue._funding._rates == way.way.rates == way.venue._real.funding  # type: ignore[attr-defined]


async def test_each_request_has_its_turn_and_no_connection_outlives_the_mode() -> None:
    """At either venue, for whichever account."""
    binance = Market(symbol="BTC/USDT:USDT", venue="binance_usdm")
    for chosen in (settings("live"), settings("paper"), Settings(mode="paper", markets=(binance,))):
        async with opened(chosen) as way:
            real = way.way.venue
            assert isinstance(real, BybitVenue | BinanceVenue)
            turns = real._client._exchange.kangbot_turn if isinstance(real, BybitVenue) else real._turn
            assert turns is turn
            assert real._http._timings is way.way.timings
            assert not real._http._closed
        assert real._http._closed


async def test_connects_of_an_earlier_life_count_and_this_lifes_are_kept(tmp_path: Path) -> None:
    """The venue's host has not forgotten them, and bans an address that dials too often."""
    clock = Clock()
    before = Counted(stamps=(clock.now_ns(), clock.now_ns()))
    (tmp_path / CONNECTS).write_bytes(msgspec.json.encode(before))
    few = Venues(bybit=Bybit(connects_per_5_minutes=3), binance_usdm=BinanceUsdm(connects_per_5_minutes=3))
    binance = Market(symbol="BTC/USDT:USDT", venue="binance_usdm")
    for chosen in (
        Settings(mode="live", state_dir=tmp_path, venues=few),
        Settings(mode="paper", state_dir=tmp_path, venues=few, markets=(binance,)),
    ):
        (tmp_path / CONNECTS).write_bytes(msgspec.json.encode(before))
        async with opened(chosen) as way:
            connects = way.hub._connects
            assert tuple(connects.stamps) == before.stamps
            await connects.permit()
            assert connects._wait_ns(clock.now_ns()) > 0  # the third of three
        kept = msgspec.json.decode((tmp_path / CONNECTS).read_bytes(), type=Counted)
        assert kept.stamps[:2] == before.stamps
        assert len(kept.stamps) == 3


async def test_the_account_is_signed_for_by_the_venues_clock() -> None:
    """A login that expires by ours is refused where ours is slow."""
    async with opened(settings("live")) as way:
        way.way.clock._offset_ns = -3_600_000_000_000
        assert abs(way.hub._venue_now_ns() - way.way.clock.now_ns()) < 1_000_000_000


def test_how_much_silence_is_allowed_is_as_it_was_set() -> None:
    """Of quotes, which accuse a connection; of trades, which accuse nobody; and of bars."""
    chosen = FeedSettings(
        quote_first_s=11,
        quote_least_s=5,
        quote_most_s=31,
        trade_first_s=301,
        trade_least_s=61,
        trade_most_s=901,
        bar_grace_s=29,
    )
    silence = budgets(chosen)
    assert silence.quote == terms(11, 5, 31)
    assert silence.trade == terms(301, 61, 901, witness=False)
    assert silence.bar_grace_s == 29
