"""Records into rows: pure, the same for every database.

What a record means for the tables is said here once. The caller stores the rows in one transaction with the mark of the
last record, so each record counts exactly once and in order; all rows are upserts, so even a record told twice does no
harm. `events` gets everything but bars, which have a table of their own and would be most of it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.model.events import (
    BarStored,
    BreakerChanged,
    CashFlowApplied,
    DesiredChanged,
    DrawdownReset,
    EntriesPaused,
    EquityMarked,
    Event,
    FillApplied,
    KillSwitchReleased,
    KillSwitchSet,
    Noted,
    OrderChanged,
    OrderIntended,
    Record,
    RequestsPaused,
    RoundTripClosed,
    RunStateChanged,
    StopSet,
    Transferred,
)
from kangbot.model.loudness import severity_of
from kangbot.model.orders import Transfer
from kangbot.storage import tables
from kangbot.storage.tables import Upsert

Value = str | int | Decimal | datetime | None
Row = dict[str, Value]
Wanted = tuple[tuple[Upsert, Row], ...]
Write = tuple[Upsert, list[tuple[Value, ...]]]

_TOLD_ELSEWHERE = (
    OrderIntended,
    OrderChanged,
    FillApplied,
    CashFlowApplied,
    RoundTripClosed,
    StopSet,
    EquityMarked,
    DesiredChanged,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SMALLEST = Decimal(1).scaleb(-18)  # the last digit of DECIMAL(38,18)
_BODY = msgspec.json.Encoder(decimal_format="string")


def fresh(records: Sequence[Record], stored: int) -> Sequence[Record]:
    """Return the records of one journal that are not stored yet. NeedsHuman where some are missing in between.

    A history that has nothing of a journal begins where it is offered to: the oldest records may have been removed.
    """
    if len({record.journal for record in records}) > 1:
        raise ValueError("records of several journals in one transaction")
    new = [record for record in records if record.sequence > stored]
    first = new[0].sequence if new and not stored else stored + 1
    for expected, record in enumerate(new, first):
        if record.sequence != expected:
            raise NeedsHuman(
                f"the history has journal {record.journal} up to {stored} and is offered record {record.sequence} next",
                remedy="the database was put back from an older copy: it is filled again, as far as the journal has it",
            )
    return new


def project(records: Sequence[Record]) -> list[Write]:
    """Return the rows that the records write: for each shape its rows in the order of the records."""
    writes: dict[str, Write] = {}
    for record in records:
        for upsert, row in _rows(record):
            row["journal"], row["sequence"] = record.journal, record.sequence
            _, rows = writes.setdefault(f"{upsert.table} {upsert.columns}", (upsert, []))
            rows.append(tuple(row[column] for column in upsert.columns))
    return list(writes.values())


def _rows(record: Record) -> Wanted:
    event = record.event
    if isinstance(event, BarStored):
        return _bar(event)
    special = _PROJECTIONS.get(type(event))
    return (*(special(event) if special else ()), (tables.EVENT, _event(event)))


def _event(event: Event) -> Row:
    noted = event if isinstance(event, Noted) else None
    severity = severity_of(event)
    return {
        "at": time_of(event.at_ns),
        "at_ns": event.at_ns,
        "kind": noted.kind if noted else str(type(event).__struct_config__.tag),
        "market": _market(event),
        "severity": severity.value if severity else None,
        "message": _words(noted.message if noted else _said(event)),
        "body": _BODY.encode(event).decode(),
        "listed": None if isinstance(event, _TOLD_ELSEWHERE) else 1,
    }


def _said(event: Event) -> str | None:
    """Return in words what has no listing of its own."""
    match event:
        case RunStateChanged(before=before, after=after, reason=reason):
            return f"{before} to {after}: {reason}"
        case BreakerChanged(lane=lane, before=before, after=after, cause=cause):
            return f"the {lane} lane, {before} to {after}{f': {cause}' if cause else ''}"
        case KillSwitchSet(reason=reason, caller=caller):
            return f"set by {caller}: {reason}"
        case KillSwitchReleased(caller=caller):
            return f"released by {caller}"
        case DrawdownReset(currency=currency, highest=highest, equity=equity, caller=caller):
            return f"counted anew by {caller}, from {equity:f} {currency}; the highest was {highest:f}"
        case RequestsPaused(budget=budget, until_ns=until_ns, at_ns=at_ns):
            return f"{budget}: no request for {(until_ns - at_ns) / 1e9:.0f} s, the venue asked for it"
        case Transferred(transfer=transfer) if transfer.amount > 0:
            return f"{transfer.amount:f} {transfer.currency} came into the account{_as(transfer)}"
        case Transferred(transfer=transfer):
            return f"{-transfer.amount:f} {transfer.currency} were taken out of the account{_as(transfer)}"
        case EntriesPaused(until_ns=0, caller=caller):
            return f"entries resumed by {caller}"
        case EntriesPaused(until_ns=until_ns, cause=cause, at_ns=at_ns):
            return f"no entry for {(until_ns - at_ns) / 1e9:.0f} s: {cause}"
        case _:
            return None


def _as(transfer: Transfer) -> str:
    return f", as {transfer.kind}" if transfer.kind else ""


def _market(event: Event) -> str | None:
    match event:
        case OrderIntended():
            return event.intent.market
        case FillApplied():
            return event.fill.market
        case CashFlowApplied():
            return event.flow.market
        case RoundTripClosed():
            return event.trip.market
        case BarStored():
            return event.bar.market
        case EquityMarked() | KillSwitchSet() | KillSwitchReleased() | RequestsPaused() | Transferred():
            return None
        case DrawdownReset():
            return None
        case OrderChanged() | StopSet() | RunStateChanged() | DesiredChanged():
            return event.market
        case Noted() | BreakerChanged() | EntriesPaused():
            return event.market


def _order_intended(event: OrderIntended) -> Wanted:
    intent = event.intent
    row: Row = {
        "client_id": intent.client_id,
        "market": intent.market,
        "number": intent.number,
        "purpose": intent.purpose.value,
        "side": intent.side.value,
        "kind": intent.kind.value,
        "quantity": _exact(intent.quantity),
        "price": _exact(intent.price),
        "time_in_force": intent.time_in_force.value,
        "reduce_only": int(intent.reduce_only),
        "stop": _exact(intent.stop),
        "reference": _exact(intent.reference),
        "reason": _text(intent.reason),
        "intended_at": time_of(intent.at_ns),
        "deadline_at": time_of(intent.deadline_ns),
    }
    return ((tables.ORDER_INTENDED, row),)


def _order_changed(event: OrderChanged) -> Wanted:
    row: Row = {
        "client_id": event.client_id,
        "market": event.market,
        "status": event.status.value,
        "evidence": event.evidence.value,
        "filled": _exact(event.filled),
        "average": _exact(event.average),
        "venue_order_id": event.venue_order_id,
        "code": event.code,
        "message": _text(event.message),
        "changed_at": time_of(event.at_ns),
    }
    return ((tables.ORDER_CHANGED, row),)


def _fill(event: FillApplied) -> Wanted:
    fill = event.fill
    row: Row = {
        "market": fill.market,
        "execution_id": fill.execution_id,
        "client_id": fill.client_id,
        "venue_order_id": fill.venue_order_id,
        "side": fill.side.value,
        "price": _exact(fill.price),
        "quantity": _exact(fill.quantity),
        "fee": _exact(fill.fee),
        "fee_currency": fill.fee_currency,
        "maker": int(fill.maker),
        "cause": fill.cause.value,
        "net_after": _exact(event.net),
        "filled_at": time_of(fill.at_ns),
    }
    position: Row = {
        "market": fill.market,
        "net": _exact(event.net),
        "entry_price": _exact(event.entry),
        "changed_at": time_of(event.at_ns),
    }
    return ((tables.FILL, row), (tables.POSITION, position))


def _cash_flow(event: CashFlowApplied) -> Wanted:
    flow = event.flow
    row: Row = {
        "market": flow.market,
        "execution_id": flow.execution_id,
        "kind": flow.kind,
        "amount": _exact(flow.amount),
        "currency": flow.currency,
        "flowed_at": time_of(flow.at_ns),
    }
    return ((tables.CASH_FLOW, row),)


def _transfer(event: Transferred) -> Wanted:
    transfer = event.transfer
    row: Row = {
        "venue": event.venue,
        "transfer_id": transfer.transfer_id,
        "amount": _exact(transfer.amount),
        "currency": transfer.currency,
        "moved_at": time_of(event.moved_ns),
    }
    return ((tables.TRANSFER, row),)


def _round_trip(event: RoundTripClosed) -> Wanted:
    trip = event.trip
    row: Row = {
        "market": trip.market,
        "strategy": event.strategy,
        "side": trip.side.value,
        "quantity": _exact(trip.quantity),
        "entry_price": _exact(trip.entry),
        "exit_price": _exact(trip.exit),
        "profit": _exact(trip.profit),
        "fees": _exact(trip.fees),
        "net_profit": _exact(trip.net_profit),
        "opened_at": time_of(trip.opened_ns),
        "closed_at": time_of(trip.closed_ns),
    }
    return ((tables.ROUND_TRIP, row),)


def _stop(event: StopSet) -> Wanted:
    row: Row = {"market": event.market, "stop": _exact(event.price), "stop_set_at": time_of(event.at_ns)}
    return ((tables.POSITION_STOP, row),)


def _run_state(event: RunStateChanged) -> Wanted:
    row: Row = {
        "market": event.market,
        "previous": event.before.value,
        "state": event.after.value,
        "reason": _text(event.reason),
        "changed_at": time_of(event.at_ns),
    }
    return ((tables.RUN_STATE, row),)


def _bar(event: BarStored) -> Wanted:
    bar = event.bar
    row: Row = {
        "market": bar.market,
        "timeframe_s": bar.timeframe_s,
        "opened_at": time_of(bar.open_ns),
        "open": _exact(bar.open),
        "high": _exact(bar.high),
        "low": _exact(bar.low),
        "close": _exact(bar.close),
        "volume": _exact(bar.volume),
    }
    return ((tables.BAR, row),)


def _equity(event: EquityMarked) -> Wanted:
    row: Row = {
        "venue": event.venue,
        "currency": event.currency,
        "equity": _exact(event.equity),
        "marked_at": time_of(event.at_ns),
    }
    return ((tables.EQUITY, row),)


# Any: each function takes its own kind of event, found by its class.
_PROJECTIONS: dict[type[Event], Callable[[Any], Wanted]] = {
    OrderIntended: _order_intended,
    OrderChanged: _order_changed,
    FillApplied: _fill,
    CashFlowApplied: _cash_flow,
    Transferred: _transfer,
    RoundTripClosed: _round_trip,
    StopSet: _stop,
    RunStateChanged: _run_state,
    EquityMarked: _equity,
}


def _exact(value: Decimal | None) -> Decimal | None:
    """Return the value with at most 18 decimals. Only averages ever have more: they are quotients."""
    exponent = value.as_tuple().exponent if value is not None else 0
    if value is None or not isinstance(exponent, int) or exponent >= -18:
        return value
    with localcontext() as context:
        context.prec = 60  # the default 28 digits would refuse a large number with 18 decimals
        return value.quantize(_SMALLEST, ROUND_HALF_EVEN)


def _words(text: str | None) -> str | None:
    return None if text is None else _text(text)


def _text(text: str) -> str:
    """Return what fits into a column of words; `events.body` has the whole."""
    return text[:4000]


def time_of(at_ns: int) -> datetime:
    """Return the time in UTC, cut to microseconds."""
    return (_EPOCH + timedelta(microseconds=at_ns // 1000)).replace(tzinfo=None)
