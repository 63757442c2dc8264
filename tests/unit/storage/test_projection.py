"""Which rows a record becomes; what the databases make of them is the conformance suite's."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kangbot.errors import NeedsHuman
from kangbot.model.events import EquityMarked, Event, StopSet
from kangbot.model.orders import OrderStatus
from kangbot.storage import tables
from kangbot.storage.projection import Value, fresh, project
from kangbot.storage.tables import Upsert
from tests.support.records import (
    EVERY,
    MARKET,
    NOON_NS,
    TAG,
    bar_stored,
    changed,
    intended,
    noted,
    records,
    transferred,
)


def rows(*events: Event) -> list[tuple[Upsert, dict[str, Value]]]:
    """The rows of the events, each with the names of its columns."""
    return [
        (upsert, dict(zip(upsert.columns, values, strict=True)))
        for upsert, all_values in project(records(events))
        for values in all_values
    ]


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_every_row_names_its_record(event: Event) -> None:
    """Whatever the table, the row says which record wrote it."""
    found = rows(event)
    assert found
    assert {(row["journal"], row["sequence"]) for _, row in found} == {(TAG, 1)}


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_everything_but_bars_is_an_event_row(event: Event) -> None:
    """Bars would be most of the table."""
    assert ("events" in {upsert.table for upsert, _ in rows(event)}) == (event != bar_stored())


def test_event_row_names_the_market_wherever_the_event_has_it() -> None:
    """A trader filters by market."""
    markets = {row["kind"]: row["market"] for upsert, row in rows(*EVERY) if upsert is tables.EVENT}
    assert {kind for kind, market in markets.items() if market is None} == {
        "feed.silent",
        "equity_marked",
        "requests_paused",
        "transferred",
        "drawdown_reset",
    }
    assert set(markets.values()) == {MARKET, None}


@pytest.mark.parametrize(
    ("amount", "kind", "said"),
    [
        ("5", "", "5 USDT came into the account"),
        ("5", "BONUS", "5 USDT came into the account, as BONUS"),
        ("-2.5", "BONUS_RECOLLECT", "2.5 USDT were taken out of the account, as BONUS_RECOLLECT"),
    ],
)
def test_what_was_moved_is_told_with_the_venue_s_word_for_it(amount: str, kind: str, said: str) -> None:
    """Where it was no plain transfer."""
    event = transferred("t", amount)
    event = replace(event, transfer=replace(event.transfer, kind=kind))
    assert [row["message"] for upsert, row in rows(event) if upsert is tables.EVENT] == [said]


def test_rows_of_one_shape_go_together_in_order() -> None:
    """A batch is a statement a shape; within it later records come later."""
    writes = project(records([intended(), changed(OrderStatus.SENT), noted(1), changed(OrderStatus.FILLED)]))
    assert [(upsert, len(values)) for upsert, values in writes] == [
        (tables.ORDER_INTENDED, 1),
        (tables.EVENT, 4),
        (tables.ORDER_CHANGED, 2),
    ]
    statuses = [values[upsert.columns.index("status")] for upsert, all_values in writes[2:] for values in all_values]
    assert statuses == ["sent", "filled"]


def test_intent_and_change_leave_each_others_columns_alone() -> None:
    """Each upsert overwrites its own columns, so neither undoes the other."""
    both = set(tables.ORDER_INTENDED.change) & set(tables.ORDER_CHANGED.change)
    assert both == {"market", "journal", "sequence"}
    assert set(tables.POSITION.change) & set(tables.POSITION_STOP.change) == {"journal", "sequence"}


@given(
    st.decimals(min_value=Decimal("-1e19"), max_value=Decimal("1e19"), allow_nan=False, allow_infinity=False, places=30)
)
def test_amounts_keep_eighteen_decimals(amount: Decimal) -> None:
    """Rounded half to even at the last one, and only where there are more."""
    _, row = rows(EquityMarked(venue="v", currency="c", equity=amount, at_ns=1))[0]
    value = row["equity"]
    assert isinstance(value, Decimal)
    assert abs(value - amount) <= Decimal("5e-19")
    assert -int(value.as_tuple().exponent) <= 18
    short = Decimal(str(round(amount, 4)))
    _, row = rows(EquityMarked(venue="v", currency="c", equity=short, at_ns=1))[0]
    assert str(row["equity"]) == str(short)


def test_times_are_cut_to_microseconds_in_utc() -> None:
    """Cut, not rounded: an event never moves into the next second."""
    _, row = rows(StopSet(market=MARKET, price=None, at_ns=1_999_999_999))[0]
    assert row["stop_set_at"] == datetime(1970, 1, 1, 0, 0, 1, 999_999)  # noqa: DTZ001 -- columns hold UTC
    _, event = rows(noted(1, at_ns=NOON_NS))[0]
    assert event["at_ns"] == NOON_NS


@given(st.integers(0, 30), st.integers(0, 20), st.integers(1, 20))
def test_fresh_returns_exactly_what_is_missing(stored: int, after: int, count: int) -> None:
    """Known records are passed over; a gap is refused."""
    offered = records([noted(number) for number in range(count)], after=after)
    if stored == 0:  # whatever came before may have been removed
        assert fresh(offered, stored) == offered
    elif after > stored:
        with pytest.raises(NeedsHuman, match=f"up to {stored} and is offered record {after + 1}"):
            fresh(offered, stored)
    else:
        assert [record.sequence for record in fresh(offered, stored)] == list(range(stored + 1, after + count + 1))
