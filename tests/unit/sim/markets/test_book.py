"""One market's book: a quoted level a side, finite levels behind it, and what takers left of them."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.model.data import Quote
from kangbot.model.orders import Side
from kangbot.sim.markets.book import Book
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import MarketSpec
from tests.support.sim_bench import START_NS

D = Decimal
SPEC = msgspec.structs.replace(linear("BTCUSDT"), level=D(4))  # a tick of 0.1


def quote(bid: str = "100", ask: str = "100.1", quantity: str = "1", at_ns: int = START_NS) -> Quote:
    """Return a top of the book; twice as much is offered as is wanted."""
    return Quote(
        market=SPEC.market,
        bid=D(bid),
        bid_quantity=D(quantity),
        ask=D(ask),
        ask_quantity=D(quantity) * 2,
        at_ns=at_ns,
        sequence=7,
    )


def book(top: Quote | None = None, *, spec: MarketSpec = SPEC, depth: int = 3) -> Book:
    """Return a book with that top."""
    made = Book(spec, depth)
    made.frame(quote() if top is None else top)
    return made


def levels(*pairs: tuple[str, str]) -> list[tuple[Decimal, Decimal]]:
    """Return prices and quantities."""
    return [(D(price), D(quantity)) for price, quantity in pairs]


def test_before_the_first_frame_there_is_no_quote() -> None:
    """Who asks all the same has made a mistake."""
    empty = Book(SPEC, 3)
    assert not empty.quoted
    with pytest.raises(RuntimeError):
        empty.best(Side.BUY)
    empty.frame(quote())
    assert empty.quoted


def test_behind_the_quote_each_level_is_a_tick_worse() -> None:
    """So many levels on either side as the venue has, each with the usual quantity."""
    bids, asks = book().depth()
    assert bids == levels(("100", "1"), ("99.9", "4"), ("99.8", "4"))
    assert asks == levels(("100.1", "2"), ("100.2", "4"), ("100.3", "4"))
    assert book(depth=1).depth() == (bids[:1], asks[:1])


def test_a_market_without_a_usual_level_shows_as_much_behind_as_before() -> None:
    """As a real market's quote is taken for."""
    shallow = msgspec.structs.replace(SPEC, level=D(0))
    assert book(spec=shallow).levels(Side.BUY) == levels(("100.1", "2"), ("100.2", "2"), ("100.3", "2"))


def test_nobody_bids_nothing() -> None:
    """Levels end above zero."""
    assert book(quote(bid="0.2", ask="0.3"), depth=9).levels(Side.SELL) == levels(("0.2", "1"), ("0.1", "4"))


def test_a_taker_meets_the_best_first_and_no_more_than_it_wants() -> None:
    """What it took stays taken until the next frame."""
    made = book()
    assert made.take(Side.BUY, D(3), None) == levels(("100.1", "2"), ("100.2", "1"))
    assert made.best(Side.BUY) == D("100.2")
    assert made.take(Side.BUY, D(100), None) == levels(("100.2", "3"), ("100.3", "4"))
    assert made.take(Side.BUY, D(1), None) == []
    assert made.take(Side.SELL, D(1), None) == levels(("100", "1"))
    made.frame(quote())
    assert made.take(Side.BUY, D(2), None) == levels(("100.1", "2"))


def test_a_limit_takes_its_own_price_and_none_worse() -> None:
    """On either side."""
    assert book().take(Side.BUY, D(9), D("100.2")) == levels(("100.1", "2"), ("100.2", "4"))
    assert book().take(Side.SELL, D(9), D("99.9")) == levels(("100", "1"), ("99.9", "4"))
    assert book().take(Side.SELL, D(9), D("100.1")) == []


def test_an_order_crosses_at_the_best_price_that_is_left() -> None:
    """The price itself crosses; once the level is gone it does not any more."""
    made = book()
    prices = ("99.9", "100", "100.1", "100.2")
    assert [made.crosses(Side.BUY, D(price)) for price in prices] == [False, False, True, True]
    assert [made.crosses(Side.SELL, D(price)) for price in prices] == [True, True, False, False]
    made.take(Side.BUY, D(2), None)
    assert not made.crosses(Side.BUY, D("100.1"))
    made.take(Side.SELL, D(1), None)
    assert not made.crosses(Side.SELL, D(100))


def test_what_is_shown_at_a_price_is_what_is_quoted_there_on_the_side_of_the_order() -> None:
    """Nothing behind the quote is shown to those who queue."""
    made = book()
    assert [made.shown(Side.BUY, D(price)) for price in ("100", "99.9", "100.1")] == [D(1), D(0), D(0)]
    assert [made.shown(Side.SELL, D(price)) for price in ("100.1", "100.2", "100")] == [D(2), D(0), D(0)]


def test_the_quote_tells_what_takers_left() -> None:
    """The next level where the first is gone; a side that is empty keeps its price with nothing there."""
    made = book()
    made.take(Side.BUY, D(3), None)
    told = made.requote(START_NS + 5)
    assert told == msgspec.structs.replace(quote(), ask=D("100.2"), ask_quantity=D(3), at_ns=START_NS + 5)
    assert made.quote is told
    made.take(Side.SELL, D(100), None)
    emptied = made.requote(START_NS + 6)
    assert (emptied.bid, emptied.bid_quantity, emptied.ask_quantity) == (D(100), D(0), D(3))
    assert made.take(Side.SELL, D(1), None) == []


def test_other_rules_hold_for_the_levels_of_the_next_frame() -> None:
    """Their tick, and how much is usual."""
    made = book()
    other = msgspec.structs.replace(SPEC.instrument, tick=D("0.5"))
    made.ruled(msgspec.structs.replace(SPEC, instrument=other, level=D(8)))
    made.frame(quote(ask="100.5"))
    assert made.levels(Side.BUY) == levels(("100.5", "2"), ("101", "8"), ("101.5", "8"))
