"""An inbox that was too small is told of once, and once more when it has been large enough for a minute."""

import structlog

from kangbot.market.overflow import Overflow
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId

MINUTE_NS = 60_000_000_000
MARKET = MarketId("bybit:BTC-USDT:USDT")


def test_it_is_told_once_however_often_something_does_not_fit() -> None:
    """The minute begins anew with each; afterwards it is told again."""
    told: list[tuple[str, Severity, str]] = []
    overflow = Overflow(MARKET, lambda *said: told.append(said))
    with structlog.testing.capture_logs() as logged:
        for dropped, now_ns in ((3, 1), (2, MINUTE_NS), (0, 2 * MINUTE_NS - 1)):
            overflow.look(dropped, now_ns, in_all=5)
            assert overflow.lasts
        assert logged == []
        overflow.look(0, 2 * MINUTE_NS, in_all=5)
        assert not overflow.lasts
        overflow.look(1, 3 * MINUTE_NS, in_all=6)
    words = "events did not fit into the market's inbox: they are asked for again"
    assert told == [("inbox.full", Severity.WARNING, f"{dropped} {words}") for dropped in (3, 1)]
    assert [(line["event"], line["market"], line["dropped"]) for line in logged] == [("inbox.fits", MARKET, 5)]
