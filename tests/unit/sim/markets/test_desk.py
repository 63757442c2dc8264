"""What is public about one market: its last price, its mark, its tape and its candles."""

from decimal import Decimal

import msgspec

from kangbot.model.data import Quote, Trade
from kangbot.model.orders import Side
from kangbot.sim.markets.desk import Desk
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS, VenueSpec

D = Decimal
START_NS = 1_760_000_400_000_000_000  # a whole hour
SPEC = linear("BTCUSDT")  # 96,000 at first, a tick of 0.1


def desk(**venue: int) -> Desk:
    """Return a desk of a venue with these settings."""
    return Desk(SPEC, VenueSpec(markets=(SPEC,), start_ns=START_NS, **venue))  # type: ignore[arg-type]


def quote(bid: str, ask: str) -> Quote:
    """Return a top of the book."""
    one = D(1)
    return Quote(market=SPEC.market, bid=D(bid), bid_quantity=one, ask=D(ask), ask_quantity=one, at_ns=START_NS)


def trade(second: int, price: int) -> Trade:
    """Return a trade so many seconds after the start."""
    at_ns = START_NS + second * SECOND_NS
    return Trade(market=SPEC.market, trade_id=str(second), side=Side.BUY, price=D(price), quantity=D(1), at_ns=at_ns)


def test_the_mark_is_the_middle_of_the_book_on_a_tick() -> None:
    """Before the first quote it is the last price; halves go to the even tick."""
    made = desk()
    assert (made.mark, made.last) == (D(96_000), D(96_000))
    made.printed(trade(0, 95_000))
    assert made.mark == 95_000
    for bid, ask, mark in (("100", "100.2", "100.1"), ("100", "100.1", "100"), ("100.1", "100.2", "100.2")):
        made.quoted(quote(bid, ask))
        assert made.mark == D(mark)
    made.quoted(quote("100", "100.4"))
    made.book.take(Side.BUY, D(1), None)
    made.book.requote(START_NS)
    assert made.mark == D("100.2")  # the ask is at 100.5 by now


def test_until_the_first_trade_the_middle_is_the_last_price() -> None:
    """From then on it is what was traded, whatever is quoted."""
    made = desk()
    made.quoted(quote("100", "100.2"))
    assert made.last == D("100.1")
    made.printed(trade(1, 105))
    made.quoted(quote("100", "100.2"))
    assert made.last == 105


def test_a_trade_is_on_the_tape_and_closes_the_minutes_before_it() -> None:
    """The tape keeps the newest."""
    made = desk(trades_kept=2)
    assert made.printed(trade(1, 100)) == ()
    made.printed(trade(2, 101))
    (closed,) = made.printed(trade(61, 102))
    assert (closed.open_ns, closed.close, closed.closed) == (START_NS, D(101), True)
    assert [one.price for one in made.tape] == [101, 102]


def test_history_is_remembered_from_its_first_trade_on() -> None:
    """The price at which the market was listed is none of its candles'."""
    made = desk(minutes_kept=2)
    made.remember([trade(-200, 50), trade(-100, 60), trade(-1, 70)])
    assert made.last == 70
    assert [candle.close for candle in made.klines.candles(60, 9)] == [50, 60, 70]
    assert [one.price for one in made.tape] == [50, 60, 70]
    assert min(candle.low for candle in made.klines.candles(60, 9)) == 50
    made.klines.roll(START_NS + 9 * MINUTE_NS)
    assert len(made.klines.candles(60, 99)) == 3  # two that are kept, and the open one


def test_nothing_to_remember_changes_nothing() -> None:
    """A market that nobody traded begins at its price."""
    made = desk()
    made.remember([])
    assert (made.last, made.klines.current(60).open) == (D(96_000), D(96_000))


def test_other_rules_hold_for_the_mark_at_once_and_for_the_book_from_its_next_frame() -> None:
    """The same quote has its middle on another tick."""
    made = desk()
    made.quoted(quote("100", "101"))
    assert made.mark == D("100.5")
    rules = msgspec.structs.replace(SPEC, instrument=msgspec.structs.replace(SPEC.instrument, tick=D(1)), level=D(3))
    made.ruled(rules)
    assert (made.mark, made.spec) == (D(100), rules)
    made.quoted(quote("100", "101"))
    assert made.book.levels(Side.BUY)[1] == (D(102), D(3))
