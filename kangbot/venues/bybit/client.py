"""ccxt's Bybit with our clock, our transport and only the markets that we trade.

ccxt knows the endpoints, signs, and forms orders (`create_order`). What it would do besides costs an order time or
certainty and is replaced at the seams that ccxt has for it:

- `fetch2`, which every request of ccxt's passes before it is signed, holds it under a turn of the caller's budget.
- `fetch` is our `Http`: it tells a request that never left from one that may have arrived, keeps the code, the status
  and the headers of a refusal together, and decodes in a tenth of the time. ccxt's rate limiter and its retries are
  off: budgets and second attempts of whatever changes something belong to the executor.
- `nonce` is the venue's clock as we measured it; an order is stamped no later than it was noted to leave, however long
  the process was stopped between that and signing it: the venue refuses such a stamp for its age.
- `parse_order` leaves the row as it is: ccxt would turn its decimals into floats.
- Markets are given, not loaded: `load_markets` would keep every one of some thousands, 12 KB each. They carry no
  precision, so that the digits of an order pass as they are; rounding was done before the intent was journalled.

A unified trading account is assumed, as the documentation of every endpoint used here does.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from kangbot.errors import KangbotError, Retryable
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.ports import Turn
from kangbot.venues import ccxt_lean
from kangbot.venues.bybit.errors import Answered, classify, retry_after
from kangbot.venues.http import Http
from kangbot.venues.reading import MILLISECOND_NS, UNREADABLE, quoted, read_as

T = TypeVar("T")

_OK = 200
_AGAIN_S = (0.1, 0.4)
_PAGES = 200  # a cursor that leads further is one that leads nowhere
_LATEST_MS: ContextVar[int | None] = ContextVar("latest_ms", default=None)  # of the stamp; None: whatever it is by now


class Answer(NamedTuple, Generic[T]):
    """The result of a query, and when the venue gave it, by its own clock."""

    result: T
    at_ns: int


class EndlessError(Retryable):
    """An answer has more pages than are read."""


class Page(msgspec.Struct, Generic[T], rename="camel"):
    """Rows, and where the next ones are."""

    rows: list[T] = msgspec.field(name="list")
    next_page_cursor: str | None = ""


class Client:
    """Calls to Bybit's v5 endpoints by ccxt's names for them; every error leaves as one of `kangbot.errors`.

    `rest_url` replaces Bybit's own address; `receive_window_ms` is how old a request may be when it arrives.
    """

    def __init__(
        self,
        *,
        key: str,
        secret: str,
        rest_url: str | None,
        venue_now_ms: Callable[[], int],
        receive_window_ms: int,
        http: Http,
        turn: Turn,
    ) -> None:
        exchange = _ours(ccxt_lean.load("bybit"))
        self._exchange = exchange(
            {
                "apiKey": key,
                "secret": secret,
                "enableRateLimit": False,
                "options": {
                    "recvWindow": receive_window_ms,
                    "maxRetriesOnFailure": 0,
                    "defaultType": "swap",
                    "defaultSubType": "linear",
                    # The answers to the two requests that the first order would otherwise make and wait for.
                    "enableUnifiedMargin": False,
                    "enableUnifiedAccount": True,
                    "unifiedMarginStatus": 6,
                },
            }
        )
        self._exchange.kangbot_http = http
        self._exchange.kangbot_now_ms = venue_now_ms
        self._exchange.kangbot_turn = turn
        if rest_url is not None:
            self._exchange.urls["api"] = dict.fromkeys(self._exchange.urls["api"], rest_url.rstrip("/"))
        self._markets: dict[str, dict[str, Any]] = {}

    def know(self, instruments: Iterable[Instrument]) -> None:
        """Let orders be formed for these markets."""
        new = [one for one in instruments if one.symbol not in self._markets]
        if new:
            self._markets.update({one.symbol: _market(one) for one in new})
            self._exchange.set_markets(list(self._markets.values()))

    async def ask(self, endpoint: str, params: Mapping[str, Any], shape: type[T]) -> Answer[T]:
        """Return the endpoint's result, read as `shape`.

        A question that met a gateway's error page is put again, twice: answers that count as one whole (every endpoint
        that could know an order, all of an account) would hardly ever come together at a venue that is half there.
        """
        for pause_s in (*_AGAIN_S, None):
            try:
                answer = await getattr(self._exchange, endpoint)(dict(params))
            except KangbotError as error:
                if pause_s is None or not _from_a_gateway(error.__cause__):
                    raise
                await asyncio.sleep(pause_s)
                continue
            try:
                return Answer(read_as(answer["result"], shape), int(answer["time"]) * MILLISECOND_NS)
            except Exception as error:
                raise classify(error, changes=False) from error
        raise AssertionError("the last attempt returns or raises")

    async def pages(self, endpoint: str, params: Mapping[str, Any], row: type[T]) -> Answer[list[T]]:
        """Return the rows of all pages, in the venue's order, and when the earliest was given. All or nothing.

        EndlessError where there are more than some hundred.
        """
        shape: Any = Page[row]  # type: ignore[valid-type] # the row's type is a value here, as msgspec wants it
        rows: list[T] = []
        told_ns: list[int] = []
        asked = dict(params)
        for _ in range(_PAGES):
            page, at_ns = await self.ask(endpoint, asked, shape)
            rows.extend(page.rows)
            told_ns.append(at_ns)
            if not page.rows or not page.next_page_cursor:
                return Answer(rows, min(told_ns))
            asked["cursor"] = page.next_page_cursor
        raise EndlessError(f"bybit's {endpoint} has no last page")

    async def change(self, endpoint: str, params: Mapping[str, Any]) -> None:
        """Make a request that changes something at the venue."""
        await getattr(self._exchange, endpoint)(dict(params))

    async def place(
        self,
        *,
        symbol: str,
        kind: str,
        side: str,
        quantity: str,
        price: str | None,
        params: Mapping[str, Any],
        latest_ms: int | None = None,
    ) -> str:
        """Place an order through ccxt's `create_order` and return the venue's id for it.

        `latest_ms`: its stamp is no later than this, by the venue's clock.
        """
        latest = _LATEST_MS.set(latest_ms)
        try:
            order = await self._exchange.create_order(symbol, kind, side, quantity, price, dict(params))
            return str(order["orderId"])
        except KangbotError:
            raise
        except Exception as error:
            raise classify(error, changes=True) from error
        finally:
            _LATEST_MS.reset(latest)


def _from_a_gateway(error: BaseException | None) -> bool:
    """Whether a proxy answered in the venue's place: 5xx without one of the venue's own codes."""
    return isinstance(error, Answered) and error.status >= 500 and not error.code


def _ours(base: type[Any]) -> type[Any]:
    """Return ccxt's class with the seams filled."""

    class Exchange(base):  # type: ignore[misc] # ccxt has no types
        kangbot_http: Http
        kangbot_now_ms: Callable[[], int]
        kangbot_turn: Turn

        def nonce(self) -> int:
            now_ms, latest_ms = self.kangbot_now_ms(), _LATEST_MS.get()
            return now_ms if latest_ms is None else min(now_ms, latest_ms)

        async def fetch2(self, path: str, api: Any = "public", method: str = "GET", *more: Any) -> Any:
            async with self.kangbot_turn():
                try:
                    return await super().fetch2(path, api, method, *more)
                except Exception as error:
                    raise classify(error, changes=method != "GET") from error

        async def fetch(
            self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: str | None = None
        ) -> Any:
            status, said, text = await self.kangbot_http.send(
                method, url, headers or {}, None if body is None else body.encode()
            )
            try:
                answer = msgspec.json.decode(text)
            except UNREADABLE:
                answer = None
            if isinstance(answer, dict) and answer.get("retCode") == 0 and status == _OK:
                return answer
            raise _refusal(self, status, said, text, answer)

        def parse_order(self, order: Any, market: Any = None) -> Any:  # noqa: ARG002 -- ccxt's signature
            return order

    return Exchange


