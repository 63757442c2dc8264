"""Paper trading: a real venue's markets, a simulated account, behind the ports of a venue and of its feeds.

    venue = PaperVenue(real_venue, account, …)  market data from the one, orders and their questions to the other
    feeds = PaperFeeds(real_feeds, account)     what the markets say moves the account too

Nothing but public data is ever asked of the real venue: it is given no key, and no method here that concerns an account
reaches it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import ClientId, MarketId, Symbol, VenueName
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import AccountEvent, Balance, Intent, OrderReport, Transfer, VenuePosition
from kangbot.ports import Channel, Feeds, IdRule, Lookup, Sink, Subscription, Topic, Venue
from kangbot.runtime.world import Clock
from kangbot.sim.exchange.front import Front
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.funding import PaperFunding, Rates

T = TypeVar("T")

_MOVED_BY: Mapping[Channel, int | None] = {Channel.QUOTE: None, Channel.TRADE: None}


class PaperVenue:
    """`ports.Venue`: `real` answers for the markets, `account` for orders, positions and money.

    `rates` asks the real venue for the funding that it has settled.
    """

    def __init__(self, real: Venue, account: PaperAccount, clock: Clock, rates: Rates) -> None:
        self._real = real
        self._account = account
        self._front = Front(account.engine)
        self._clock = clock
        self._funding = PaperFunding(account, real, rates, clock)

    @property
    def name(self) -> VenueName:
        """The real venue's name: markets, journal and history know it by that."""
        return self._real.name

    @property
    def id_rule(self) -> IdRule:
        """The simulated account refuses an id for as long as it remembers it: a day, and while the order is open."""
        return IdRule.FOR_EVER

    @property
    def tells_mark(self) -> bool:
        """Whether the real venue tells the price at which positions are valued."""
        return self._real.tells_mark

    # ------------------------------------------------------------------------------------------------------- markets
    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of the markets asked for; from now on they can be traded on paper."""
        found = await self._real.instruments(symbols)
        for instrument in found.values():
            price = await self._price(instrument)
            self._account.add_market(instrument, price)
        return found

    async def _price(self, instrument: Instrument) -> Price | None:
        """Return what a remembered position is worth now; None where there is none to value."""
        entry = self._account.entry(instrument.market)
        if entry is None:
            return None
        trades = await self._real.trades(instrument, 1)
        return trades[-1].price if trades else entry

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        """Return the real venue's bars."""
        return await self._real.bars(instrument, timeframe_s, limit)

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        """Return the real venue's trades."""
        return await self._real.trades(instrument, limit)

    async def quote(self, instrument: Instrument) -> Quote:
        """Return the real venue's top of the book, which moves the account as well: its stream may be silent."""
        quote = await self._real.quote(instrument)
        self._account.offer(quote, 0)
        return quote

    async def mark(self, instrument: Instrument) -> Price | None:
        """Return the real venue's mark price."""
        return await self._real.mark(instrument)

    async def server_time_ns(self) -> int:
        """Return the real venue's clock."""
        return await self._real.server_time_ns()

    # -------------------------------------------------------------------------------------------------------- orders
    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        """Place the order at the simulated account; it arrives at once."""
        del instrument, sent_ns
        self._account.forget()
        return self._change(lambda: self._front.submit(intent, self._clock.now_ns()))

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:
        """Cancel an open order."""
        del instrument
        self._change(lambda: self._front.cancel(client_id, self._clock.now_ns()))

    async def protect(self, instrument: Instrument, stop: Price | None) -> None:
        """Set the stop of the open position."""
        self._change(lambda: self._front.protect(instrument, stop, self._clock.now_ns()))

    async def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        """Have one stop rest beside a holding."""
        del fresh
        return self._change(lambda: self._front.cover(instrument, stop, quantity, order, self._clock.now_ns()))

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        """Set the leverage."""
        self._change(lambda: self._front.prepare(instrument, leverage, self._clock.now_ns()))

    def _change(self, act: Callable[[], T]) -> T:
        """Do it, and tell what followed, as a private stream does beside the answer."""
        try:
            return act()
        finally:
            self._account.tell()

    # ------------------------------------------------------------------------------------------------------- account
    async def find(self, instrument: Instrument, client_id: ClientId) -> Lookup:
        """Return the order under that id."""
        del instrument
        return self._front.find(client_id, self._clock.now_ns())

    async def open_orders(self) -> Sequence[OrderReport]:
        """Return every open order of the account."""
        return self._front.open_orders(self._clock.now_ns())

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        """Return fills and cash flows of this life of the daemon; those before are in its journal, all of them.

        Funding that fell due meanwhile is booked before: this is asked for once a minute, and last of all.
        """
        await self._funding.settle()
        return self._front.executions(since_ns, self._clock.now_ns(), market)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return the open positions."""
        return self._front.positions(self._clock.now_ns())

    async def balances(self) -> Sequence[Balance]:
        """Return the account's money."""
        return self._front.balances(self._clock.now_ns())

    async def transfers(self, since_ns: int) -> Sequence[Transfer]:
        """Return none: another balance is given by the configuration, and told by `modes/past.py`."""
        del since_ns
        return ()

    async def aclose(self) -> None:
        """Nothing is held open here; the real venue is its owner's to close."""


class PaperFeeds:
    """`ports.Feeds`: the real markets for everybody, and for the account of paper trading as well.

    The account follows a market from its first subscription on, and one that it has something in from the start: a stop
    is watched for, whether the market's strategy runs or not.
    """

    def __init__(self, real: Feeds, account: PaperAccount) -> None:
        self._real = real
        self._account = account
        self._followed: dict[MarketId, Subscription] = {}

    def subscribe(
        self, instrument: Instrument, channels: Mapping[Channel, int | None], sink: Sink, *, eager: bool = True
    ) -> Subscription:
        """Ask for these channels of the market."""
        self._follow(instrument)
        return self._real.subscribe(instrument, channels, sink, eager=eager)

    def account(self, sink: Sink) -> Subscription:
        """Tell what happens in the simulated account to `sink`: there is nothing to wait for."""
        for instrument in self._account.occupied:
            self._follow(instrument)
        self._account.listen(sink)
        sink.feed_changed(Topic(market=None, channel=Channel.ACCOUNT, native="paper"), live=True, reason="simulated")
        return _Listening(self._account)

    async def aclose(self) -> None:
        """Let the markets go."""
        while self._followed:
            _, subscription = self._followed.popitem()
            await subscription.aclose()

    def _follow(self, instrument: Instrument) -> None:
        if instrument.market not in self._followed:
            self._followed[instrument.market] = self._real.subscribe(instrument, _MOVED_BY, self._account, eager=False)


class _Listening:
    """Implements `ports.Subscription` for the simulated private stream."""

    def __init__(self, account: PaperAccount) -> None:
        self._account = account

    async def live(self) -> None:
        """Return at once."""

    async def aclose(self) -> None:
        """Listen no more."""
        self._account.listen(None)
