"""The fold of the journal."""

from collections.abc import Sequence

from kangbot.machines.kept_orders import KEPT
from kangbot.machines.memory import DAY_NS, MarketMemory, Memory, Recollection, add_to_day
from kangbot.model.data import Bar
from kangbot.model.events import (
    BarStored,
    CashFlowApplied,
    Desired,
    DesiredChanged,
    EquityMarked,
    Event,
    FillApplied,
    Noted,
    OrderIntended,
    Record,
    RoundTripClosed,
    RunState,
    RunStateChanged,
    Severity,
    StopSet,
)
from kangbot.model.ids import ClientId, MarketId, client_id
from kangbot.model.orders import Evidence, OrderStatus, Side
from kangbot.model.position import Position, RoundTrip
from tests.support.folded import replayed
from tests.support.trade_words import MARKET, START, TAG, changed, dec, fill, funding, intent

S = OrderStatus


def remember(*events: Event) -> Memory:
    """Return what a journal of these events comes to."""
    return replayed(Record(journal=TAG, sequence=index, event=event) for index, event in enumerate(events, 1))


def intended(number: int = 1) -> OrderIntended:
    """Return the record of an intent."""
    return OrderIntended(intent=intent(number), at_ns=START)


def test_an_empty_journal_remembers_nothing() -> None:
    """The first number is 1, and every market is flat."""
    memory = remember()
    assert memory == Memory()
    assert memory.market(MARKET) == MarketMemory(market=MARKET, position=Position(market=MARKET))


def test_the_next_number_follows_the_greatest_that_was_intended() -> None:
    """So that no id is ever given twice."""
    memory = remember(intended(3), intended(2))
    assert (memory.next_number, memory.last_sequence, memory.born_ns) == (4, 2, START)


def test_an_order_is_remembered_as_the_journal_knew_it() -> None:
    """Its intent alone, or its last change; executions from the fills."""
    (order,) = remember(intended()).market(MARKET).orders
    assert (order.status, order.seen, order.intent) == (S.INTENT, False, intent())
    applied = FillApplied(fill=fill("e1", "0.4"), net=dec("0.4"), at_ns=START)
    (order,) = (
        remember(intended(), changed(S.ACKED), applied, changed(S.PARTIAL, "0.4", code="7", message="why"))
        .market(MARKET)
        .orders
    )
    assert (order.status, order.evidence, order.venue_order_id) == (S.PARTIAL, Evidence.STREAM, "v1")
    assert (order.executed, order.reported, order.average, order.code, order.message) == (
        dec("0.4"),
        dec("0.4"),
        dec(100),
        "7",
        "why",
    )


def test_a_duplicate_is_remembered_as_a_sign_of_life() -> None:
    """An order that was seen is never sent again."""
    (order,) = (
        remember(intended(), changed(S.ACKED, evidence=Evidence.DUPLICATE_ID, venue_order_id=None))
        .market(MARKET)
        .orders
    )
    assert order.seen


def test_settled_orders_are_forgotten_and_others_are_not() -> None:
    """The newest few are kept; a late word of a forgotten one is no matter."""
    events: list[Event] = [intended(number) for number in range(1, KEPT + 4)]
    events += [changed(S.CANCELED, number=number) for number in range(2, KEPT + 4)]
    events += [
        changed(S.FILLED, 1, number=2),
        FillApplied(fill=fill("e1", 1, number=2), net=dec(1), at_ns=START),
        FillApplied(fill=fill("e2", 1, named=False, side=Side.SELL), net=dec(0), at_ns=START),
    ]
    market = remember(*events).market(MARKET)
    assert [order.intent.number for order in market.orders] == [1, *range(4, KEPT + 4)]
    assert market.position.net == 0
    assert list(market.executions) == ["e1", "e2"]