def _refusal(exchange: Any, status: int, said: Mapping[str, str], text: bytes, answer: Any) -> Answered:
    """Return what the answer says, with ccxt's reading of its code for the cause."""
    code, message = "", quoted(text)
    if status == _OK:
        message = f"a portal or a proxy on the way answers in its place: {message}"
    if isinstance(answer, dict) and isinstance(answer.get("retCode"), int):
        code, message = str(answer["retCode"]), str(answer.get("retMsg", ""))
    if exchange.apiKey:  # Bybit quotes what it was signed over, and messages reach logs
        message = message.replace(exchange.apiKey, "***")
    refusal = Answered(
        status=status, code=code, message=message, retry_after_ns=retry_after(said, exchange.kangbot_now_ms())
    )
    if code:
        try:
            exchange.handle_errors(status, "", "", "", said, message, answer, None, None)
        except Exception as error:  # noqa: BLE001 -- ccxt's classes, whichever; there is nothing else to do
            refusal.__cause__ = error
    return refusal


def _market(instrument: Instrument) -> dict[str, Any]:
    """Return the market in ccxt's form, with no more than forming an order needs."""
    linear = instrument.kind is InstrumentKind.LINEAR
    settle = instrument.settle if linear else None
    return {
        "id": instrument.native,
        "symbol": instrument.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "settle": settle,
        "baseId": instrument.base,
        "quoteId": instrument.quote,
        "settleId": settle,
        "type": "swap" if linear else "spot",
        "spot": not linear,
        "swap": linear,
        "future": False,
        "option": False,
        "contract": linear,
        "linear": linear or None,
        "inverse": False if linear else None,
        "active": True,
        "precision": {"amount": None, "price": None},  # digits pass as they are
    }
