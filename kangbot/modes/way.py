"""What the composition of one venue gives, whichever venue it is."""

from collections.abc import Callable, Sequence

import msgspec

from kangbot.execution.venue_clock import VenueClock
from kangbot.health.latency import Timings
from kangbot.machines.limiter import Window
from kangbot.ports import Dialect, Venue
from kangbot.sim.paper.funding import Rates


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's adapter, the dialects of its sockets, and how much of each the venue bears. Nothing is connected yet.

    `private` is None where there is no account to listen to: data only, or an account that is simulated.
    """

    venue: Venue
    public: Sequence[Callable[[], Dialect]]
    private: Callable[[], Dialect] | None
    connects_per_5_minutes: int
    account_windows: tuple[Window, ...]  # for requests about orders and the account
    data_windows: tuple[Window, ...]  # for requests of public data
    receive_window_ms: int  # how late an order may reach the venue
    timings: Timings  # how long the venue's REST calls take
    rates: Rates  # of the funding that the venue has settled
    clock: VenueClock  # the venue's, to be measured; what is signed is stamped by it
