"""Until when a venue may still accept what was sent: by our clock, and by its own, which is the one that it judges by.

It takes a request while its clock shows no more than the stamp and the receive window, and may have it wait in a queue
after that: the margin. Our clock shows the same moment as well as the venue's is known. What follows for an absence is
a table in `machines/order.py`.
"""

from kangbot.execution.venue_clock import VenueClock


class Settling:
    """One market's. Before `venue_clock` was measured it is ours."""

    def __init__(self, *, window_ns: int, margin_ns: int, venue_clock: VenueClock) -> None:
        self.window_ns = window_ns
        self.margin_ns = margin_ns
        self._venue_clock = venue_clock

    def ours_ns(self, sent_ns: int) -> int:
        """Return until when, by our clock, absence proves nothing of what is sent at `sent_ns`.

        The stamp is the venue's time as we know it: by as much as that is unsure the window may be over later.
        """
        return sent_ns + self.window_ns + self.margin_ns + self._venue_clock.uncertainty_ns

    def venue_ns(self, later_ns: int = 0) -> int:
        """Return the same by the venue's clock for what is stamped `later_ns` from now, exactly."""
        return self._venue_clock.now_ns() + later_ns + self.window_ns + self.margin_ns
