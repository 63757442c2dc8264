"""A memory as text and back: what stands in the journal for the records that were removed.

JSON that a person can read; decimals travel as strings and stay exact.
"""

from collections.abc import Sequence

import msgspec

from kangbot.machines.memory import MarketMemory, Memory
from kangbot.model.money import Money
from kangbot.model.written import Written


class _Text(Written, frozen=True, kw_only=True):
    """A memory without keys that JSON has not."""

    last_sequence: int
    born_ns: int
    next_number: int
    markets: Sequence[MarketMemory]
    equity: Sequence[tuple[str, str, Money]]


_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER = msgspec.json.Decoder(_Text)


def encode(memory: Memory) -> bytes:
    """Return the memory as one JSON object."""
    return _ENCODER.encode(
        _Text(
            last_sequence=memory.last_sequence,
            born_ns=memory.born_ns,
            next_number=memory.next_number,
            markets=list(memory.markets.values()),
            equity=[(venue, currency, equity) for (venue, currency), equity in memory.equity.items()],
        )
    )


def decode(text: bytes) -> Memory:
    """Return the memory of that text; msgspec.DecodeError where it is none."""
    kept = _DECODER.decode(text)
    return Memory(
        last_sequence=kept.last_sequence,
        born_ns=kept.born_ns,
        next_number=kept.next_number,
        markets={market.market: market for market in kept.markets},
        equity={(venue, currency): equity for venue, currency, equity in kept.equity},
    )
