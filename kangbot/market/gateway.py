"""The way to one venue account: whom to ask, what to hear it by, how often, and whose clock counts there."""

import msgspec

from kangbot.execution.budget import Budget
from kangbot.execution.venue_clock import VenueClock
from kangbot.ports import Feeds, Venue


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """One account's. Venues count by endpoint: what prepares a market and looks at its prices has `data_budget`."""

    venue: Venue
    feeds: Feeds
    budget: Budget  # for orders, and for questions about them and the account
    data_budget: Budget  # for settings, history and prices: a start of many markets holds no order up
    clock: VenueClock  # the venue's, by which requests are stamped

    def offset_ns(self) -> int:
        """Return how far the venue's clock is ahead of ours; 0 before it was measured."""
        return self.clock.offset_ns
