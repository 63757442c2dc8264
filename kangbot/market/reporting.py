"""What the markets, their breakers and their errors contribute to the report."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from kangbot.feed.stream import Stream
from kangbot.health.report import BreakerReport, ErrorReport, MarketReport, OrderCounts, StreamReport
from kangbot.machines.blotter import Counts
from kangbot.machines.breakers import Breakers
from kangbot.machines.entry_holds import Hold
from kangbot.machines.fault_book import Tally
from kangbot.machines.order import Order
from kangbot.market.roster import Place
from kangbot.market.task import MarketTask
from kangbot.model.events import BreakerState, Desired, RunState
from kangbot.model.ids import MarketId, profit_currency
from kangbot.model.money import ZERO, Money, Price, nearest_to
from kangbot.model.orders import OrderStatus

_LEAST = Decimal("0.00000001")  # of the currency of the profit: what is less is an average's rounding


def report_of(
    task: MarketTask, place: Place, now_ns: int, troubles: Mapping[str, int], hold: Hold | None = None
) -> MarketReport:
    """Return what there is to say of the market at this moment.

    `troubles` are those of its topics; `hold` is what an error holds its entries back by.
    """
    executor, quote = task.desk.executor, task.inbox.quote
    position, target = executor.position, task.desk.target
    price = None if quote is None else quote.mid
    unrealised = ZERO if price is None else nearest_to(position.unrealised(price), _LEAST)
    realised = position.realised + (nearest_to(position.taken, _LEAST) or ZERO)
    unresolved = [order for order in executor.orders if order.status is OrderStatus.UNKNOWN]
    return MarketReport(
        market=task.spec.market,
        symbol=task.spec.symbol,
        strategy=task.spec.strategy.name,
        timeframe=task.spec.timeframe,
        state=place.state.value,
        reason=_reason(task, place),
        desired=place.desired.value,
        since_ns=place.since_ns,
        price=price,
        feed_age_s=None if quote is None else round((now_ns - task.inbox.quote_seen_ns) / 1e9, 3),
        net=position.net,
        entry=_average(position.entry, task.instrument.tick),
        stop=executor.stop if position.net else None,
        unrealised=unrealised or ZERO,
        realised=realised,
        fees=position.fees_paid,
        profit=realised - position.fees_paid,
        funding=executor.funding,
        target=None if target is None else target.exposure,
        signal="" if target is None else target.reason,
        blocked=task.desk.blocked or executor.quarantine,
        unprotected=task.desk.unprotected,
        quarantine=executor.quarantine,
        by_hand=task.desk.by_hand,
        stale=task.desk.stale,
        paused="" if hold is None else hold.why,
        paused_until_ns=0 if hold is None else hold.until_ns,
        troubles=dict(troubles),
        longest_call_ms=task.overseer.longest_ms,
        aside=task.strategist.aside,
        ticks=task.inbox.ticks,
        bars=task.strategist.bars_seen,
        decisions=task.strategist.decisions,
        unknown_s=_unknown_s(unresolved, now_ns),
        orders=_counts(executor.counts, len(unresolved)),
        falls=task.supervisor.falls,
        dropped=task.inbox.dropped,
    )


def money_of(stated: Mapping[str, Money], limits: str, markets: Iterable[MarketId]) -> dict[str, Money]:
    """Return what the account has of the money that its markets are traded in, that of the `limits` first.

    A venue states each coin beside it. Those of spot markets are counted in the money already: listed as money of their
    own, they would be summed with it, and drawn in one line.
    """
    money = dict.fromkeys((limits, *map(profit_currency, markets)))
    return {currency: stated[currency] for currency in money if currency in stated}


def _average(entry: Price | None, tick: Price) -> Price | None:
    """Return an average as people read it: what does not end is rounded, to the hundredth of a tick."""
    return entry if entry is None or not entry % tick else nearest_to(entry, tick / 100)


def _reason(task: MarketTask, place: Place) -> str:
    """Return why the market stands where it does; while it warms up, what is missing: that may take hours."""
    strategist = task.strategist
    if place.state is not RunState.WARMING or strategist.warm:
        return place.reason
    if not strategist.shown:
        return task.intake.lacks or place.reason
    return f"{strategist.shown} of the {task.spec.strategy.lookback} bars that its strategy looks back on"


def stream_report(stream: Stream, now_ns: int, *, private: bool) -> StreamReport:
    """Return what there is to say of a stream at this moment; `private` is the account's."""
    counters = stream.counters
    heard_ns = counters.last_data_ns
    return StreamReport(
        name=stream.name,
        state=stream.state.value,
        topics=len(stream.wanted),
        live=stream.session.live,
        dials=counters.dials,
        reconnects=counters.reconnects,
        frames=counters.frames,
        private=private,
        down=stream.down,
        silent_s=round((now_ns - heard_ns) / 1e9, 3) if heard_ns else None,
        garbled=counters.garbled,
        troubles={kind.value: count for kind, count in counters.troubles.items()},
    )


def _counts(counts: Counts, unknown: int) -> OrderCounts:
    return OrderCounts(
        sent=counts.sent,
        resent=counts.resent,
        acked=counts.acked,
        filled=counts.filled,
        rejected=counts.rejected,
        withheld=counts.withheld,
        not_accepted=counts.not_accepted,
        unknown=unknown,
    )


def _unknown_s(unresolved: Iterable[Order], now_ns: int) -> float:
    since_ns = min((order.unknown_since_ns for order in unresolved), default=now_ns)
    return round((now_ns - since_ns) / 1e9, 3)


def breaker_reports(breakers: Breakers) -> list[BreakerReport]:
    """Return every breaker that has something to tell, as a report shows it."""
    return [
        BreakerReport(
            market=market,
            lane=lane.value,
            state=breaker.state.value,
            since_ns=breaker.since_ns,
            until_ns=breaker.until_ns,
            failures=len(breaker.failed_ns),
            trips=breaker.trips,
            cause=breaker.cause,
        )
        for market, lane, breaker in breakers
        if breaker.cause or breaker.state is not BreakerState.CLOSED
    ]


def tripped(breakers: Breakers, places: Mapping[MarketId, Place]) -> int:
    """Return how many of the markets that are to run have a breaker that is not closed."""
    running = {market for market, place in places.items() if place.desired is Desired.RUNNING}
    return len({market for market, _, breaker in breakers if breaker.state is not BreakerState.CLOSED} & running)


def error_reports(tallies: Iterable[Tally]) -> list[ErrorReport]:
    """Return every kind of error that was met, as a report shows it."""
    return [
        ErrorReport(
            kind=tally.kind.value,
            severity=tally.severity.value,
            market=tally.market,
            recent=tally.recent,
            total=tally.total,
            message=tally.message,
        )
        for tally in tallies
    ]
