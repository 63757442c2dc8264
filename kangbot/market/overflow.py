"""What is said of an inbox that was too small: once when something did not fit, once when all has for a minute."""

from collections.abc import Callable

import structlog

from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.world import SECOND_NS

log = structlog.get_logger(__name__)

Tell = Callable[[str, Severity, str], None]  # `Executor.tell`

_FITS_NS = 60 * SECOND_NS


class Overflow:
    """One market's."""

    def __init__(self, market: MarketId, tell: Tell) -> None:
        self._market = market
        self._tell = tell
        self._last_ns = 0  # when something last did not fit; 0 where that is over

    @property
    def lasts(self) -> bool:
        """Whether the end of one has yet to be said."""
        return self._last_ns > 0

    def look(self, dropped: int, now_ns: int, *, in_all: int) -> None:
        """Learn how many events did not fit lately, and how many since the start."""
        if dropped:
            if not self._last_ns:
                why = f"{dropped} events did not fit into the market's inbox: they are asked for again"
                self._tell("inbox.full", Severity.WARNING, why)
            self._last_ns = now_ns
        elif self._last_ns and now_ns - self._last_ns >= _FITS_NS:
            self._last_ns = 0
            log.info("inbox.fits", market=self._market, dropped=in_all)
