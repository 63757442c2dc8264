"""How the daemon reaches a venue in each mode: which adapter, which addresses, whose account.

    sandbox, testnet, live    the venue's adapter with its key, against the mode's own addresses
    paper                     the adapter without a key, for the markets; a simulated account for everything else

The addresses, and the second switch that live needs, are the settings' business; what is done with a venue is the
floor's.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kangbot.errors import NeedsHuman
from kangbot.feed.bulletin import OnNote
from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.feed.stream import Stream
from kangbot.machines.memory import Memory
from kangbot.model.events import Event, Noted
from kangbot.ports import Feeds, Venue
from kangbot.runtime.world import World
from kangbot.settings import Settings
from kangbot.sim.ledger import Ledger
from kangbot.sim.paper import PaperFeeds, PaperVenue
from kangbot.sim.paper_account import PaperAccount
from kangbot.venues.bybit.feed import BybitPrivate, BybitPublic
from kangbot.venues.bybit.public import VENUE
from kangbot.venues.bybit.venue import BybitVenue

_MILLISECOND_NS = 1_000_000
_CURRENCY = "USDT"  # of the simulated account
_CONNECT_S = 4.0  # to wait for a connection, at most, and half of what a request may take in all
MODE_NOTED = "daemon.mode"


class Past:
    """What the modes must know of the journal: in which mode it was begun, and what a simulated account comes to."""

    def __init__(self) -> None:
        self.ledger = Ledger(VENUE, _CURRENCY)
        self.mode = ""  # "" for a journal without a word on it

    def observe(self, event: Event) -> None:
        """Take the next event of the journal."""
        self.ledger.observe(event)
        if isinstance(event, Noted) and event.kind == MODE_NOTED:
            self.mode = event.message

    def check(self, settings: Settings) -> None:
        """Refuse to take the positions of one world into another. NeedsHuman."""
        mode = settings.bybit_mode
        if self.mode not in ("", mode):
            raise NeedsHuman(
                f"the journal in {settings.state_dir} was begun in mode {self.mode}, and the mode is {mode}",
                remedy="give each mode a state_dir of its own",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A way to trade. `hub` carries the data, for its counters."""

    venue: Venue
    feeds: Feeds
    hub: FeedHub

    @property
    def streams(self) -> Sequence[Stream]:
        """The sockets there are."""
        return self.hub.streams


@asynccontextmanager
async def connection(
    settings: Settings, world: World, *, memory: Memory, past: Past, on_note: OnNote
) -> AsyncIterator[Connection]:
    """Open the way that the mode asks for; nothing is connected until something is asked for."""
    real = _bybit(settings, world)
    try:
        async with _hub(settings, world, real, on_note) as hub:
            if settings.bybit_mode != "paper":
                yield Connection(venue=real, feeds=hub, hub=hub)
                return
            account = PaperAccount(world=world, balance=settings.paper.balance, memory=memory, ledger=past.ledger)
            feeds = PaperFeeds(hub, account)
            try:
                yield Connection(venue=PaperVenue(real, account, world.clock), feeds=feeds, hub=hub)
            finally:
                await feeds.aclose()
    finally:
        await real.aclose()


def _bybit(settings: Settings, world: World) -> BybitVenue:
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


def _hub(settings: Settings, world: World, venue: BybitVenue, on_note: OnNote) -> FeedHub:
    public, private = settings.bybit_ws_public_url, settings.bybit_ws_private_url

    def account() -> BybitPrivate:
        return BybitPrivate(url=private, key=settings.bybit_key, secret=settings.bybit_secret, markets=venue.market_of)

    return FeedHub(
        world=world,
        name=VENUE,
        public=[
            lambda: BybitPublic(url=f"{public}/linear", category="linear"),
            lambda: BybitPublic(url=f"{public}/spot", category="spot"),
        ],
        private=None if settings.bybit_mode == "paper" else account,
        connects=ConnectBudget(world.clock, most=settings.venues.bybit.connects_per_5_minutes),
        on_note=on_note,
    )
