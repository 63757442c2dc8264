"""What the suites of `ports.Feeds` say in one word."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from kangbot.model.data import MarketData, Quote, Trade
from kangbot.model.orders import AccountEvent
from kangbot.ports import Topic

E = TypeVar("E")


class Told:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[MarketData | AccountEvent] = []
        self.changes: list[tuple[str, bool]] = []
        self.reasons: list[str] = []  # of the changes, one each

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Keep the event."""
        self.events.append(event)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Keep the change."""
        self.changes.append((topic.native, live))
        self.reasons.append(reason)

    def garbled(self, topic: Topic) -> None:
        """Forget it: the account's part is tested where it is read."""

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in their order."""
        return [event for event in self.events if isinstance(event, kind)]

    def heard(self, kind: type[MarketData | AccountEvent], more_than: int = 0) -> bool:
        """Whether so many events of the kind have come."""
        return len(self.of(kind)) > more_than

    def lives(self) -> dict[str, list[bool]]:
        """Return what was told of each topic: live, down, live again."""
        told: dict[str, list[bool]] = {}
        for native, live in self.changes:
            told.setdefault(native, []).append(live)
        return told

    def down_reasons(self) -> list[str]:
        """Return why topics were down."""
        return [reason for reason, (_, live) in zip(self.reasons, self.changes, strict=True) if not live]


async def until(done: Callable[[], bool], for_s: float = 120.0, every_s: float = 0.01) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(for_s):
        while not done():
            await asyncio.sleep(every_s)


async def flowing(told: Told, changes: int) -> None:
    """Wait until so many changes were told, and quotes and trades have come after that."""
    await until(lambda: len(told.changes) == changes)
    quotes, trades = len(told.of(Quote)), len(told.of(Trade))
    await until(lambda: told.heard(Quote, quotes) and told.heard(Trade, trades))