def test_a_position_is_the_sum_of_its_fills() -> None:
    """Over any number of round trips; the newest trip and each day's profit are known."""
    trip = RoundTrip(
        market=MARKET,
        side=Side.BUY,
        quantity=dec(1),
        entry=dec(100),
        exit=dec(110),
        profit=dec(10),
        fees=dec("0.2"),
        opened_ns=START,
        closed_ns=START,
    )
    market = remember(
        FillApplied(fill=fill("e1", 1, 100, at_ns=START), net=dec(1), at_ns=START),
        StopSet(market=MARKET, price=dec(90), at_ns=START),
        FillApplied(fill=fill("e2", 1, 110, side=Side.SELL, at_ns=START + 1), net=dec(0), at_ns=START),
        RoundTripClosed(trip=trip, strategy="test", at_ns=START),
        CashFlowApplied(flow=funding("f1", "-0.3", at_ns=START + 2), at_ns=START),
    ).market(MARKET)
    assert (market.position.net, market.position.realised, market.stop) == (dec(0), dec(10), dec(90))
    assert (market.last_trip, market.realised_by_day) == (trip, {START // DAY_NS: dec("9.5")})
    assert market.funding == dec("-0.3")
    assert (market.last_execution_ns, market.forgotten_ns) == (START + 2, 0)


def test_what_the_operator_wants_is_remembered() -> None:
    """With the state the market was in; each market has its own."""
    other = MarketId("bybit:ETH-USDT:USDT")
    memory = remember(
        DesiredChanged(market=MARKET, desired=Desired.RUNNING, caller="cli", at_ns=START),
        RunStateChanged(market=MARKET, before=RunState.STOPPED, after=RunState.STARTING, reason="", at_ns=START),
        DesiredChanged(market=other, desired=Desired.STOPPED, caller="cli", at_ns=START),
    )
    assert (memory.market(MARKET).desired, memory.market(MARKET).run_state) == (Desired.RUNNING, RunState.STARTING)
    assert (memory.market(other).desired, memory.market(other).run_state) == (Desired.STOPPED, None)


def test_what_a_market_need_not_remember_changes_nothing() -> None:
    """Bars and notes change nothing; equity is the account's."""
    bar = Bar(
        market=MARKET,
        timeframe_s=60,
        open_ns=START,
        open=dec(1),
        high=dec(1),
        low=dec(1),
        close=dec(1),
        volume=dec(1),
    )
    memory = remember(
        BarStored(bar=bar, at_ns=START),
        Noted(kind="x", severity=Severity.INFO, market=MARKET, message="", at_ns=START),
        EquityMarked(venue="bybit", currency="USDT", equity=dec(5), at_ns=START),
    )
    assert dict(memory.markets) == {MARKET: MarketMemory(market=MARKET, position=Position(market=MARKET))}
    assert dict(memory.equity) == {("bybit", "USDT"): dec(5)}


def test_what_cannot_be_is_remembered_until_a_release() -> None:
    """Also in a market of which nothing else is known."""
    told = Noted(kind="order.impossible", severity=Severity.CRITICAL, market=MARKET, message="cannot be", at_ns=START)
    released = Noted(kind="market.released", severity=Severity.WARNING, market=MARKET, message="ann", at_ns=START)
    assert remember(told).market(MARKET).contradiction == "cannot be"
    assert remember(told, released).market(MARKET).contradiction == ""


def test_a_late_word_of_an_unknown_order_is_no_matter() -> None:
    """A change without its intent: compacted away."""
    assert remember(changed(S.CANCELED)).market(MARKET).orders == ()


def test_replaying_in_parts_or_twice_is_the_same() -> None:
    """A fold knows no pages."""
    events: Sequence[Event] = [intended(), changed(S.ACKED), intended(2)]
    recollection = Recollection()
    for index, event in enumerate(events, 1):
        recollection.add(Record(journal=TAG, sequence=index, event=event))
        recollection.memory()
    assert recollection.memory() == remember(*events) == remember(*events)


def test_days_of_long_ago_are_forgotten() -> None:
    """A month is enough for any rule that asks."""
    days = {0: dec(1), 10: dec(2)}
    add_to_day(days, 33 * DAY_NS, dec(3))
    add_to_day(days, 33 * DAY_NS + 1, dec(4))
    assert days == {10: dec(2), 33: dec(7)}


def test_ids_are_functions_of_the_number() -> None:
    """What a restart gives next is what was never intended."""
    assert client_id(TAG, remember(intended(35)).next_number) == ClientId("kbjournal110")
