"""Any life of two markets as events for the journal, for properties of who remembers by it."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import strategies as st

from kangbot.machines.memory import DAY_NS
from kangbot.model.data import Bar
from kangbot.model.events import (
    BarStored,
    BreakerChanged,
    BreakerState,
    CashFlowApplied,
    Desired,
    DesiredChanged,
    DrawdownReset,
    EntriesPaused,
    EquityMarked,
    Event,
    FillApplied,
    KillSwitchReleased,
    KillSwitchSet,
    Lane,
    Noted,
    OrderChanged,
    OrderIntended,
    RequestsPaused,
    RoundTripClosed,
    RunState,
    RunStateChanged,
    Severity,
    StopSet,
)
from kangbot.model.ids import MarketId, VenueOrderId, client_id
from kangbot.model.orders import Evidence, FillCause, OrderStatus, Side
from kangbot.model.position import RoundTrip
from tests.support.trade_words import START, TAG, dec, fill, funding, intent

MARKETS = (MarketId("bybit:BTC-USDT:USDT"), MarketId("bybit:ETH-USDT:USDT"))
_KINDS = (
    "intent", "intent", "changed", "changed", "changed", "fill", "fill", "cash", "trip", "stop",
    "run", "desired", "bar", "note", "hands", "hands", "mode", "equity", "kill", "release", "breaker", "pause", "hold",
    "reset",
)  # fmt: skip
_AMOUNTS = [dec("0.001"), dec("0.4"), dec(1), Decimal(1) / Decimal(3)]
_STEPS_NS = [0, 1, 1_000_000_000, 3600 * 1_000_000_000, DAY_NS]

_STEP = st.tuples(
    st.sampled_from(_KINDS),
    st.integers(0, 1),  # which market
    st.integers(1, 24),  # which order
    st.sampled_from(_AMOUNTS),
    st.sampled_from(_STEPS_NS),  # how much later than the one before
    st.integers(0, 11),  # which of several
)


class _Teller:
    """Turns drawn steps into events; execution ids and intent numbers are given once, as they are in life."""

    def __init__(self) -> None:
        self.at_ns = START
        self._count = 0
        self._number = 0

    def event(self, kind: str, place: int, number: int, amount: Decimal, which: int) -> Event:
        """Return one event."""
        market, at_ns = MARKETS[place], self.at_ns
        self._count += 1
        match kind:
            case "intent":
                self._number += 1
                made = intent(self._number, str(amount), at_ns=at_ns)
                return OrderIntended(intent=msgspec.structs.replace(made, market=market), at_ns=at_ns)
            case "changed":
                statuses, evidences = list(OrderStatus), list(Evidence)
                return OrderChanged(
                    market=market,
                    client_id=client_id(TAG, number),
                    status=statuses[which % len(statuses)],
                    evidence=evidences[which % len(evidences)],
                    filled=amount,
                    venue_order_id=VenueOrderId(f"v{number}") if which % 3 else None,
                    code=str(which),
                    at_ns=at_ns,
                )
            case "fill":
                causes = list(FillCause)
                made_fill = fill(
                    f"x{self._count}",
                    str(amount),
                    100 + which,
                    number=number,
                    named=bool(which % 4),
                    side=Side.BUY if which % 2 else Side.SELL,
                    cause=causes[which % len(causes)],
                    fee="0.01",
                    at_ns=at_ns - which * 3600 * 1_000_000_000,  # told late
                )
                return FillApplied(fill=msgspec.structs.replace(made_fill, market=market), net=amount, at_ns=at_ns)
            case "cash":
                flow = funding(f"f{self._count}", "-0.25", at_ns=at_ns)
                return CashFlowApplied(flow=msgspec.structs.replace(flow, market=market), at_ns=at_ns)
            case "trip":
                return RoundTripClosed(trip=_trip(market, amount * (which - 5), at_ns), strategy="test", at_ns=at_ns)
            case _:
                return _quiet(kind, market, amount, at_ns, which)


def _trip(market: MarketId, profit: Decimal, at_ns: int) -> RoundTrip:
    return RoundTrip(
        market=market,
        side=Side.BUY,
        quantity=dec(1),
        entry=dec(100),
        exit=dec(100) + profit,
        profit=profit,
        fees=dec("0.1"),
        opened_ns=at_ns,
        closed_ns=at_ns,
    )


def _quiet(kind: str, market: MarketId, amount: Decimal, at_ns: int, which: int) -> Event:
    match kind:
        case "stop":
            return StopSet(market=market, price=amount if which % 2 else None, at_ns=at_ns)
        case "run":
            states = list(RunState)
            after = states[which % len(states)]
            return RunStateChanged(market=market, before=RunState.STOPPED, after=after, reason="", at_ns=at_ns)
        case "desired":
            return DesiredChanged(market=market, desired=list(Desired)[which % 3], caller="cli", at_ns=at_ns)
        case "bar":
            bar = Bar(
                market=market,
                timeframe_s=60,
                open_ns=at_ns,
                open=amount,
                high=amount,
                low=amount,
                close=amount,
                volume=amount,
            )
            return BarStored(bar=bar, at_ns=at_ns)
        case "breaker":
            return BreakerChanged(
                market=market,
                lane=Lane.ENTRY,
                before=BreakerState.CLOSED,
                after=tuple(BreakerState)[which % len(BreakerState)],
                until_ns=at_ns + 1,
                trips=which,
                cause="no answer in time",
                at_ns=at_ns,
            )
        case "pause":
            return RequestsPaused(budget="bybit account", until_ns=at_ns + 1 + which, at_ns=at_ns)
        case "hold":
            until_ns = at_ns + which if which % 3 else 0
            return EntriesPaused(market=market if which % 2 else None, until_ns=until_ns, cause="broke", at_ns=at_ns)
        case "hands":
            kinds = ("order.foreign", "order.orphan", "market.quarantine", "market.released", "order.impossible")
            return Noted(
                kind=kinds[which % len(kinds)],
                severity=Severity.WARNING,
                market=market,
                message=str(amount),
                fields={"venue_order_id": f"h{which}"},
                at_ns=at_ns,
            )
        case _:
            return _of_account(kind, amount, at_ns, which)


def _of_account(kind: str, amount: Decimal, at_ns: int, which: int) -> Event:
    match kind:
        case "equity":
            return EquityMarked(venue="bybit", currency="USDT", equity=amount * (1 + which), at_ns=at_ns)
        case "kill":
            return KillSwitchSet(reason=f"because {which}", flatten=bool(which % 2), caller="cli", at_ns=at_ns)
        case "release":
            return KillSwitchReleased(caller="cli", at_ns=at_ns)
        case "reset":
            return DrawdownReset(currency="USDT", highest=amount * 9, equity=amount * which, caller="cli", at_ns=at_ns)
        case _:
            return Noted(
                kind="daemon.mode" if kind == "mode" else "test.note",
                severity=Severity.INFO,
                market=None,
                message=("paper", "sandbox")[which % 2],
                at_ns=at_ns,
            )


def lives(most: int = 120) -> st.SearchStrategy[Sequence[Event]]:
    """Return what draws the events of a life, in the order of the journal."""

    def told(steps: Sequence[tuple[str, int, int, Decimal, int, int]]) -> Sequence[Event]:
        teller, events = _Teller(), []
        for kind, place, number, amount, later_ns, which in steps:
            teller.at_ns += later_ns
            events.append(teller.event(kind, place, number, amount, which))
        return events

    return st.lists(_STEP, max_size=most).map(told)
