"""Binance USD-M's REST side: public data, and a clear no to whatever concerns an account.

The endpoints take no signature and no float is welcome, so there is nothing for ccxt to do: five questions over our own
client. What the streams push is in feed.py, what answers mean in public.py, what refusals mean in errors.py. Nothing
here retries or has a budget.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TypeVar
from urllib.parse import urlencode

from kangbot.errors import Refused, Retryable
from kangbot.health.latency import Timings
from kangbot.model.data import Bar, FundingRate, Quote, Trade
from kangbot.model.ids import Symbol
from kangbot.model.market import Instrument
from kangbot.model.money import Price
from kangbot.ports import IdRule, Turn
from kangbot.venues.binance_usdm.decode import INTERVALS
from kangbot.venues.binance_usdm.errors import refusal
from kangbot.venues.binance_usdm.public import (
    VENUE,
    read_book,
    read_candles,
    read_funding,
    read_instruments,
    read_problem,
    read_time_ms,
    read_trades,
)
from kangbot.venues.data_only import DataOnly
from kangbot.venues.http import Http, NoAnswer, NotSent, retry_after_ns
from kangbot.venues.reading import MILLISECOND_NS, UNREADABLE, CandleRow, bar_of, readable

T = TypeVar("T")

_OK = 200
_CANDLES_A_REQUEST = 1500
_TRADES_A_REQUEST = 1000
_RATES_A_REQUEST = 1000


class BinanceVenue(DataOnly):
    """The data half of `ports.Venue` for Binance USD-M perpetuals. `rest_url` is "https://fapi.binance.com".

    `timeout_s` bounds a request in all, `connect_timeout_s` the wait for a connection. `turn` is asked for before each
    request; by default there is no budget to keep.
    """

    name = VENUE
    id_rule = IdRule.WHILE_OPEN
    tells_mark = False

    def __init__(
        self,
        *,
        rest_url: str,
        timeout_s: float = 10.0,
        connect_timeout_s: float = 4.0,
        timings: Timings | None = None,
        turn: Turn = nullcontext,
    ) -> None:
        self._turn = turn
        self._rest_url = rest_url.rstrip("/")
        self._http = Http(timeout_s=timeout_s, connect_timeout_s=connect_timeout_s, timings=timings)

    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of those `symbols` that are perpetuals and trade now."""
        wanted = frozenset(symbols)
        return await self._ask("exchangeInfo", {}, lambda body: read_instruments(body, wanted))

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        """Return at most `limit` newest closed bars, oldest first. Refused: Binance has no such timeframe.

        A candle does not say whether it is finished, and neither does its answer say when it was given: the venue's
        clock is asked first, and what had ended by then is final.
        """
        interval = INTERVALS.get(timeframe_s)
        if interval is None:
            raise Refused(f"binance_usdm has no candles of {timeframe_s} s")
        params: dict[str, str | int] = {"symbol": instrument.native, "interval": interval}
        ended_ms = await self._time_ms() - timeframe_s * 1000  # what opened later is not closed
        closed: list[CandleRow] = []
        while len(closed) < limit:
            # One more than is missing: the newest candle is not finished.
            asked = min(limit - len(closed) + 1, _CANDLES_A_REQUEST)
            candles = await self._ask("klines", params | {"limit": asked}, read_candles)
            if closed and candles and candles[0].start >= closed[0].start:
                raise Retryable("binance_usdm gives the same candles for every page")
            closed[:0] = [candle for candle in candles if candle.start <= ended_ms]
            if len(candles) < asked:  # that was the market's first day
                break
            params["endTime"] = candles[0].start - 1
        with readable(VENUE):
            return [bar_of(candle, instrument.market, timeframe_s) for candle in closed[-limit:]]

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        """Return the newest public trades, oldest first: at most `limit`, and at most the 1,000 that Binance gives."""
        params: dict[str, str | int] = {"symbol": instrument.native, "limit": min(limit, _TRADES_A_REQUEST)}
        rows = await self._ask("aggTrades", params, read_trades)
        with readable(VENUE):
            return [row.trade(instrument.market) for row in rows]

    async def quote(self, instrument: Instrument) -> Quote:
        """Return the top of the book. Retryable while a side of it is empty."""
        book = await self._ask("ticker/bookTicker", {"symbol": instrument.native}, read_book)
        with readable(VENUE):
            found = book.quote(instrument.market)
        if found is None:
            raise Retryable(f"a side of {instrument.symbol}'s book is empty")
        return found

    async def funding(self, instrument: Instrument, since_ns: int) -> Sequence[FundingRate]:
        """Return the rates that were settled after that time, oldest first."""
        found: list[FundingRate] = []
        params: dict[str, str | int] = {"symbol": instrument.native, "limit": _RATES_A_REQUEST}
        while True:
            after_ns = found[-1].at_ns if found else since_ns
            params["startTime"] = after_ns // MILLISECOND_NS + 1
            rates = await self._ask("fundingRate", params, read_funding)
            newer = [rate for rate in rates if rate.at_ns > after_ns]
            found += newer
            if len(rates) < _RATES_A_REQUEST or not newer:
                return found

    async def mark(self, instrument: Instrument) -> Price | None:
        """Refuse: nothing but paper is traded here."""
        del instrument
        raise Refused("binance_usdm is not asked for mark prices")

    async def server_time_ns(self) -> int:
        """Return the venue's clock, in nanoseconds since the epoch."""
        return await self._time_ms() * MILLISECOND_NS

    async def aclose(self) -> None:
        """Close the connections; bounded by a second."""
        await self._http.aclose()

    async def _time_ms(self) -> int:
        return await self._ask("time", {}, read_time_ms)

    async def _ask(self, endpoint: str, params: Mapping[str, str | int], read: Callable[[bytes], T]) -> T:
        """Return the endpoint's answer as `read` understands it; every error leaves as one of `kangbot.errors`."""
        query = f"?{urlencode(params)}" if params else ""
        async with self._turn():
            body = await self._answer(f"{self._rest_url}/fapi/v1/{endpoint}{query}")
        try:
            return read(body)
        except UNREADABLE as error:
            raise Retryable(f"binance_usdm's {endpoint} could not be read: {error}") from error

    async def _answer(self, url: str) -> bytes:
        try:
            reply = await self._http.send("GET", url, {}, None)
        except NotSent as error:
            raise Retryable(f"binance_usdm was not reached: {error}") from error
        except NoAnswer as error:
            raise Retryable(f"binance_usdm did not answer: {error}") from error
        if reply.status != _OK:
            code, message = read_problem(reply.body)
            raise refusal(reply.status, code, message, retry_after_ns(reply.headers))
        return reply.body
