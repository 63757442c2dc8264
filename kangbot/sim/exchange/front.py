"""The simulated venue behind the port: each question and request of `ports.Venue`, answered at once.

Synchronous and pure, time is an argument. What lies between (a network, a receive window, rate limits) is
`sim/world/network.py`; paper trading puts nothing between. Refusals are translated into the errors that the port names.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal

import msgspec

from kangbot.errors import DuplicateId, InsufficientFunds, NotFound, Refused, Retryable
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import ClientId, MarketId, Symbol
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import (
    Balance,
    CashFlow,
    Evidence,
    Fill,
    Intent,
    OrderReport,
    OrderStatus,
    Transfer,
    VenuePosition,
)
from kangbot.ports import Lookup
from kangbot.sim.exchange.beside import cover
from kangbot.sim.exchange.events import Executed
from kangbot.sim.exchange.orders import OrderRequest, SimOrder
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.sim.exchange.venue import SimVenue

_ERRORS: Mapping[Reason, type[Refused | Retryable]] = {
    Reason.DUPLICATE_ID: DuplicateId,
    Reason.BALANCE: InsufficientFunds,
    Reason.UNKNOWN_ORDER: NotFound,
    Reason.NO_POSITION: NotFound,
    Reason.UNKNOWN_MARKET: NotFound,
    Reason.NOT_QUOTED: Retryable,  # on paper, before the first quote: it says nothing of what was asked
}


class Front:
    """Answers for one venue. `lag_ns`: questions do not see orders and executions that are younger than that."""

    def __init__(self, engine: SimVenue) -> None:
        self.engine = engine
        self.lag_ns = 0
        self.hidden = 0  # orders and executions that a question did not see

    # ------------------------------------------------------------------------------------------------------- markets
    def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of the markets that are listed."""
        rules = [desk.spec.instrument for desk in self.engine.desks.values()]
        listed = {instrument.symbol: instrument for instrument in rules}
        return {symbol: listed[symbol] for symbol in symbols if symbol in listed}

    def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        """Return the newest closed bars. Refused where they are not of whole minutes."""
        if timeframe_s % 60:
            raise Refused(f"there are no bars of {timeframe_s} s", code="timeframe")
        candles = self.engine.desks[instrument.market].klines.candles(timeframe_s, limit + 1)
        return [candle.bar for candle in candles if candle.closed][-limit:]

    def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        """Return the newest public trades."""
        return list(self.engine.desks[instrument.market].tape)[-limit:]

    def quote(self, instrument: Instrument) -> Quote:
        """Return the top of the book. Retryable while a side of it is empty."""
        book = self.engine.desks[instrument.market].book
        if not (book.quoted and book.quote.bid_quantity and book.quote.ask_quantity):
            raise Retryable(f"a side of {instrument.symbol}'s book is empty")
        return book.quote

    def mark(self, instrument: Instrument) -> Price | None:
        """Return the price at which positions are valued; None for a spot pair."""
        return None if instrument.kind is InstrumentKind.SPOT else self.engine.desks[instrument.market].mark

    # -------------------------------------------------------------------------------------------------------- orders
    def submit(self, intent: Intent, now_ns: int) -> OrderReport:
        """Take an order with its stop. Like Bybit it says that the order was taken in; the stream tells the rest."""
        with _worded():
            return _acknowledged(self.engine.submit(OrderRequest.of(intent), now_ns))

    def cancel(self, client_id: ClientId, now_ns: int) -> None:
        """Cancel an open order."""
        with _worded():
            self.engine.cancel(now_ns, client_id=client_id)

    def protect(self, instrument: Instrument, stop: Price | None, now_ns: int) -> None:
        """Set the position's stop; its take-profit stays."""
        with _worded(Reason.NOT_MODIFIED):
            self.engine.set_stops(instrument.market, stop, self.engine.target(instrument.market), now_ns)

    def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, now_ns: int
    ) -> ClientId | None:
        """Have exactly one stop of ours rest beside a spot holding; None: none."""
        with _worded():
            return cover(self.engine, instrument.market, stop, quantity=quantity, order=order, now_ns=now_ns)

    def prepare(self, instrument: Instrument, leverage: int, now_ns: int) -> None:
        """Set the leverage."""
        with _worded(Reason.NOT_MODIFIED, Reason.NOT_SUPPORTED):
            self.engine.set_leverage(instrument.market, Decimal(leverage), now_ns)

    # ----------------------------------------------------------------------------------------------------- questions
    def find(self, client_id: ClientId, now_ns: int) -> Lookup:
        """Return the order, whatever became of it."""
        order = self.engine.orders.find(client_id=client_id)
        if order is None or self._hides(order.created_ns, now_ns):
            return Lookup(report=None, at_ns=now_ns)
        return Lookup(report=_report(order, Evidence.QUERY), at_ns=now_ns)

    def open_orders(self, now_ns: int) -> Sequence[OrderReport]:
        """Return every open order."""
        return _reports(order for order in self.engine.orders.open() if not self._hides(order.created_ns, now_ns))

    def executions(self, since_ns: int, now_ns: int, market: MarketId | None = None) -> Sequence[Fill | CashFlow]:
        """Return fills and cash flows since then, oldest first; of one market if named."""
        found: list[Fill | CashFlow] = []
        for told in reversed(self.engine.executions):
            event = told.fill if isinstance(told, Executed) else told.flow
            if event.at_ns < since_ns:
                break
            if market in (None, event.market) and not self._hides(event.at_ns, now_ns):
                found.append(event)
        return found[::-1]

    def transfers(self, since_ns: int, now_ns: int) -> Sequence[Transfer]:
        """Return what was moved since then, oldest first."""
        moved = [transfer for transfer in self.engine.transfers if transfer.at_ns >= since_ns]
        return [transfer for transfer in moved if not self._hides(transfer.at_ns, now_ns)]

    def positions(self, now_ns: int) -> Sequence[VenuePosition]:
        """Return the open positions."""
        return [self.engine.position(market, now_ns) for market in self.engine.account.open_markets()]

    def balances(self, now_ns: int) -> Sequence[Balance]:
        """Return the account's money, and the coins that spot markets left in it."""
        money = self.engine.balance(now_ns)
        coins = [
            Balance(currency=coin, equity=amount, available=amount, at_ns=now_ns)
            for coin, amount in self.engine.account.coins.items()
            if amount and coin != money.currency
        ]
        return [money, *coins]

    def _hides(self, at_ns: int, now_ns: int) -> bool:
        """Whether what happened at `at_ns` is too young to be seen."""
        hides = at_ns > now_ns - self.lag_ns
        self.hidden += hides
        return hides


def _report(order: SimOrder, evidence: Evidence) -> OrderReport:
    return msgspec.structs.replace(order.report(), evidence=evidence)


def _acknowledged(order: SimOrder) -> OrderReport:
    return OrderReport(
        market=order.market,
        client_id=ClientId(order.request.client_id),
        venue_order_id=order.order_id,
        status=OrderStatus.ACKED,
        side=order.side,
        quantity=order.quantity,
        reduce_only=order.request.reduce_only,
        at_ns=order.created_ns,
        evidence=Evidence.ANSWER,
    )


def _reports(orders: Iterable[SimOrder]) -> Sequence[OrderReport]:
    return [_report(order, Evidence.QUERY) for order in orders]


@contextmanager
def _worded(*harmless: Reason) -> Iterator[None]:
    """Have a refusal be the error that the port names; nothing comes of one for a harmless reason."""
    try:
        yield
    except RequestRefused as refused:
        if refused.reason not in harmless:
            raise _ERRORS.get(refused.reason, Refused)(refused.message, code=refused.reason.value) from refused
