"""How a sandbox exchange is served."""

from dataclasses import dataclass, field
from decimal import Decimal

from kangbot.sim.markets.listing import DEFAULT_LINEAR, DEFAULT_SPOT


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Loopback by default. Key and secret are the well-known "sandbox"/"sandbox": there is no money behind them."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: the system chooses; the answer tells which
    seed: int = 1
    symbols: tuple[str, ...] = DEFAULT_LINEAR  # USDT perpetuals, native names
    spot_symbols: tuple[str, ...] = DEFAULT_SPOT
    rate: float = 10.0  # frames per second and market
    api_key: str = "sandbox"
    api_secret: str = field(default="sandbox", repr=False)
    key_withdraws: bool = False  # what the key's own rights say; there is nothing to withdraw and no way to
    balance: Decimal = Decimal(100_000)  # USDT
    history_minutes: int = 1000
    enforce_limits: bool = True  # of requests per second; the counting headers are sent in any case
    funding_interval_s: int = 8 * 3600
    clock_skew_s: float = 0.0  # by so much the exchange's clock is ahead of this machine's
    leash: bool = False  # end when standard input, a pipe, ends: with whoever started it
    latency_s: float = 0.0  # how far away the venue is: all that clients send is looked at this much later
