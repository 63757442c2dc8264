"""What people edit in the configuration's file while the daemon runs, or is away: drawn for a share of the sessions.

Each edit is the whole file as it stands from then on. How the daemon hears of it is drawn too: it looks by itself, or
it is sent SIGHUP, or called.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kangbot.machines.holding import ForeignPolicy
from kangbot.market.spec import MarketSpec
from kangbot.model.ids import Symbol
from kangbot.model.money import ZERO, Money
from kangbot.risk.limits import Limits
from kangbot.settings import Settings
from kangbot.settings.trading import Market, Risk

if TYPE_CHECKING:
    import random  # noqa: TID251 -- the type only; the generator is forked from the seed

SHARE = 0.2  # of the sessions
_MINUTE_S = 60
_NS = 1_000_000_000
_AWAY_AT_FIRST = 0.3  # of those sessions: a market is added later
_MOST = 8  # edits
_AWAY = 0.5  # of the crashes: somebody edits the file soon afterwards
_AFTER_NS = (1 * _NS, 8 * _NS)
_COUNTED = 0.4  # of those sessions: a market may enter so often from the beginning on
_UNDONE = 0.4  # of the edits put a market back that had left
_TOGETHER = 0.3  # of the edits change more than one thing
_WRONG = 0.15  # of the edits are saved with a mistake first
_TIMEFRAMES = (5, 10, 15, 60)
_SIZES = tuple(map(Decimal, ("0.5", "0.8", "1.25")))  # of the session's
_IN_MARKET = tuple(map(Decimal, ("0.6", "1.1", "1.5", "2.5")))  # of the size
_IN_ALL = tuple(map(Decimal, ("0.8", "1.6", "4")))
_DAYS = tuple(map(Decimal, ("0", "0.01", "0.05")))
_FALLS = tuple(map(Decimal, ("0", "0.01", "0.04")))
_ENTRIES = (0, 3, 6, 12)
_BY_EQUITY = tuple(map(Decimal, ("1.1", "2.5")))


_POLICIES: dict[ForeignPolicy, Literal["report", "quarantine", "adopt"]] = {
    ForeignPolicy.REPORT: "report",
    ForeignPolicy.QUARANTINE: "quarantine",
    ForeignPolicy.ADOPT: "adopt",
}


class By(Enum):
    """How the daemon hears of an edit."""

    LOOK = "look"
    SIGNAL = "SIGHUP"
    CALL = "operator"


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody saves the file. `wrong`: with a mistake, which is put right a few seconds later."""

    at_ns: int
    version: int
    settings: Settings
    by: By
    wrong: bool = False


def decides(rng: "random.Random", timeframe_s: int) -> dict[str, Any]:
    """Draw parameters of the strategy whose look-back is in the venue's history."""
    slow = 3 if timeframe_s == _MINUTE_S else rng.randint(3, 6 if timeframe_s == 5 else 4)
    return {
        "fast": rng.randint(1, 2),
        "slow": slow,
        "stop_percent": rng.choice(("0.1", "0.3", "1.0")),
        "allow_short": rng.random() < 0.8,
    }


def word(timeframe_s: int) -> str:
    """Return the timeframe as a person writes it."""
    return "1m" if timeframe_s == _MINUTE_S else f"{timeframe_s}s"


def settings_of(specs: Iterable[MarketSpec], limits: Limits, foreign: ForeignPolicy) -> Settings:
    """Return the configuration of these markets under these limits. Limit orders are GTC: it knows no others."""
    risk = Risk(
        market_notional=limits.market_notional or ZERO,
        total_notional=limits.total_notional or ZERO,
        open_positions=0,
        leverage=limits.leverage or ZERO,
        slippage_percent=limits.slippage_percent,
        daily_loss=limits.daily_loss or ZERO,
        drawdown_percent=limits.drawdown_percent or ZERO,
        foreign=_POLICIES[foreign],
    )
    return Settings(state_dir=Path("/state"), markets=tuple(_table(spec) for spec in specs), risk=risk)


def _table(spec: MarketSpec) -> Market:
    style = spec.style
    return Market(
        symbol=spec.symbol,
        venue="bybit",
        strategy=spec.strategy.name,
        parameters=msgspec.to_builtins(spec.strategy.parameters),
        timeframe=spec.timeframe,
        size=spec.size,
        leverage=spec.leverage,
        entry_order=_order(style.kind.value),
        exit_order=_order(style.exit_kind.value),
        order_patience_s=style.patience_ns // _NS,
    )


def _order(kind: str) -> Literal["market", "limit"]:
    return "market" if kind == "market" else "limit"


def drawn(
    rng: "random.Random",
    begun: Settings,
    *,
    size: Money,
    balance: Money,
    begin_ns: int,
    end_ns: int,
    crashes_ns: Sequence[int],
    keeps_leverage: bool,
) -> tuple[Settings, tuple[Edit, ...]]:
    """Draw what the file says at first, and its edits, some of them soon after crashes.

    `keeps_leverage`: the limit by equity stays as it is.
    """
    every = begun.markets
    if len(every) > 1 and rng.random() < _AWAY_AT_FIRST:
        away = rng.choice(every)
        begun = replace(begun, markets=tuple(one for one in every if one is not away))
    if rng.random() < _COUNTED:
        begun = replace(begun, risk=replace(begun.risk, entries_an_hour=rng.choice(_ENTRIES[1:])))
    session = _Session(every, size, balance)
    changes: list[_Change] = [*_OF_MARKETS, *_OF_MARKETS, *(_OF_ALL if keeps_leverage else (*_OF_ALL, _by_equity))]
    now, edits = begun, []
    times = [rng.randrange(begin_ns, end_ns) for _ in range(rng.randint(1, _MOST))]
    times += [crash_ns + rng.randint(*_AFTER_NS) for crash_ns in crashes_ns if rng.random() < _AWAY]
    for version, at_ns in enumerate(sorted(min(one, end_ns - 1) for one in times), 1):
        if rng.random() < _UNDONE:
            now = _join(rng, now, session)
        for _ in range(rng.randint(2, 4) if rng.random() < _TOGETHER else 1):
            now = rng.choice(changes)(rng, now, session)
        by, wrong = rng.choice(list(By)), rng.random() < _WRONG
        edits.append(Edit(at_ns=at_ns, version=version, settings=now, by=by, wrong=wrong))
    return begun, tuple(edits)


