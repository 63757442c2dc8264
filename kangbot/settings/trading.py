"""What is traded, with how much, and what may never be exceeded: `[defaults]`, `[[markets]]`, `[paper]`, `[risk]`."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal

from kangbot.machines.guard import StopPolicy, StopTerms
from kangbot.machines.plan import Style
from kangbot.model.ids import MarketId, Symbol, VenueName, market_id, profit_currency
from kangbot.model.market import timeframe_seconds
from kangbot.model.orders import OrderKind
from kangbot.risk.limits import Limits
from kangbot.settings.kinds import DAY_S, SECTION, Amount, Between, Limit, Percent, SymbolText, Timeframe, Words

TradedVenue = Literal["bybit", "binance_usdm"]
OrderWord = Literal["market", "limit"]
Patience = Annotated[int, Between(1, DAY_S)]
Leverage = Annotated[int, Between(1, 100)]  # 100 is Bybit's highest on a USDT perpetual
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """`[defaults]`: what a market has unless its own table says otherwise."""

    __pydantic_config__ = SECTION

    venue: TradedVenue = "bybit"
    """Where the market is traded; the same venue for every market of a daemon. `binance_usdm` gives data only: it is
    traded in mode `paper`."""

    strategy: Words = "ema_cross"
    """A name that ships with kangbot, or `path/to/file.py:Class` for a strategy of your own."""

    parameters: dict[str, Any] = field(default_factory=dict)
    """The strategy's parameters; what is absent has the strategy's own default. They apply to markets that use the
    same strategy as `[defaults]` only: another strategy's parameters mean something else."""

    timeframe: Timeframe = "1m"
    """The bars the strategy decides on. Below a minute they are built from trades, from a minute on the venue's."""

    size: Amount = Decimal(50)
    """Notional of one full position, in the quote currency. 50 USDT is above the smallest order of nearly every market
    that ships, and small enough for a first day."""

    leverage: Leverage = 1
    """What is set at the venue for the market. 1: a position can lose no more than its notional."""

    entry_order: OrderWord = "market"
    """How a position is entered. `limit`: at the best price of its own side of the book, where it may wait unfilled. By
    default at the market: a strategy's target is filled at once."""

    exit_order: OrderWord = "market"
    """The same for what the strategy closes. The kill switch, and a price beyond a stop that does not rest, close at
    the market in any case."""

    order_patience_s: Patience = 10
    """How long a limit order may rest, in seconds; then it is cancelled, and planned anew at the price of then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """`[[markets]]`: one market. Every key but `symbol` may be absent: it is then taken from `[defaults]`."""

    __pydantic_config__ = SECTION

    symbol: SymbolText
    """In ccxt's unified form: `BTC/USDT:USDT` is a perpetual, `BTC/USDT` is spot."""

    venue: TradedVenue | None = None
    strategy: Words | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    """Laid over those of `[defaults]`, key by key, where the strategy is the same."""

    timeframe: Timeframe | None = None
    size: Amount | None = None
    leverage: Leverage | None = None
    entry_order: OrderWord | None = None
    exit_order: OrderWord | None = None
    order_patience_s: Patience | None = None
    enabled: bool = True
    """false: the market is left alone, and its table stays for later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettings:
    """One market with the defaults filled in: what the daemon is built from."""

    venue: VenueName
    symbol: Symbol
    strategy: str
    parameters: dict[str, Any]
    timeframe: str
    size: Decimal
    leverage: int
    entry_order: OrderWord
    exit_order: OrderWord
    order_patience_s: int
    enabled: bool

    @property
    def id(self) -> MarketId:
        """The market's one name everywhere else."""
        return market_id(self.venue, self.symbol)

    @property
    def money(self) -> str:
        """What its size and its profit count in: a contract's settle currency, a pair's quote."""
        return profit_currency(self.id)

    @property
    def timeframe_s(self) -> int:
        """The length of a bar, in seconds."""
        return timeframe_seconds(self.timeframe)

    @property
    def style(self) -> Style:
        """How its orders are placed."""
        return Style(
            kind=OrderKind(self.entry_order),
            exit_kind=OrderKind(self.exit_order),
            patience_ns=self.order_patience_s * SECOND_NS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """`[paper]`: the simulated account of mode `paper`. What it has since gained or lost is in the journal."""

    __pydantic_config__ = SECTION

    balance: Amount = Decimal(10_000)
    """What it began with, in USDT. A later change moves its equity by the difference, which is no gain and no loss: the
    day's loss by equity and the drawdown are counted anew from the next start on. Contracts that settle in another
    currency are counted as if that were USDT. A spot pair that is priced in another coin is bought with what the
    account has of that one, and it begins with none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """`[risk]`: what the gate in front of every order holds to. Entries are held back by it, exits never.

    Money is in the account's settle currency. 0 switches a limit off. The names are those of `risk/limits.py`.
    """

    __pydantic_config__ = SECTION

    market_notional: Limit = Decimal(500)
    """Position and open entries of one market at their worst; an order of unknown outcome counts in full."""

    total_notional: Limit = Decimal(2000)
    """The same over all markets."""

    open_positions: Annotated[int, Between(0, 10_000)] = 10
    """Markets that hold a position, or have an entry under way, at one time."""

    leverage: Annotated[Decimal, Between(Decimal(0), Decimal(100))] = Decimal(3)
    """Total notional by equity. With an equity that is not known, no entry passes."""

    slippage_percent: Percent = Decimal("0.5")
    """By how much a market order may fill worse than its reference price, for its worst case."""

    daily_loss: Limit = Decimal(100)
    """A day (UTC) that has lost so much takes no more entries. Open losses count, and so do fees that are taken in the
    currency of the profit or in the traded coin; in a third one (MNT, BNB) they do not: `fee.foreign` tells of it."""

    drawdown_percent: Percent = Decimal(20)
    """Of the highest equity seen: so far below it nothing enters, until equity is back or a person accepts the loss
    (`kangbot reset-drawdown`), from where it is counted anew. Equity is what the account has of the currency that the
    markets settle in, and the coins that their spot markets hold, at their price. Other coins are no part of it:
    neither what was there before, nor what a market holds that is not in this file any more."""

    consecutive_losses: Annotated[int, Between(0, 1000)] = 0
    """Round trips of one market that lost, fees included, without a gain between. Off: a trend follower loses often."""

    losses_pause_s: Annotated[int, Between(1, 30 * DAY_S)] = 4 * 3600
    """How long a market rests after so many, in seconds; then one entry is let through."""

    stop_pause_s: Annotated[int, Between(0, 30 * DAY_S)] = 0
    """How long a market rests after a stop or a liquidation, in seconds."""

    entries_an_hour: Annotated[int, Between(0, 100_000)] = 0
    """Of one market, over the last 60 minutes."""

    require_stop: bool = True
    """An entry has a stop: in its own request, on spot in the request that follows its first fill."""

    stop_policy: Literal["retry", "tighten", "close"] = "close"
    """How far to go for a stop that the venue does not take: ask again; and offer stops nearer to the price; and close
    the position. Without a stop a position can lose anything, so the default goes all the way."""

    stop_patience_s: Annotated[int, Between(5, DAY_S)] = 30
    """How long a position may wait for a stop that neither rests nor is refused, in seconds, before `close` closes
    it."""

    stop_distance_percent: Annotated[Decimal, Between(Decimal("0.1"), Decimal(50))] = Decimal(5)
    """Of the entry price: where the stop goes of a position whose own stop nobody knows. Only with `require_stop`."""

    foreign: Literal["report", "quarantine", "adopt"] = "report"
    """What is done where somebody trades by hand in a market of ours; it is told in any case. `report`: their share is
    left alone, and nothing is entered while it is there. `quarantine`: the market takes no entry until
    `kangbot release MARKET`, over restarts too. `adopt`: the strategy has the whole position."""

    orphans: Literal["cancel", "report"] = "cancel"
    """What is done with a resting order that bears our prefix and is not in our journal: another daemon's, or one from
    a state folder that was lost. An order without our prefix is never touched."""

    beside_hand: bool = False
    """Whether to enter a market where somebody trades by hand."""

    stale_data_s: Annotated[int, Between(0, 3600)] = 30
    """No entry on a quote older than this, in seconds. Venues repeat a quiet book every few seconds."""

    spread_percent: Percent = Decimal(1)
    """No entry into a spread wider than this, in percent of the mid."""

    mark_distance_percent: Percent = Decimal(3)
    """No entry further than this from the venue's mark price, in percent of it. That is asked for once a minute, of
    Bybit's contracts; where it is not told, nothing is held against it. A testnet's may be far from its own trades."""

    @property
    def stops(self) -> StopTerms:
        """What is done for stops that do not rest."""
        return StopTerms(
            policy=StopPolicy(self.stop_policy),
            required=self.require_stop,
            distance_percent=self.stop_distance_percent,
            patience_ns=self.stop_patience_s * SECOND_NS,
        )

    @property
    def limits(self) -> Limits:
        """The same for the gate: 0 is None, seconds are nanoseconds."""
        return Limits(
            market_notional=self.market_notional or None,
            total_notional=self.total_notional or None,
            open_positions=self.open_positions or None,
            leverage=self.leverage or None,
            slippage_percent=self.slippage_percent,
            daily_loss=self.daily_loss or None,
            drawdown_percent=self.drawdown_percent or None,
            consecutive_losses=self.consecutive_losses or None,
            losses_pause_ns=self.losses_pause_s * SECOND_NS,
            stop_pause_ns=self.stop_pause_s * SECOND_NS or None,
            entries_an_hour=self.entries_an_hour or None,
            require_stop=self.require_stop,
            beside_hand=self.beside_hand,
            stale_data_ns=self.stale_data_s * SECOND_NS or None,
            spread_percent=self.spread_percent or None,
            mark_distance_percent=self.mark_distance_percent or None,
        )


def worth_the_same(one: str, other: str) -> bool:
    """Whether both are one currency, or both a dollar: USDT, USDC and the like."""
    return one == other or ("USD" in one and "USD" in other)
