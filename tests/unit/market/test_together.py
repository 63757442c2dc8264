"""Log lines that an outage would write for each market."""

import asyncio

import structlog
from structlog.testing import capture_logs

from kangbot.market.together import Together
from kangbot.model.ids import MarketId
from kangbot.sim.world.loop import run

log = structlog.get_logger(__name__)
MARKETS = [MarketId(f"bybit:{coin}") for coin in ("BTC", "ETH", "SOL", "XRP", "ADA")]


def interrupted(together: Together, market: MarketId) -> None:
    together.say(market, log.warning, "market.bars_interrupted", reason=f"closed: {market}")


def test_what_befalls_many_markets_is_two_lines() -> None:
    """The first at once, the others counted; an outage an hour later is told again, by one line where it is one."""

    async def main() -> None:
        together = Together()
        with capture_logs() as logs:
            for market in MARKETS:
                interrupted(together, market)
                interrupted(together, market)  # again within the span: no other market
            assert [line["market"] for line in logs] == [MARKETS[0]]
            await asyncio.sleep(3600)
            interrupted(together, MARKETS[3])
            await asyncio.sleep(3600)
        first, others, later = logs
        assert (first["reason"], first["log_level"]) == ("closed: bybit:BTC", "warning")
        assert (others["count"], others["markets"]) == (5, "bybit:BTC, bybit:ETH, bybit:SOL, …")
        assert (others["event"], others["log_level"]) == (first["event"], "warning")
        assert (later["market"], "count" in later) == (MARKETS[3], False)

    run(main())


def test_one_event_hides_no_other() -> None:
    """Nor the same one about something else; few markets are all named."""

    async def main() -> None:
        together = Together()
        with capture_logs() as logs:
            interrupted(together, MARKETS[0])
            for market in MARKETS[:3]:
                for what in ("settings", "history"):
                    together.say(market, log.warning, "venue.asking_again", what=what)
            assert [line.get("what") for line in logs] == [None, "settings", "history"]
            await asyncio.sleep(3600)
        assert [line["markets"] for line in logs[3:]] == ["bybit:ETH, bybit:SOL"] * 2

    run(main())
