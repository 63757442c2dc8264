"""What is set of risk, stops and orders is what the gate, the guard and the planner get.

A key that is read and reaches nobody would be believed in all the same.
"""

from collections.abc import Callable
from decimal import Decimal

from kangbot.machines.guard import StopPolicy, StopTerms
from kangbot.machines.plan import Style
from kangbot.model.orders import OrderKind
from kangbot.risk.limits import Limits
from kangbot.settings.schema import Settings

S = 1_000_000_000
MARKET = '[[markets]]\nsymbol = "BTC/USDT:USDT"\nsize = 1\n'

Read = Callable[..., Settings]


def table(name: str, **keys: object) -> str:
    """Return a section of the file."""
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in keys.items()), ""])


def test_each_limit_reaches_the_gate(read: Read) -> None:
    """In its unit, and none in the place of another."""
    text = table(
        "risk",
        market_notional=11,
        total_notional=12,
        open_positions=13,
        leverage=1.5,
        slippage_percent=0.75,
        daily_loss=14,
        drawdown_percent=15,
        consecutive_losses=16,
        losses_pause_s=17,
        stop_pause_s=18,
        entries_an_hour=19,
        require_stop="false",
        beside_hand="true",
        stale_data_s=20,
        spread_percent=2.5,
        mark_distance_percent=3.5,
    )
    assert read(text + MARKET).risk.limits == Limits(
        market_notional=Decimal(11),
        total_notional=Decimal(12),
        open_positions=13,
        leverage=Decimal("1.5"),
        slippage_percent=Decimal("0.75"),
        daily_loss=Decimal(14),
        drawdown_percent=Decimal(15),
        consecutive_losses=16,
        losses_pause_ns=17 * S,
        stop_pause_ns=18 * S,
        entries_an_hour=19,
        require_stop=False,
        beside_hand=True,
        stale_data_ns=20 * S,
        spread_percent=Decimal("2.5"),
        mark_distance_percent=Decimal("3.5"),
    )


def test_limits_of_zero_are_off(read: Read) -> None:
    """TOML has no null: 0 switches a limit off."""
    off = (
        "market_notional",
        "total_notional",
        "open_positions",
        "leverage",
        "daily_loss",
        "drawdown_percent",
        "consecutive_losses",
        "stop_pause_s",
        "entries_an_hour",
        "stale_data_s",
        "spread_percent",
        "mark_distance_percent",
    )
    limits = read(table("risk", **dict.fromkeys(off, 0)) + MARKET).risk.limits
    assert [getattr(limits, name.replace("_s", "_ns") if name.endswith("_s") else name) for name in off] == [None] * 12


def test_the_terms_of_stops_reach_their_guard(read: Read) -> None:
    """In nanoseconds; what is asked of every position is what is asked of an entry."""
    text = table("risk", stop_policy='"tighten"', require_stop="false", stop_distance_percent=7, stop_patience_s=45)
    assert read(text + MARKET).risk.stops == StopTerms(
        policy=StopPolicy.TIGHTEN, required=False, distance_percent=Decimal(7), patience_ns=45 * S
    )


def test_how_a_market_places_its_orders_reaches_the_planner(read: Read) -> None:
    """Entries and exits each in their way, and how long one may rest."""
    for entry, leave in ((OrderKind.LIMIT, OrderKind.MARKET), (OrderKind.MARKET, OrderKind.LIMIT)):
        keys = f'entry_order = "{entry.value}"\nexit_order = "{leave.value}"\norder_patience_s = 25\n'
        (market,) = read(MARKET + keys).trading
        assert market.style == Style(kind=entry, exit_kind=leave, patience_ns=25 * S)
