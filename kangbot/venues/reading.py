"""What the decoders of all venues share: what a frame may do wrong, and which numbers are numbers.

A decoder raises one of `UNREADABLE` on a frame that it cannot read, and nothing else; its dialect makes that a Garbled.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from kangbot.errors import Retryable
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.money import BEYOND, ZERO
from kangbot.ports import Message

T = TypeVar("T")

# Bad JSON or types, bad numbers, bad text, an absurdly nested frame.
UNREADABLE = (msgspec.MsgspecError, ArithmeticError, ValueError, RecursionError)

Decode = Callable[[bytes], Sequence[Message]]

MILLISECOND_NS = 1_000_000

Millis = Annotated[int, msgspec.Meta(ge=0, le=10**14)]  # until the year 5138

_MARKUP = re.compile(r"<[^<>]*>")
_LOOKED_AT, _QUOTED = 4096, 300  # bytes of an answer that is not the venue's, and characters of it for the log


# --------------------------------------------------------------------------------------------------- answers over REST
def quoted(body: bytes) -> str:
    """Return what an answer says that is not the venue's, in one line: of a page what a browser would show of it."""
    return " ".join(_MARKUP.sub(" ", body[:_LOOKED_AT].decode(errors="replace")).split())[:_QUOTED]


@contextmanager
def readable(venue: str) -> Iterator[None]:
    """Make a row that cannot be read a Retryable: it may be whole a moment later, and says nothing as it is."""
    try:
        yield
    except UNREADABLE as error:
        raise Retryable(f"{venue} sent a row that cannot be read: {error}", code="unreadable") from error


def read_as(told: object, shape: type[T]) -> T:
    """Return what was told as `shape`. UNREADABLE where it is of another; numbers may be text.

    A null where none is expected is a field that was not told, and so is an empty text where a number is: venues write
    all of these for what an order, or a market, does not have.
    """
    try:
        return msgspec.convert(told, shape, strict=False)
    except msgspec.ValidationError:
        pass
    try:
        return msgspec.convert(_without(told, None), shape, strict=False)
    except msgspec.ValidationError:
        with suppress(msgspec.ValidationError):
            return msgspec.convert(_without(told, None, ""), shape, strict=False)
        raise


def _without(told: Any, *nothing: str | None) -> Any:
    if isinstance(told, dict):
        return {name: _without(value, *nothing) for name, value in told.items() if value not in nothing}
    if isinstance(told, list):
        return [_without(value, *nothing) for value in told]
    return told


def _sound(*numbers: Decimal) -> bool:
    return all(number.is_finite() and ZERO < number < BEYOND for number in numbers)


def checked_quote(quote: Quote) -> Quote:
    """Return it; ValueError where no book can be so. Streams hold their frames against the same rules."""
    if not _sound(quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity) or quote.bid >= quote.ask:
        raise ValueError(f"the top of {quote.market}'s book is {quote.bid} and {quote.ask}")
    return quote


def checked_trade(trade: Trade) -> Trade:
    """Return it; ValueError where it has no price or no quantity."""
    if not _sound(trade.price, trade.quantity):
        raise ValueError(f"a trade of {trade.quantity} at {trade.price} in {trade.market}")
    return trade


def checked_bar(bar: Bar) -> Bar:
    """Return it; ValueError where its prices contradict each other."""
    inside = (bar.open, bar.close)
    if not _sound(bar.low, bar.high, *inside) or not bar.low <= min(inside) <= max(inside) <= bar.high:
        raise ValueError(f"a bar of {bar.market} whose prices contradict each other")
    if not (bar.volume == 0 or _sound(bar.volume)):
        raise ValueError(f"a bar of {bar.market} with a volume of {bar.volume}")
    return bar


class Candled(Protocol):
    """A venue's row of one candle, whatever its fields are called there."""

    @property
    def start(self) -> int:
        """When it opens, in milliseconds of the venue's time."""

    @property
    def open(self) -> Decimal:
        """The first price."""

    @property
    def high(self) -> Decimal:
        """The highest price."""

    @property
    def low(self) -> Decimal:
        """The lowest price."""

    @property
    def close(self) -> Decimal:
        """The last price."""

    @property
    def volume(self) -> Decimal:
        """In base currency."""


class CandleRow(msgspec.Struct, frozen=True, array_like=True):
    """One candle as every venue's REST answer has it: a list; what follows the volume is passed over."""

    start: int  # milliseconds
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal  # base currency


def bar_of(row: Candled, market: MarketId, timeframe_s: int) -> Bar:
    """Return the candle as a bar of `timeframe_s`. ValueError where none can be so."""
    read = Bar(
        market=market,
        timeframe_s=timeframe_s,
        open_ns=row.start * MILLISECOND_NS,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
    )
    return checked_bar(read)


def tradable(instrument: Instrument) -> bool:
    """Whether its rules can be kept: nothing is a multiple of 0, nor compared with what is no number.

    Nor of 1E-999999, by which a price cannot be divided.
    """
    bounds = (instrument.min_quantity, instrument.min_notional, instrument.max_quantity)
    told = (instrument.tick, instrument.step, *(one for one in bounds if one is not None and not one.is_zero()))
    return _sound(*told) and min(told) >= 1 / BEYOND and instrument.max_quantity != 0
