"""Arithmetic of the venue's own: 28 digits, halves to even, whatever the thread's decimal context says.

A library may change that context for everybody in the thread (ccxt's `decimal_to_precision` sets its rounding and a
trap); the same seed must give the same digits all the same.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, DivisionByZero, InvalidOperation, Overflow, getcontext, setcontext
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])


def exact(method: Callable[P, R]) -> Callable[P, R]:
    """Run a synchronous function in the venue's decimal context, which nothing of the venue's changes."""

    @wraps(method)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        before = getcontext()
        if before is _CONTEXT:
            return method(*args, **kwargs)
        setcontext(_CONTEXT)
        try:
            return method(*args, **kwargs)
        finally:
            setcontext(before)

    return inside
