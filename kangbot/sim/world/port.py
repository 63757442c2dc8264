"""`ports.Venue` over the simulated venue: what the daemon trades with in a simulation.

The port only words the requests: what the venue answers is `exchange/front.py`, how it gets there a `Carrier`. Each
request that concerns the account is stamped and carries a receive window, as at the real venues: the venue refuses it
outside.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import ClientId, ExecutionId, MarketId, Symbol, VenueName
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import AccountEvent, Balance, CashFlow, Fill, Intent, OrderReport, Transfer, VenuePosition
from kangbot.ports import IdRule, Lookup, Turn
from kangbot.sim.exchange.front import Front
from kangbot.sim.world.network import Carrier, Stamp

T = TypeVar("T")

ROWS_A_PAGE = 1000


class Stamps(Protocol):
    """What requests are stamped by: a clock of ours, or what we know of the venue's."""

    def now_ns(self) -> int:
        """Return its time."""


class SimPort:
    """One process' way to the venue. `venue_now_ns` is the clock of the venue's events, `window_ns` the receive window.

    `door_ns` is the clock that it judges the window by and tells; the same by default. `turn` is asked for before each
    request; by default there is no budget to keep. The venue tells of `rows_a_page` executions at once.
    """

    def __init__(
        self,
        *,
        name: VenueName,
        front: Front,
        carrier: Carrier,
        clock: Stamps,
        venue_now_ns: Callable[[], int],
        id_rule: IdRule,
        window_ns: int,
        door_ns: Callable[[], int] | None = None,
        turn: Turn = nullcontext,
        rows_a_page: int = ROWS_A_PAGE,
    ) -> None:
        self._name = name
        self._front = front
        self._carrier = carrier
        self._clock = clock
        self._now_ns = venue_now_ns
        self._door_ns = door_ns or venue_now_ns
        self._id_rule = id_rule
        self._window_ns = window_ns
        self._turn = turn
        self._rows_a_page = rows_a_page

    @property
    def name(self) -> VenueName:
        """The venue's name in the configuration."""
        return self._name

    @property
    def id_rule(self) -> IdRule:
        """How long client ids stay unique."""
        return self._id_rule

    @property
    def tells_mark(self) -> bool:
        """The simulated venue tells the price at which positions are valued."""
        return True

    # ------------------------------------------------------------------------------------------------------- markets
    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of the markets asked for."""
        return await self._ask(lambda: self._front.instruments(symbols), public=True)

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        """Return the newest closed bars."""
        return await self._ask(lambda: self._front.bars(instrument, timeframe_s, limit), public=True)

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        """Return the newest public trades."""
        return await self._ask(lambda: self._front.trades(instrument, limit), public=True)

    async def quote(self, instrument: Instrument) -> Quote:
        """Return the top of the book."""
        return await self._ask(lambda: self._front.quote(instrument), public=True)

    async def mark(self, instrument: Instrument) -> Price | None:
        """Return the mark price, past the network: it holds entries back and does nothing else that could fail."""
        return self._front.mark(instrument)

    # -------------------------------------------------------------------------------------------------------- orders
    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        """Place the order under the intent's client id with its stop."""
        del instrument, sent_ns  # no time passes between the note and the stamp of `carry`
        return await self._change(lambda: self._front.submit(intent, self._now_ns()))

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:  # noqa: ARG002 -- same
        """Ask for cancellation."""
        await self._change(lambda: self._front.cancel(client_id, self._now_ns()))

    async def protect(self, instrument: Instrument, stop: Price | None) -> None:
        """Set the stop of the open position."""
        await self._change(lambda: self._front.protect(instrument, stop, self._now_ns()))

    async def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        """Have one stop rest beside a holding."""
        del fresh  # what costs a round trip is not told apart here
        return await self._change(lambda: self._front.cover(instrument, stop, quantity, order, self._now_ns()))

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        """Set the leverage."""
        async with self._turn():
            await self._carrier.carry(
                lambda: self._front.prepare(instrument, leverage, self._now_ns()), changes=True, public=True
            )

    # ----------------------------------------------------------------------------------------------------- questions
    async def find(self, instrument: Instrument, client_id: ClientId) -> Lookup:  # noqa: ARG002 -- same
        """Ask for the order; the answer tells the venue's time."""
        return await self._ask(lambda: self._found(client_id))

    def _found(self, client_id: ClientId) -> Lookup:
        return msgspec.structs.replace(self._front.find(client_id, self._now_ns()), venue_ns=self._door_ns())

    async def open_orders(self) -> Sequence[OrderReport]:
        """Return every open order."""
        return await self._ask(lambda: self._front.open_orders(self._now_ns()))

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        """Return fills and cash flows since then, however many requests that takes."""
        found: list[Fill | CashFlow] = []
        while True:
            last = found[-1].execution_id if found else None
            page = await self._ask(partial(self._page, since_ns, market, last))
            found.extend(page)
            if len(page) < self._rows_a_page:
                return found

    def _page(self, since_ns: int, market: MarketId | None, last: ExecutionId | None) -> Sequence[Fill | CashFlow]:
        rows = self._front.executions(since_ns, self._now_ns(), market)
        begin = next((index for index, row in enumerate(rows, 1) if row.execution_id == last), 0)
        return rows[begin : begin + self._rows_a_page]

    async def positions(self) -> Sequence[VenuePosition]:
        """Return the open positions."""
        return await self._ask(lambda: self._front.positions(self._now_ns()))

    async def balances(self) -> Sequence[Balance]:
        """Return the account's money."""
        return await self._ask(lambda: self._front.balances(self._now_ns()))

    async def transfers(self, since_ns: int) -> Sequence[Transfer]:
        """Return what was moved into the account and out of it since then."""
        return await self._ask(lambda: self._front.transfers(since_ns, self._now_ns()))

    async def server_time_ns(self) -> int:
        """Return the venue's clock."""
        return await self._ask(self._door_ns, public=True)

    async def aclose(self) -> None:
        """Nothing is held open."""

    # ------------------------------------------------------------------------------------------------------- private
    async def _ask(self, act: Callable[[], T], *, public: bool = False) -> T:
        async with self._turn():
            return await self._carrier.carry(act, changes=False, stamp=None if public else self._stamp(), public=public)

    async def _change(self, act: Callable[[], T]) -> T:
        async with self._turn():
            return await self._carrier.carry(act, changes=True, stamp=self._stamp())

    def _stamp(self) -> Stamp:
        now_ns = self._clock.now_ns()
        return Stamp(now_ns, now_ns + self._window_ns)
