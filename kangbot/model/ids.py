"""Names of things, as types that cannot be confused."""

from typing import NewType

VenueName = NewType("VenueName", str)  # "bybit"
Symbol = NewType("Symbol", str)  # ccxt's unified form: "BTC/USDT:USDT" a linear perpetual, "BTC/USDT" spot
MarketId = NewType("MarketId", str)  # "bybit:BTC-USDT:USDT"; safe in a URL path and a file name
ClientId = NewType("ClientId", str)  # our order id at the venue: [a-z0-9], at most 32, once for ever
VenueOrderId = NewType("VenueOrderId", str)
ExecutionId = NewType("ExecutionId", str)  # the venue's id of one fill; unique within (venue, account)


def market_id(venue: VenueName, symbol: Symbol) -> MarketId:
    """Return the one id of a market; a function of venue and symbol, so it survives restarts and config edits."""
    return MarketId(f"{venue}:{symbol.replace('/', '-')}")


def spot_base(market: MarketId) -> str:
    """Return the coin that is held in a spot market, "" for a derivative, which holds none."""
    _, _, symbol = market.partition(":")
    return "" if ":" in symbol else symbol.partition("-")[0]


CLIENT_ID_PREFIX = "kb"


def client_id(journal_tag: str, number: int) -> ClientId:
    """Return the client order id of intent `number` of the journal named `journal_tag` (8 characters, [a-z0-9]).

    A function of what the journal knows, never a draw: after a crash the id of an order that may have been sent is
    known. Letters and digits only and at most 32, the narrowest alphabet of the supported venues (OKX `clOrdId`;
    Bybit `orderLinkId` allows 36, Binance `newClientOrderId` 36).
    """
    return ClientId(f"{CLIENT_ID_PREFIX}{journal_tag}{_base36(number)}")


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    out = digits[number % 36]
    while number := number // 36:
        out = digits[number % 36] + out
    return out
