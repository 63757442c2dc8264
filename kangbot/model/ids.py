"""Names of things, as types that cannot be confused."""

import re
import zlib
from typing import NewType

VenueName = NewType("VenueName", str)  # "bybit"
Symbol = NewType("Symbol", str)  # ccxt's unified form: "BTC/USDT:USDT" a linear perpetual, "BTC/USDT" spot
MarketId = NewType("MarketId", str)  # "bybit:BTC-USDT:USDT"; safe in a URL path and a file name
ClientId = NewType("ClientId", str)  # our order id at the venue: [a-z0-9], at most 32, once for ever
VenueOrderId = NewType("VenueOrderId", str)
ExecutionId = NewType("ExecutionId", str)  # the venue's id of one fill; unique within (venue, account)
TransferId = NewType("TransferId", str)  # the venue's id of one transfer; unique within (venue, account)


def market_id(venue: VenueName, symbol: Symbol) -> MarketId:
    """Return the one id of a market; a function of venue and symbol, so it survives restarts and config edits."""
    return MarketId(f"{venue}:{symbol.replace('/', '-')}")


def spot_base(market: MarketId) -> str:
    """Return the coin that is held in a spot market, "" for a derivative, which holds none."""
    _, _, symbol = market.partition(":")
    return "" if ":" in symbol else symbol.partition("-")[0]


def on_a_board(symbol: Symbol) -> str:
    """Return the market's name where there is little room: the pair, and "spot" where it is that.

    Both a perpetual and a spot market of one pair may be traded, at different prices.
    """
    pair, derivative, _ = symbol.partition(":")
    return pair if derivative else f"{pair} spot"


def profit_currency(market: MarketId) -> str:
    """Return the currency a market's profit is in: what a derivative settles in, what a coin is priced in."""
    pair, colon, settle = market.partition(":")[2].partition(":")
    return settle.partition("-")[0] if colon else pair.partition("-")[2]


CLIENT_ID_PREFIX = "kb"


def client_id(journal_tag: str, number: int) -> ClientId:
    """Return the client order id of intent `number` of the journal named `journal_tag` (8 characters, [a-z0-9]).

    A function of what the journal knows, never a draw: after a crash the id of an order that may have been sent is
    known. Letters and digits only and at most 32, the narrowest alphabet of the supported venues (OKX `clOrdId`;
    Bybit `orderLinkId` allows 36, Binance `newClientOrderId` 36).
    """
    return ClientId(f"{CLIENT_ID_PREFIX}{journal_tag}{_base36(number)}")


def is_client_id(text: str) -> bool:
    """Whether it is the id of such an order, of this journal or of another one.

    Other people's programs may begin theirs with the same two letters, and go on as they like.
    """
    return _CLIENT_ID.fullmatch(text) is not None


LOST_AT_MOST = 1_000_000
"""Orders that may have left without being in the journal that goes on: it gives the numbers after them."""


def number_of(order: ClientId | None, journal_tag: str) -> int:
    """Return the number of the intent whose id it is; 0 where that journal gave it none."""
    head = f"{CLIENT_ID_PREFIX}{journal_tag}"
    digits = order.removeprefix(head) if order is not None and order.startswith(head) else ""
    number = int(digits, 36) if digits.isalnum() and digits.isascii() else 0
    return number if number < _NEVER else 0


STOP_ID_PREFIX = "ks"
STOP_ATTEMPTS = 36  # ids that one order lends to the stops beside what it bought


def stop_id(order: ClientId, attempt: int) -> ClientId:
    """Return the client order id of the stop that rests beside what `order` bought, where the venue keeps no stop.

    A function of the order's id, so that asking twice cannot place two. `attempt` counts from 0 below `STOP_ATTEMPTS`:
    an id that ended at the venue is used up for ever, and the next stop beside the same holding takes the next one. It
    is one character at the end, so no two orders lend the same id.
    """
    return ClientId(f"{stop_ids(order[len(CLIENT_ID_PREFIX) :])}{_base36(attempt)}")


def holding_id(journal_tag: str, market: MarketId, opened_ns: int) -> ClientId:
    """Return the id that lends its own to the stop beside a holding of which no order is remembered.

    Somebody bought it by hand, or the entry was long ago. Another market's holding lends another one, though it began
    in the same moment, and no order has it: their numbers are far below. At most 29 characters.
    """
    return client_id(journal_tag, (1 + zlib.crc32(market.encode())) * _NEVER | opened_ns)


def journal_of(order: ClientId) -> str:
    """Return the name of the journal that gave the order its id."""
    return order[len(CLIENT_ID_PREFIX) :][:8]


def of_another(order: ClientId | None, journal_tag: str) -> bool:
    """Whether the id was given by a kangbot, and by another than the one whose journal has that name."""
    return order is not None and order.startswith(CLIENT_ID_PREFIX) and journal_of(order) != journal_tag


def stop_ids(journal_tag: str) -> str:
    """Return how the ids of all such stops of that journal begin."""
    return f"{STOP_ID_PREFIX}{journal_tag}"


def is_stop_id(text: str) -> bool:
    """Whether it is the id of such a stop, of this journal or of another one."""
    return _STOP_ID.fullmatch(text) is not None


_NEVER = 1 << 64  # no intent has a number as high as this
_CLIENT_ID = re.compile(rf"{CLIENT_ID_PREFIX}[a-z0-9]{{9,30}}")
_STOP_ID = re.compile(rf"{STOP_ID_PREFIX}[a-z0-9]{{10,30}}")


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    out = digits[number % 36]
    while number := number // 36:
        out = digits[number % 36] + out
    return out
