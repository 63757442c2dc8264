"""The gate in front of every order: a table of rules, and the verdict of the first that objects.

Exits are only ever blocked by the venue's filters, never by a limit on loss or exposure; entries by any rule. Reserving
what was admitted is left to `risk/account.py`, in the same breath.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from kangbot.model.orders import Proposal, Purpose
from kangbot.risk import rules
from kangbot.risk.facts import Case, Context
from kangbot.risk.limits import Limits

Rule: TypeAlias = Callable[[Case], str]


class Allowed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The order may leave."""


class Blocked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The order may not leave: which rule objects, and why, in words for a log."""

    rule: str
    reason: str


Verdict: TypeAlias = Allowed | Blocked

FILTERS: tuple[tuple[str, Rule], ...] = (
    ("quantity", rules.quantity),
    ("price", rules.price),
    ("notional", rules.notional),
)

ENTRY_RULES: tuple[tuple[str, Rule], ...] = (
    ("kill_switch", rules.kill_switch),
    ("clock", rules.clock),
    ("unknown_order", rules.unknown_order),
    ("by_hand", rules.by_hand),
    ("stop_required", rules.stop_required),
    ("stale_data", rules.stale_data),
    ("wide_spread", rules.wide_spread),
    ("mark_distance", rules.mark_distance),
    ("daily_loss", rules.daily_loss),
    ("drawdown", rules.drawdown),
    ("consecutive_losses", rules.consecutive_losses),
    ("cool_down", rules.cool_down),
    ("entries_an_hour", rules.entries_an_hour),
    ("open_positions", rules.open_positions),
    ("market_notional", rules.market_notional),
    ("total_notional", rules.total_notional),
    ("leverage", rules.leverage),
)

RULES: dict[Purpose, tuple[tuple[str, Rule], ...]] = {
    Purpose.EXIT: FILTERS,
    Purpose.ENTRY: FILTERS + ENTRY_RULES,
}

_ALLOWED = Allowed()


def judge(proposal: Proposal, context: Context, limits: Limits) -> Verdict:
    """Return whether the proposal may leave, by the first rule of its purpose that objects."""
    case = Case(proposal=proposal, context=context, limits=limits)
    for name, rule in RULES[proposal.purpose]:
        if reason := rule(case):
            return Blocked(rule=name, reason=reason)
    return _ALLOWED
