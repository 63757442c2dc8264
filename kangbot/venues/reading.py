"""What the decoders of all venues share: what a frame may do wrong, and which numbers are numbers.

A decoder raises one of `UNREADABLE` on a frame that it cannot read, and nothing else; its dialect makes that a Garbled.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated

import msgspec

from kangbot.ports import Message

# Bad JSON or types, bad numbers, bad text, an absurdly nested frame.
UNREADABLE = (msgspec.MsgspecError, ArithmeticError, ValueError, RecursionError)

Decode = Callable[[bytes], Sequence[Message]]

MILLISECOND_NS = 1_000_000
BEYOND: Decimal = Decimal(10) ** 18  # no price or quantity is so large; NaN and infinity fail the comparison too

Millis = Annotated[int, msgspec.Meta(ge=0, le=10**14)]  # until the year 5138
