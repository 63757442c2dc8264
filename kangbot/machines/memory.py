"""What the daemon remembers: the fold of its journal, market by market.

`Recollection.add` takes the records in order; `memory` is what they come to, and another recollection can go on from
there. A pure fold: replaying twice gives the same and emits nothing. Reading the file is `journal/replay.py`; what
follows for orders that were in flight, and asking the venue about them, is left to `execution/`.
"""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from kangbot.machines.contradiction import contradicted, of_contradiction
from kangbot.machines.executions import Executions
from kangbot.machines.hands import Hands, of_hands
from kangbot.machines.holding import Holding
from kangbot.machines.kept_orders import KeptOrders
from kangbot.machines.order import Order
from kangbot.model.events import (
    BarStored,
    CashFlowApplied,
    Desired,
    DesiredChanged,
    EquityMarked,
    Event,
    FillApplied,
    Noted,
    OrderChanged,
    OrderIntended,
    Record,
    RoundTripClosed,
    RunState,
    RunStateChanged,
    StopSet,
)
from kangbot.model.ids import ExecutionId, MarketId
from kangbot.model.money import ZERO, Money, Price
from kangbot.model.orders import Evidence
from kangbot.model.position import Position, RoundTrip
from kangbot.model.written import Written

DAY_NS = 24 * 3600 * 1_000_000_000
_DAYS_KEPT = 32