class _Session(msgspec.Struct, frozen=True):
    """What edits are made within: all markets that there may be, the size of a position, and the account's balance."""

    markets: tuple[Market, ...]
    size: Money
    balance: Money


_Change = Callable[["random.Random", Settings, _Session], Settings]


# ------------------------------------------------------------------------------------------------------------ markets
def _leave(rng: "random.Random", now: Settings, _session: _Session) -> Settings:
    """Take a market out, or disable it; the last one stays."""
    there = [market for market in now.markets if market.enabled]
    if len(there) < 2:
        return now
    gone = rng.choice(there)
    if rng.random() < 0.5:
        return _put(now, replace(gone, enabled=False))
    return replace(now, markets=tuple(market for market in now.markets if market is not gone))


def _join(rng: "random.Random", now: Settings, session: _Session) -> Settings:
    """Add a market, or put one back."""
    there = {market.symbol for market in now.markets if market.enabled}
    absent = [market for market in session.markets if market.symbol not in there]
    if not absent:
        return now
    known = {market.symbol: market for market in now.markets}
    chosen = rng.choice(absent)
    return _put(now, replace(known.get(chosen.symbol, chosen), enabled=True))


def _decide(rng: "random.Random", now: Settings, _session: _Session) -> Settings:
    """Have other parameters decide in a market, or on other bars."""
    market = rng.choice(now.markets)
    timeframe_s = rng.choice(_TIMEFRAMES)
    if rng.random() < 0.5:  # on the same bars
        timeframe_s = next(one for one in _TIMEFRAMES if word(one) == market.timeframe)
    return _put(now, replace(market, timeframe=word(timeframe_s), parameters=decides(rng, timeframe_s)))


def _resize(rng: "random.Random", now: Settings, session: _Session) -> Settings:
    """Trade a market by another size."""
    return _put(now, replace(rng.choice(now.markets), size=session.size * rng.choice(_SIZES)))


def _lever(rng: "random.Random", now: Settings, _session: _Session) -> Settings:
    """Have another leverage set for a market."""
    return _put(now, replace(rng.choice(now.markets), leverage=rng.choice((2, 3, 5, 10))))


def _order_otherwise(rng: "random.Random", now: Settings, _session: _Session) -> Settings:
    """Place a market's orders otherwise."""
    changed = replace(
        rng.choice(now.markets),
        entry_order=rng.choice(("market", "limit")),
        exit_order=rng.choice(("market", "limit")),
        order_patience_s=rng.choice((2, 5, 15)),
    )
    return _put(now, changed)


def _put(now: Settings, market: Market) -> Settings:
    """Return the configuration with the market's table in its place, or at the end."""
    tables: dict[Symbol, Market] = {Symbol(one.symbol): one for one in now.markets}
    tables[Symbol(market.symbol)] = market
    return replace(now, markets=tuple(tables.values()))


# ------------------------------------------------------------------------------------------------------------- limits
def _in_market(rng: "random.Random", now: Settings, session: _Session) -> Settings:
    return replace(now, risk=replace(now.risk, market_notional=session.size * rng.choice(_IN_MARKET)))


def _in_all(rng: "random.Random", now: Settings, session: _Session) -> Settings:
    return replace(now, risk=replace(now.risk, total_notional=session.size * rng.choice(_IN_ALL)))


def _by_equity(rng: "random.Random", now: Settings, session: _Session) -> Settings:
    share = session.size * rng.choice(_BY_EQUITY) / session.balance
    return replace(now, risk=replace(now.risk, leverage=rng.choice((Decimal(3), share))))


def _in_a_day(rng: "random.Random", now: Settings, session: _Session) -> Settings:
    return replace(now, risk=replace(now.risk, daily_loss=session.size * rng.choice(_DAYS)))


def _from_the_highest(rng: "random.Random", now: Settings, session: _Session) -> Settings:
    fall = session.size * rng.choice(_FALLS) / session.balance * 100
    return replace(now, risk=replace(now.risk, drawdown_percent=fall))


def _in_an_hour(rng: "random.Random", now: Settings, _session: _Session) -> Settings:
    return replace(now, risk=replace(now.risk, entries_an_hour=rng.choice(_ENTRIES)))


# ------------------------------------------------------------------------------------------------------ at a restart
def _treat_hands(rng: "random.Random", now: Settings, _session: _Session) -> Settings:
    """Have trades by hand treated otherwise."""
    return replace(now, risk=replace(now.risk, foreign=rng.choice(list(_POLICIES.values()))))


_OF_MARKETS: tuple[_Change, ...] = (_leave, _leave, _join, _join, _decide, _resize, _lever, _order_otherwise)
_OF_ALL: tuple[_Change, ...] = (_in_market, _in_all, _in_a_day, _from_the_highest, _in_an_hour, _treat_hands)
