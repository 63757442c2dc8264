"""What the protections remember: entries of the last hour, losses in a row, stops hit, the day's realised profit.

A function of the journal's events, so that a restart remembers the same. One writer: the loop.
"""

import msgspec

from kangbot.model.events import CashFlowApplied, Event, FillApplied, OrderIntended, RoundTripClosed
from kangbot.model.ids import ClientId, MarketId
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import FillCause, Purpose
from kangbot.model.written import Written
from kangbot.risk.limits import HOUR_NS

DAY_NS = 24 * HOUR_NS


class MarketRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):  # as `Written`, which is frozen
    """What is remembered of one market."""

    entries: dict[ClientId, int] = {}  # when, oldest first; no older than an hour at the newest entry
    losses_in_row: int = 0
    last_loss_ns: int = 0
    last_stop_ns: int | None = None

    def seen(self, now_ns: int) -> None:
        """Take what is stamped in the future for done now: the wall clock was set back between two lives."""
        self.last_loss_ns = min(self.last_loss_ns, now_ns)
        if self.last_stop_ns is not None:
            self.last_stop_ns = min(self.last_stop_ns, now_ns)
        if max(self.entries.values(), default=0) > now_ns:
            self.entries = {client_id: min(at_ns, now_ns) for client_id, at_ns in self.entries.items()}


class Kept(Written, frozen=True, kw_only=True):
    """A track record, to go on from."""

    markets: dict[MarketId, MarketRecord] = msgspec.field(default_factory=dict)
    day: int = 0
    realised: Money = ZERO


class TrackRecord:
    """The memory of one account. Each event is observed once, in the journal's order."""

    __slots__ = ("_day", "_markets", "_realised")

    def __init__(self) -> None:
        self._markets: dict[MarketId, MarketRecord] = {}
        self._day = 0  # days since the epoch, UTC
        self._realised = ZERO  # of that day

    def kept(self) -> Kept:
        """Return what another record needs to go on from here."""
        return Kept(markets=self._markets, day=self._day, realised=self._realised)

    def resume(self, kept: Kept) -> None:
        """Go on from there."""
        self._markets, self._day, self._realised = dict(kept.markets), kept.day, kept.realised

    def observe(self, event: Event) -> None:
        """Take in one event; most are none of this memory's business."""
        match event:
            case OrderIntended(intent=intent) if intent.purpose is Purpose.ENTRY:
                self.entered(intent.market, intent.client_id, event.at_ns)
            case RoundTripClosed(trip=trip):
                self._closed(trip.market, trip.net_profit, event.at_ns)
            case FillApplied(fill=fill) if fill.cause in {FillCause.STOP, FillCause.LIQUIDATION}:
                self._of(fill.market).last_stop_ns = event.at_ns
            case CashFlowApplied(flow=flow):
                self._earn(flow.amount, event.at_ns)
            case _:
                pass

    def entered(self, market: MarketId, client_id: ClientId, at_ns: int) -> None:
        """Count an entry, once: it is counted when it is admitted, and met again when its intent is observed."""
        entries = self._of(market).entries
        entries.setdefault(client_id, at_ns)
        while entries and at_ns - entries[oldest := next(iter(entries))] >= HOUR_NS:
            del entries[oldest]

    def market(self, market: MarketId, now_ns: int) -> MarketRecord:
        """Return what is remembered of the market by now; an empty record where there is nothing."""
        record = self._markets.get(market) or MarketRecord()
        record.seen(now_ns)
        return record

    def entries_last_hour(self, market: MarketId, now_ns: int) -> int:
        """Return how many entries the market made in the last 60 minutes."""
        return sum(now_ns - at_ns < HOUR_NS for at_ns in self.market(market, now_ns).entries.values())

    def realised(self, now_ns: int) -> Money:
        """Return the profit realised on the day of `now_ns` (UTC): closed round trips after fees, and funding.

        A day that is still to come is this one: the wall clock was set back, and what was lost counts on.
        """
        self._day = min(self._day, now_ns // DAY_NS)
        return self._realised if now_ns // DAY_NS == self._day else ZERO

    def _of(self, market: MarketId) -> MarketRecord:
        return self._markets.setdefault(market, MarketRecord())

    def _closed(self, market: MarketId, profit: Money, at_ns: int) -> None:
        record = self._of(market)
        if profit < 0:
            record.losses_in_row += 1
            record.last_loss_ns = at_ns
        else:
            record.losses_in_row = 0
        self._earn(profit, at_ns)

    def _earn(self, amount: Money, at_ns: int) -> None:
        day = at_ns // DAY_NS
        if day > self._day:
            self._day, self._realised = day, ZERO
        if day == self._day:
            self._realised += amount
