"""What is traded, with how much, and what may never be exceeded: `[defaults]`, `[[markets]]`, `[risk]`."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from kangbot.model.ids import MarketId, Symbol, VenueName, market_id
from kangbot.settings.kinds import Amount, Section, SymbolText, Timeframe, Whole

TradedVenue = Literal["bybit"]
Parameter = bool | int | float | Decimal | str
MAX_LEVERAGE = 100  # Bybit's highest on any USDT perpetual


class Defaults(Section):
    """`[defaults]`: what a market has unless its own table says otherwise."""

    venue: TradedVenue = "bybit"
    """Where the market is traded."""

    strategy: str = "ema_cross"
    """A name that ships with kangbot, or `path/to/file.py:Class` for a strategy of your own."""

    parameters: dict[str, object] = Field(default_factory=dict)
    """The strategy's parameters; what is absent has the strategy's own default. They apply to markets that use the
    same strategy as `[defaults]` only: another strategy's parameters mean something else."""

    timeframe: Timeframe = "1m"
    """The bars the strategy decides on. Below a minute they are built from trades, from a minute on the venue's."""

    size: Amount = Decimal(50)
    """Notional of one full position, in the quote currency. 50 USDT is above the minimum order of every market that
    ships, and small enough for a first day."""

    leverage: Whole = Field(default=1, ge=1, le=MAX_LEVERAGE)
    """What is set at the venue for the market. 1: a position can lose no more than its notional."""


class Market(Section):
    """`[[markets]]`: one market. Every key but `symbol` may be absent: it is then taken from `[defaults]`."""

    symbol: SymbolText
    """In ccxt's unified form: `BTC/USDT:USDT` is a perpetual, `BTC/USDT` is spot."""

    venue: TradedVenue | None = None
    strategy: str | None = None
    parameters: dict[str, object] = Field(default_factory=dict)
    """Laid over `[defaults]` key by key where the strategy is the same."""

    timeframe: Timeframe | None = None
    size: Amount | None = None
    leverage: Whole | None = Field(default=None, ge=1, le=MAX_LEVERAGE)
    enabled: bool = True
    """false: the market is left alone, and its line stays for later."""


class MarketSettings(Section):
    """One market with the defaults filled in: what the daemon is built from."""

    venue: VenueName
    symbol: Symbol
    strategy: str
    parameters: dict[str, object]
    timeframe: Timeframe
    size: Amount
    leverage: int
    enabled: bool

    @property
    def id(self) -> MarketId:
        """The market's one name everywhere else."""
        return market_id(self.venue, self.symbol)


class Risk(Section):
    """`[risk]`: what the gate in front of every order holds to. Amounts are in the quote currency."""

    max_notional_per_market: Amount = Decimal(500)
    """Position and open entries of one market together; an order of unknown outcome counts in full."""

    max_notional_total: Amount = Decimal(2000)
    """The same over all markets."""

    max_open_positions: Whole = Field(default=10, ge=1, le=1000)
    """Markets that hold a position, or have an entry under way, at one time."""

    max_leverage: Whole = Field(default=3, ge=1, le=MAX_LEVERAGE)
    """No market may be configured above it."""

    daily_loss_stop: Amount = Decimal(100)
    """A day (UTC) that has lost so much, realised and open, fees included, takes no more entries. Exits go on."""
