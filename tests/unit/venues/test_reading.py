"""What the decoders of all venues share: which numbers are numbers, and what an unreadable answer becomes."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kangbot.errors import Retryable
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.money import BEYOND
from kangbot.model.orders import Side
from kangbot.venues.reading import (
    UNREADABLE,
    CandleRow,
    bar_of,
    checked_bar,
    checked_quote,
    checked_trade,
    quoted,
    read_as,
    readable,
    tradable,
)
from tests.support.instruments import instrument_of

MARKET = MarketId("v:A")
LARGEST = BEYOND - 1
ODD = [Decimal(text) for text in ("0", "-1", "NaN", "Infinity", "-Infinity")] + [BEYOND]


def quote(**changes: Decimal) -> Quote:
    """A book whose ask is a step above its bid."""
    told: dict[str, Any] = {"bid": Decimal(10), "bid_quantity": Decimal(1), "ask": Decimal(11)}
    return Quote(market=MARKET, at_ns=7, **{"ask_quantity": Decimal(1), **told, **changes})


def bar(**changes: Any) -> Bar:
    """A candle that is right."""
    told = dict(zip(("open", "high", "low", "close", "volume"), map(Decimal, (5, 9, 3, 4, 2)), strict=True))
    return Bar(market=MARKET, timeframe_s=60, open_ns=0, **{**told, **changes})


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("side", ["bid", "ask", "bid_quantity", "ask_quantity"])
def test_no_book_has_a_price_or_a_quantity_that_is_none(side: str, odd: Decimal) -> None:
    """Nor one so large that it cannot be; the market is named."""
    with pytest.raises(ValueError, match="the top of v:A's book"):
        checked_quote(quote(**{side: odd}))


def test_a_book_is_never_crossed_nor_locked() -> None:
    """Streams are held against the same rule; what just fits is a book, unchanged."""
    for bid in (Decimal(11), Decimal(12)):
        with pytest.raises(ValueError, match="book is"):
            checked_quote(quote(bid=bid))
    for good in (quote(), quote(ask=LARGEST, bid_quantity=LARGEST), quote(bid=Decimal("10.999999999999999999"))):
        assert checked_quote(good) is good


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("field", ["price", "quantity"])
def test_a_trade_has_a_price_and_a_quantity(field: str, odd: Decimal) -> None:
    """Else it is none."""
    good = Trade(market=MARKET, trade_id="1", side=Side.BUY, price=LARGEST, quantity=LARGEST, at_ns=0)
    assert checked_trade(good) is good
    with pytest.raises(ValueError, match="in v:A"):
        checked_trade(msgspec.structs.replace(good, **{field: odd}))


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_a_candle_has_four_prices(field: str, odd: Decimal) -> None:
    """Each of them one."""
    with pytest.raises(ValueError, match="whose prices contradict each other"):
        checked_bar(bar(**{field: odd}))


@pytest.mark.parametrize(
    "changes",
    [{"low": 6}, {"high": 4}, {"open": 10}, {"open": 2}, {"close": 10}, {"close": 2}, {"high": 3, "low": 9}],
    ids=str,
)
def test_a_candles_prices_lie_between_its_lowest_and_its_highest(changes: dict[str, int]) -> None:
    """Whichever of them does not."""
    with pytest.raises(ValueError, match="contradict"):
        checked_bar(bar(**{name: Decimal(value) for name, value in changes.items()}))


def test_a_minute_without_a_trade_is_a_candle() -> None:
    """All its prices are one, and its volume is 0; less than nothing was never traded."""
    flat = bar(**dict.fromkeys(("open", "high", "low", "close"), Decimal(5)), volume=Decimal(0))
    assert checked_bar(flat) is flat
    for volume in ("-1", "NaN", "Infinity"):
        with pytest.raises((ValueError, ArithmeticError), match=r"."):
            checked_bar(bar(volume=Decimal(volume)))


def test_a_row_is_a_bar_of_the_market_that_was_asked_for() -> None:
    """Milliseconds become nanoseconds; what a venue writes behind the volume is passed over."""
    row = msgspec.json.decode(b'[1700000000123,"5","9","3","4","2.50",99,"more"]', type=CandleRow, strict=False)
    read = bar_of(row, MARKET, 300)
    assert (read.market, read.timeframe_s, read.open_ns) == (MARKET, 300, 1_700_000_000_123_000_000)
    assert [str(one) for one in (read.open, read.high, read.low, read.close, read.volume)] == [
        "5",
        "9",
        "3",
        "4",
        "2.50",
    ]
    with pytest.raises(ValueError, match="contradict"):
        bar_of(msgspec.structs.replace(row, high=Decimal(1)), MARKET, 300)


class Told(msgspec.Struct, frozen=True):
    """A row."""

    name: str
    count: int = 0
    inner: list[dict[str, int]] = []


def test_numbers_may_be_text_and_a_null_is_a_field_that_was_not_told() -> None:
    """Venues write both for what an order does not have, at any depth; what must be told must."""
    assert read_as({"name": "a", "count": "7"}, Told) == Told(name="a", count=7)
    told = {"name": "a", "count": None, "inner": [{"x": 1, "y": None}]}
    assert read_as(told, Told) == Told(name="a", inner=[{"x": 1}])
    for odd in ({"name": None}, {"name": "a", "count": "many"}, [1], None):
        with pytest.raises(UNREADABLE):
            read_as(odd, Told)


class Rules(msgspec.Struct, frozen=True):
    """What a venue may tell of a market."""

    tick: Decimal
    word: str = ""
    most: Decimal | None = None
    least: Decimal = Decimal(0)


def test_an_empty_text_where_a_number_is_expected_is_a_field_that_was_not_told() -> None:
    """One market whose rules have one would keep all others from theirs. What must be told must, and that is said."""
    told: dict[str, Any] = {"tick": "0.1", "word": "", "most": "", "least": ""}
    assert read_as(told, Rules) == Rules(tick=Decimal("0.1"))
    assert read_as([told, told | {"least": None, "most": "7"}], list[Rules])[1].most == 7
    for odd in (told | {"tick": ""}, told | {"tick": {}}):
        with pytest.raises(msgspec.ValidationError, match=r"\$\.(tick|most)"):
            read_as(odd, Rules)


@pytest.mark.parametrize(
    "error", [msgspec.DecodeError("x"), ZeroDivisionError("x"), ValueError("x"), RecursionError("x")]
)
def test_a_row_that_cannot_be_read_may_be_whole_a_moment_later(error: Exception) -> None:
    """With the venue's name; another error is not a row's."""
    with pytest.raises(Retryable, match=r"^venue sent a row that cannot be read: x$") as caught, readable("venue"):
        raise error
    assert caught.value.code == "unreadable"
    with pytest.raises(LookupError), readable("venue"):
        raise LookupError


def test_a_page_that_is_not_the_venues_is_quoted_as_a_browser_shows_it() -> None:
    """In one line of bounded length, whatever bytes it has."""
    assert quoted(b"<html>\n<h1>502  Bad\tGateway</h1>\xff") == "502 Bad Gateway \ufffd"
    assert quoted(b"x" * 10_000) == "x" * 300
    assert quoted(b" " * 5000 + b"far below") == ""


@pytest.mark.parametrize("odd", [*ODD, Decimal("sNaN"), Decimal("1E+999999999"), Decimal("1E-999999")], ids=str)
def test_a_market_whose_rules_cannot_be_kept_is_not_traded(odd: Decimal) -> None:
    """Nothing is a multiple of 0; a minimum of 0 binds nobody, and a maximum of 0 everybody."""
    good = instrument_of()
    assert tradable(good)
    assert not tradable(msgspec.structs.replace(good, tick=odd))
    assert not tradable(msgspec.structs.replace(good, step=odd))
    assert not tradable(msgspec.structs.replace(good, max_quantity=odd))
    assert tradable(msgspec.structs.replace(good, max_quantity=None))
    for field in ("min_quantity", "min_notional"):
        assert tradable(msgspec.structs.replace(good, **{field: odd})) is odd.is_zero()
