"""Log lines of many markets, told together: an outage befalls all of them, and is one trouble.

The first market's line is written at once and as it is. What the same event says of others within ten seconds is one
line more, with how many they are and the first of them; `kangbot status` says for each market what its data lack.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from kangbot.model.ids import MarketId

Write = Callable[..., object]  # a level of a log

_SPAN_S = 10.0
_NAMED = 3


class Say(Protocol):
    """Writes an event to the log, or has it told with others."""

    def __call__(self, write: Write, event: str, **fields: object) -> None:
        """Take an event of one market, or of none."""


def plainly(write: Write, event: str, **fields: object) -> None:
    """Write the event, which no market shares with others."""
    write(event, **fields)


class Together:
    """Lines of the markets of one account. Events with another `what` are others."""

    def __init__(self) -> None:
        self._later: dict[tuple[str, object], dict[MarketId, dict[str, object]]] = {}

    def say(self, market: MarketId, write: Write, event: str, **fields: object) -> None:
        """Write the event of the market, or count it with those that come after the first of them."""
        key = event, fields.get("what")
        if (others := self._later.get(key)) is not None:
            others.setdefault(market, fields)
            return
        self._later[key] = {}
        write(event, market=market, **fields)
        asyncio.get_running_loop().call_later(_SPAN_S, self._tell, key, write)

    def _tell(self, key: tuple[str, object], write: Write) -> None:
        others = self._later.pop(key)
        if not others:
            return
        named = [*others][:_NAMED]
        some = ", ".join(named if len(others) <= _NAMED else [*named, "…"])
        write(key[0], count=len(others), markets=some, **others[named[0]])