class MarketMemory(Written, frozen=True, kw_only=True):
    """What is remembered of one market."""

    market: MarketId
    orders: tuple[Order, ...] = ()  # as journalled: every unsettled one, and the newest settled ones; oldest first
    position: Position
    executions: dict[ExecutionId, int] = msgspec.field(default_factory=dict)  # id to venue time, of about the last day
    forgotten_ns: int = 0  # venue time of the newest execution whose id is forgotten
    last_execution_ns: int = 0  # venue time; 0 where there was none
    stop: Price | None = None  # rests at the venue, as far as we know
    holding: Holding = Holding()
    hands: Hands = Hands()
    contradiction: str = ""  # what the venue said of an order and cannot be; until a person releases the market
    desired: Desired | None = None
    run_state: RunState | None = None
    last_trip: RoundTrip | None = None
    # by day number since the epoch (UTC): round trips after fees, and cash flows
    realised_by_day: dict[int, Money] = msgspec.field(default_factory=dict)
    funding: Money = ZERO  # every cash flow ever; negative where it was paid


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of everything."""

    last_sequence: int = 0
    born_ns: int = 0  # time of the first record; 0 for an empty journal: what happened before is not ours
    next_number: int = 1  # of the next intent
    markets: Mapping[MarketId, MarketMemory] = {}
    equity: Mapping[tuple[str, str], Money] = {}  # (venue, currency), as marked last

    def market(self, market: MarketId) -> MarketMemory:
        """Return what is remembered of `market`: nothing, where it was never traded."""
        return self.markets.get(market) or MarketMemory(market=market, position=Position(market=market))


class Recollection:
    """The fold. Large state with one writer: mutable while it grows."""

    def __init__(self, memory: Memory | None = None) -> None:
        """Begin with nothing, or go on from `memory`."""
        before = memory or Memory()
        self._last_sequence = before.last_sequence
        self._born_ns = before.born_ns
        self._next_number = before.next_number
        self._markets = {market: _Market(known) for market, known in before.markets.items()}
        self._equity = dict(before.equity)

    def add(self, record: Record) -> None:
        """Take the next record, in the order of sequences."""
        event = record.event
        self._last_sequence = record.sequence
        self._born_ns = self._born_ns or event.at_ns
        if isinstance(event, BarStored):  # the most common first: it says that the market is there
            self._market(event.bar.market)
            return
        if isinstance(event, EquityMarked):
            self._equity[event.venue, event.currency] = event.equity
            return
        if isinstance(event, OrderIntended):
            self._next_number = max(self._next_number, event.intent.number + 1)
        found = _of_market(event)
        if found is not None:
            market, told = found
            self._market(market).add(told)

    def _market(self, market: MarketId) -> "_Market":
        known = self._markets.get(market)
        if known is None:
            known = self._markets[market] = _Market(MarketMemory(market=market, position=Position(market=market)))
        return known

    def memory(self) -> Memory:
        """Return what the records so far come to."""
        return Memory(
            last_sequence=self._last_sequence,
            born_ns=self._born_ns,
            next_number=self._next_number,
            markets={market: state.memory() for market, state in self._markets.items()},
            equity=dict(self._equity),
        )


def add_to_day(days: dict[int, Money], at_ns: int, amount: Money) -> None:
    """Book `amount` on the day of `at_ns`, in place; days of long ago are forgotten."""
    day = at_ns // DAY_NS
    days[day] = days.get(day, ZERO) + amount
    for old in [known for known in days if known <= day - _DAYS_KEPT]:
        del days[old]


_OfMarket = (
    OrderIntended
    | OrderChanged
    | FillApplied
    | CashFlowApplied
    | RoundTripClosed
    | StopSet
    | DesiredChanged
    | RunStateChanged
    | Noted
)


class _Market:
    """The fold of one market's events."""

    def __init__(self, before: MarketMemory) -> None:
        self._market = before.market
        self._orders = KeptOrders(before.orders)
        self._position = before.position
        self._executions = Executions(before.executions, before.forgotten_ns)
        self._stop = before.stop
        self._holding = before.holding
        self._hands = before.hands
        self._contradiction = before.contradiction
        self._desired = before.desired
        self._run_state = before.run_state
        self._last_trip = before.last_trip
        self._days = dict(before.realised_by_day)
        self._funding = before.funding

    def memory(self) -> MarketMemory:
        return MarketMemory(
            market=self._market,
            orders=tuple(self._orders),
            position=self._position,
            executions=dict(self._executions.items()),
            forgotten_ns=self._executions.forgotten_ns,
            last_execution_ns=self._executions.last_ns,
            stop=self._stop,
            holding=self._holding,
            hands=self._hands,
            contradiction=self._contradiction,
            desired=self._desired,
            run_state=self._run_state,
            last_trip=self._last_trip,
            realised_by_day=dict(self._days),
            funding=self._funding,
        )

    def add(self, event: _OfMarket) -> None:
        match event:
            case OrderIntended(intent=intent):
                self._orders.keep(Order(intent=intent, settle_ns=intent.deadline_ns))
            case OrderChanged():
                self._changed(event)
            case FillApplied():
                self._filled(event)
            case CashFlowApplied(flow=flow):
                self._executions.add(flow.execution_id, flow.at_ns)
                add_to_day(self._days, flow.at_ns, flow.amount)
                self._funding += flow.amount
            case RoundTripClosed(trip=trip):
                self._last_trip = trip
                add_to_day(self._days, trip.closed_ns, trip.net_profit)
            case StopSet(price=price):
                self._stop = price
                self._holding = self._holding.rests(price)
            case DesiredChanged(desired=desired):
                self._desired = desired
            case RunStateChanged(after=after):
                self._run_state = after
            case Noted():
                self._hands = self._hands.noted(event)
                self._contradiction = contradicted(self._contradiction, event)
            case _:
                assert_never(event)

    def _changed(self, event: OrderChanged) -> None:
        """Take in how an order stood; not how large somebody had made it, nor that we had asked for its end.

        The venue tells both anew: what it shows larger than it was intended is then found, and withdrawn, as at first.
        """
        order = self._orders.get(event.client_id)
        if order is None:
            return  # settled and forgotten; a late word of it
        self._orders.keep(
            msgspec.structs.replace(
                order,
                status=event.status,
                evidence=event.evidence,
                venue_order_id=event.venue_order_id,
                reported=max(order.reported, event.filled),
                seen=order.seen or event.venue_order_id is not None or event.evidence is Evidence.DUPLICATE_ID,
                code=event.code,
                message=event.message,
                changed_ns=event.at_ns,
            )
        )

    def _filled(self, event: FillApplied) -> None:
        fill, before = event.fill, self._position.net
        self._position, trips = self._position.apply(fill, self._holding.by_hand)
        self._executions.add(fill.execution_id, fill.at_ns)
        order = None if fill.client_id is None else self._orders.get(fill.client_id)
        intent = None if order is None else order.intent
        after = self._position.net
        self._holding = self._holding.filled(fill, intent, before=before, after=after, closed=bool(trips))
        if order is not None:
            self._orders.keep(
                msgspec.structs.replace(
                    order,
                    executed=order.executed + fill.quantity,
                    executed_value=order.executed_value + fill.quantity * fill.price,
                    seen=True,
                )
            )


def _of_market(event: Event) -> tuple[MarketId, _OfMarket] | None:
    """Return the market that the event is about, with the event; None where no market remembers anything of it."""
    match event:
        case OrderIntended(intent=intent):
            return intent.market, event
        case FillApplied(fill=fill):
            return fill.market, event
        case CashFlowApplied(flow=flow):
            return flow.market, event
        case RoundTripClosed(trip=trip):
            return trip.market, event
        case OrderChanged(market=market) | StopSet(market=market) | DesiredChanged(market=market):
            return market, event
        case RunStateChanged(market=market):
            return market, event
        case Noted(market=market) if market is not None and (of_hands(event) or of_contradiction(event)):
            return market, event
        case _:
            return None
