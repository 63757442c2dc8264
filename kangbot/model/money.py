"""Prices and quantities: exact decimals, and the only roundings there are."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TypeAlias

Price: TypeAlias = Decimal  # quote currency for one unit of base
Quantity: TypeAlias = Decimal  # base currency; signed only where the name says so (`net`)
Money: TypeAlias = Decimal  # an amount of the settle currency

ZERO = Decimal(0)
BEYOND: Decimal = Decimal(10) ** 18  # no price or quantity is so large; NaN and infinity fail the comparison too


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Round down to a multiple of `step` (> 0): a quantity that must not exceed what was asked."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Round up to a multiple of `step` (> 0)."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def nearest_to(value: Decimal, step: Decimal) -> Decimal:
    """Round to the nearest multiple of `step` (> 0), halves to even: a price that has no side to favour."""
    return (value / step).to_integral_value(ROUND_HALF_EVEN) * step
