"""What a simulated market is: its rules, where its price starts, and how lively it is."""

from decimal import Decimal

import msgspec

from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


class MarketSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One simulated market.

    The logarithm of the price is a mean-reverting walk around `price`: `volatility` is its standard deviation over one
    second, `reversion_s` the time in which a deviation shrinks to 1/e. The defaults give a range of about 3 % over
    hours and crossings of fast and slow averages of one-second bars every few seconds.
    """

    instrument: Instrument
    price: Price
    level: Quantity  # a typical quantity at one level of the book; 0: as much as the quote shows
    spread_ticks: int = 1  # the narrowest spread
    volatility: float = 1.5e-4
    reversion_s: float = 6 * 3600.0
    max_leverage: Decimal = Decimal(50)

    @property
    def market(self) -> MarketId:
        """The market's id."""
        return self.instrument.market


class VenueSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated venue: its markets, its one account and its fees."""

    markets: tuple[MarketSpec, ...]
    seed: bytes = b"kangbot"  # enters the venue's ids only; the prices draw from what is forked by name
    start_ns: int  # when trading begins; history lies before it
    rate: float = 10.0  # book frames per second and market
    history_minutes: int = 1000  # of trades and bars before the start
    currency: str = "USDT"
    balance: Decimal = Decimal(100_000)
    leverage: Decimal = Decimal(10)  # of every market until it is set
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.00055")
    spot_fee: Decimal = Decimal("0.001")
    maintenance: Decimal = Decimal("0.005")  # of a position's value; below it the account is liquidated
    funding_rate: Decimal = Decimal("0.0001")  # paid by longs to shorts at each funding time
    funding_interval_s: int = 8 * 3600
    depth: int = 10  # levels a taker may walk; only the first is quoted
    minutes_kept: int = 20_000  # of candles, a market
    trades_kept: int = 1000  # for those who ask for the recent ones, a market

    @property
    def frame_ns(self) -> int:
        """The time between two frames of a market."""
        return max(1, round(SECOND_NS / self.rate))
