"""How a market is to be traded, and which part of an edit concerns what."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.machines.plan import Style
from kangbot.market.spec import MarketSpec
from kangbot.model.orders import OrderKind
from tests.support.floor_story import Steered, spec

STRATEGY, OTHER = Steered(), Steered()
BEFORE = spec(STRATEGY)
EDITED = spec(OTHER, timeframe="5m", timeframe_s=300, size=Decimal(50), leverage=3, style=Style(kind=OrderKind.LIMIT))


class Quick(Steered):
    """Decides on each quote."""

    decides_on_quotes = True
    __slots__ = ()


@pytest.mark.parametrize(
    ("one", "eager"),
    [
        (BEFORE, False),
        (msgspec.structs.replace(BEFORE, timeframe_s=59), True),
        (msgspec.structs.replace(BEFORE, timeframe_s=3600), False),
        (msgspec.structs.replace(BEFORE, strategy=Quick(), timeframe_s=3600), True),
    ],
)
def test_who_decides_only_as_minutes_end_is_in_no_hurry(one: MarketSpec, eager: bool) -> None:
    """Bars shorter than a minute may close at any moment, and a quote may come at any."""
    assert one.eager is eager


def test_only_what_decides_tells_whether_the_market_is_prepared_anew() -> None:
    """The very strategy, and the length of its bars: another one of the same name has seen none of them."""
    assert BEFORE.decides_as(msgspec.structs.replace(EDITED, strategy=STRATEGY, timeframe_s=60))
    assert not BEFORE.decides_as(msgspec.structs.replace(BEFORE, strategy=OTHER))
    assert not BEFORE.decides_as(msgspec.structs.replace(BEFORE, timeframe_s=61))


@pytest.mark.parametrize("deciding", [True, False])
@pytest.mark.parametrize("ordering", [True, False])
def test_an_edit_is_taken_on_in_two_parts(deciding: bool, ordering: bool) -> None:
    """What decides, and how it is ordered; with both of them nothing of the edit is left."""
    taken = BEFORE.with_some_of(EDITED, deciding=deciding, ordering=ordering)
    decides, orders = (EDITED if deciding else BEFORE), (EDITED if ordering else BEFORE)
    assert (taken.strategy, taken.timeframe, taken.timeframe_s) == (
        decides.strategy,
        decides.timeframe,
        decides.timeframe_s,
    )
    assert (taken.size, taken.leverage, taken.style) == (orders.size, orders.leverage, orders.style)
    assert (taken == EDITED) is (deciding and ordering)
    assert (taken == BEFORE) is (not deciding and not ordering)
