"""Funding on paper: what was held is charged at the rates that the real venue has settled, once it tells them.

A rate is known a moment after it was due, and by then the position may be another. So each is booked for what was held
at its time, at the price of the hour's candle that closed then, however late it is asked for: a minute later, or at the
next start after a week. The venue is asked once an hour for each contract in which something was held since it was
asked last: a contract's times are its own, and all of them are whole hours. While it does not answer nothing is lost.
What is, is a payment that it had not told before the daemon ended, where the market was traded in between.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from kangbot.errors import KangbotError, RateLimited, Retryable, words
from kangbot.model.data import FundingRate
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.money import Price
from kangbot.ports import Venue
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.paper.account import PaperAccount

log = structlog.get_logger(__name__)

# Of an instrument, what was settled after that time, oldest first.
Rates = Callable[[Instrument, int], Awaitable[Sequence[FundingRate]]]

_HOUR_S = 3600
_HOUR_NS = _HOUR_S * SECOND_NS
_MOST_HOURS = 1000  # as many candles as a venue gives at once: six weeks
_TOLD_NS = 60 * SECOND_NS  # after it was due a venue tells of a rate; one that comes later is found an hour later
_A_ROUND = 5  # markets that are asked about; the others have their turn a minute later


class PaperFunding:
    """One account's. `candles` gives hours of the real venue's; `settle` is called again and again."""

    def __init__(self, account: PaperAccount, candles: Venue, rates: Rates, clock: Clock) -> None:
        self._account = account
        self._candles = candles
        self._rates = rates
        self._clock = clock
        self._began_ns = clock.now_ns()
        self._since_ns: dict[MarketId, int] = {}  # all before is booked
        self._asked_ns: dict[MarketId, int] = {}  # of which hour
        self._failing = False

    async def settle(self) -> None:
        """Book what fell due. RateLimited; any other trouble is said, and asked about again."""
        due_ns = (self._clock.now_ns() - _TOLD_NS) // _HOUR_NS * _HOUR_NS
        asked = 0
        for instrument in self._account.contracts:
            market = instrument.market
            since_ns = self._since_ns.setdefault(market, self._account.known_ns(market))
            if max(since_ns, self._asked_ns.get(market, 0)) >= due_ns:
                continue
            if not self._account.held_after(market, since_ns):
                self._since_ns[market] = due_ns
                continue
            if asked == _A_ROUND:
                return
            asked += 1
            try:
                await self._book(instrument, since_ns)
            except RateLimited:
                raise
            except KangbotError as error:
                if not self._failing:
                    log.warning("paper.funding_unread", market=market, why=words(error))
                self._failing = True
                return
            self._failing = False
            self._asked_ns[market] = due_ns

    async def _book(self, instrument: Instrument, since_ns: int) -> None:
        market, account = instrument.market, self._account
        settled = [rate for rate in await self._rates(instrument, since_ns) if rate.at_ns > since_ns]
        owed = [rate for rate in settled if account.net_at(market, rate.at_ns)]
        if owed:
            closes = await self._closes(instrument, owed[0].at_ns)
            for rate in owed:
                hour_ns = max((at_ns for at_ns in closes if at_ns <= rate.at_ns), default=min(closes))
                account.fund(market, closes[hour_ns], rate)
            account.tell()
        if settled:
            self._since_ns[market] = settled[-1].at_ns
        if late := sum(rate.at_ns < self._began_ns for rate in owed):
            log.info("paper.funding_made_up", market=market, times=late)

    async def _closes(self, instrument: Instrument, from_ns: int) -> dict[int, Price]:
        """Return what the market was at, by the hour. A time that has no candle is valued at the one before it."""
        hours = min(_MOST_HOURS, (self._clock.now_ns() - from_ns) // _HOUR_NS + 2)
        closes = {bar.open_ns + _HOUR_NS: bar.close for bar in await self._candles.bars(instrument, _HOUR_S, hours)}
        if not closes:
            raise Retryable(f"the venue has no candles of {instrument.market}, which funding is to be booked by")
        return closes
