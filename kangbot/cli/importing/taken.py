"""What was taken from another bot's configuration, and how single values are understood. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec

from kangbot.settings.kinds import TIMEFRAMES

_QUOTES = ("USDT", "USDC", "USD", "BTC", "ETH", "EUR")  # of "BTCUSDT", which has no slash; the first that fits
_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,29}")
LARGEST = Decimal(10) ** 9


class Taken(msgspec.Struct, kw_only=True):
    """What goes into the file. `notes` are for whoever reads it: one sentence each, without a secret."""

    venue: str = "bybit"
    mode: str = "paper"
    timeframe: str = ""
    size: Decimal | None = None
    open_positions: int | None = None
    stop_percent: Decimal | None = None
    balance: Decimal | None = None
    name: str = ""
    symbols: list[str] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)

    def note(self, text: str) -> None:
        """Say something, once."""
        if text not in self.notes:
            self.notes.append(text)

    def leave_exchange(self, name: object) -> None:
        """Say that markets of that exchange are taken for Bybit's."""
        self.note(f"the exchange {shown(name)} is none that kangbot trades at: the markets are Bybit's now")

    def leave_keys(self) -> None:
        """Say that a key stood there, and where one belongs."""
        self.note(
            "keys and secrets were not taken: for testnet and live put them into files of their own, mode 600, and "
            "name those with key_file and secret_file in [venues.bybit]; take a new key, without the right to withdraw"
        )

    def take_symbols(self, values: Iterable[object], *, perpetual: bool) -> None:
        """Take every market that can be understood, once; say which cannot."""
        for value in values:
            found = symbol(value, perpetual=perpetual)
            if found is None:
                self.note(f"the market {shown(value)} is no single symbol and was left out")
            elif found not in self.symbols:
                self.symbols.append(found)

    def take_timeframe(self, value: object) -> None:
        """Take the length of a bar, where kangbot has such bars."""
        text = value.strip() if isinstance(value, str) else ""
        if text in TIMEFRAMES:
            self.timeframe = text
        else:
            self.note(f"timeframe {shown(value)} is none that kangbot has: the default, 1m, holds")


def symbol(value: object, *, perpetual: bool) -> str | None:
    """Return a market in ccxt's unified form: BTC/USDT:USDT is a perpetual, BTC/USDT is spot. None where it is none."""
    text = value.strip().upper() if isinstance(value, str) else ""
    pair, colon, settle = text.partition(":")
    base, _, quote = pair.replace("-", "/").replace("_", "/").partition("/")
    if not quote:
        quote = next((one for one in _QUOTES if base.endswith(one) and base != one), "")
        base = base.removesuffix(quote)
    named = all(part.isascii() and part.isalnum() and len(part) <= 20 for part in (base, quote))
    if not named or (colon and settle != quote):
        return None
    return f"{base}/{quote}:{quote}" if perpetual or colon else f"{base}/{quote}"


def number(value: object, low: Decimal | int, high: Decimal | int = LARGEST) -> Decimal | None:
    """Return a number within its bounds, also where it stands as text; None otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() and low <= found <= high else None


def shown(value: object) -> str:
    """Return a value for a note: a plain word or number as it is; anything else may be a secret, and is not shown."""
    if isinstance(value, str) and (value in TIMEFRAMES or (_WORDS.fullmatch(value) and not _like_a_key(value))):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal) and -LARGEST <= value <= LARGEST:
        return str(value)
    return "(not shown)"


def name_of(key: object) -> str:
    """Return a setting's name for a note: printable, in one line, and not longer than a name is."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(key))[:60]


def _like_a_key(text: str) -> bool:
    return len(text) > 15 and any(letter.isdigit() for letter in text)
