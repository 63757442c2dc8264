"""REST: from a request to an answer in Bybit's envelope, by way of faults, signature and budget."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from kangbot.runtime.tasks import Tasks
from kangbot.sandbox.auth import check_request
from kangbot.sandbox.errors import PARAMS, PATH, RATE_LIMIT, ApiError
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.faults import (
    Delay,
    Faults,
    Http5xx,
    LateAccept,
    RateLimit,
    TimeoutAfterAccept,
    TimeoutBeforeAccept,
)
from kangbot.sandbox.limits import Allowance, Limits
from kangbot.sandbox.publisher import Publisher
from kangbot.sandbox.routes import ROUTES, Route

_ADDRESS_LIMIT, _ADDRESS_WINDOW_MS = 600, 5000  # requests of one address in five seconds, public ones included
_TOO_MANY = "Too many visits! Exceeded the API Rate Limit."
Lost = TimeoutBeforeAccept | TimeoutAfterAccept | LateAccept


class Rest:
    """The handler of every path under /v5 that is no websocket."""

    def __init__(self, exchange: Exchange, faults: Faults, publisher: Publisher, tasks: Tasks) -> None:
        self._exchange = exchange
        self._faults = faults
        self._publisher = publisher
        self._tasks = tasks
        self._limits = Limits()
        self._enforced = exchange.options.enforce_limits

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self._exchange.requests[f"{request.method} {request.path}"] += 1
        body = await request.read()
        if self._exchange.options.latency_s:
            await asyncio.sleep(self._exchange.options.latency_s)
        if (
            self._enforced
            and self._limits.take("address", _ADDRESS_LIMIT, self._exchange.now_ms(), _ADDRESS_WINDOW_MS).left < 0
        ):
            return web.Response(status=403, text="access too frequent")
        lost: Lost | None = None
        route = ROUTES.get((request.method, request.path))
        for fault in self._faults.take(request.path, self._exchange.now_ns()) if route and route.signed else ():
            match fault:
                case Delay():
                    await asyncio.sleep(fault.ms / 1000)
                case Http5xx():
                    return web.Response(status=fault.status, text="<html>the proxy knows no more</html>")
                case RateLimit():
                    return self._limited(fault)
                case TimeoutBeforeAccept() | LateAccept() | TimeoutAfterAccept():
                    lost = fault
        if isinstance(lost, TimeoutBeforeAccept):
            return await self._lose(request, lost)
        if isinstance(lost, LateAccept):
            self._accept_late(request, route, body, lost.ms / 1000)
            return await self._lose(request, lost)
        answer = self._answer(request, route, body)
        return answer if lost is None else await self._lose(request, lost)

    def _answer(self, request: web.Request, route: Route | None, body: bytes) -> web.Response:
        """Do what is asked, and say so; the pushes that follow from it are queued before the answer leaves."""
        headers: dict[str, str] = {}
        try:
            result = self._do(request, route, body, headers)
        except ApiError as error:
            return self._envelope(error.code, error.message, {}, headers, error.status)
        finally:
            self._publisher.flush()
        return self._envelope(0, "OK", result, headers, 200)

    def _do(self, request: web.Request, route: Route | None, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        """Check and do what is asked; `headers` takes the budget's. ApiError says what is wrong."""
        if route is None:
            raise ApiError(PATH, "Route not found.", status=404)
        return route.answer(self._exchange, self._checked(request, route, body, headers))

    def _checked(self, request: web.Request, route: Route, body: bytes, headers: dict[str, str]) -> Mapping[str, Any]:
        """Return what is asked, where it may be."""
        query = request.raw_path.partition("?")[2]
        params = _params(request.method, query, body)
        if route.signed:
            payload = query if request.method == "GET" else body.decode()
            options = self._exchange.options
            check_request(options.api_key, options.api_secret, request.headers, payload, self._exchange.now_ms())
            allowance = self._budget(request.path, route, params)
            headers.update(allowance.headers())
            if allowance.left < 0 and self._enforced:
                raise ApiError(RATE_LIMIT, _TOO_MANY)
        return params

    def _budget(self, path: str, route: Route, params: Mapping[str, Any]) -> Allowance:
        spot = params.get("category") == "spot" and route.spot_limit
        name = f"{path} spot" if spot else path
        return self._limits.take(name, route.spot_limit if spot else route.limit, self._exchange.now_ms())

    def _limited(self, fault: RateLimit) -> web.Response:
        reset_ms = self._exchange.now_ms() + round(fault.retry_after * 1000)
        headers = Allowance(limit=10, left=-1, reset_ms=reset_ms).headers()
        return self._envelope(RATE_LIMIT, _TOO_MANY, {}, headers, 200)

    def _accept_late(self, request: web.Request, route: Route | None, body: bytes, wait_s: float) -> None:
        """Have what is asked be done later, where it may be: that is judged when it comes."""
        if route is None:
            return
        try:
            params = self._checked(request, route, body, {})
        except ApiError:
            return  # nobody hears the refusal of a request whose answer is lost
        self._tasks.spawn("late", self._later(route, params, wait_s))

    async def _later(self, route: Route, params: Mapping[str, Any], wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        with contextlib.suppress(ApiError):  # as above
            route.answer(self._exchange, params)
        self._publisher.flush()

    async def _lose(self, request: web.Request, fault: Lost) -> web.StreamResponse:
        """Answer 504, or not at all: the connection is held, then cut."""
        await asyncio.sleep(fault.hold_s)
        if fault.answer == "never" and request.transport is not None:
            request.transport.abort()
        return web.Response(status=504, text="<html>the gateway waited in vain</html>")

    def _envelope(
        self, code: int, message: str, result: dict[str, Any], headers: dict[str, str], status: int
    ) -> web.Response:
        body = {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": {},
            "time": self._exchange.now_ms(),
        }
        return web.Response(
            status=status, body=msgspec.json.encode(body), headers=headers, content_type="application/json"
        )


def _params(method: str, query: str, body: bytes) -> Mapping[str, Any]:
    if method == "GET":
        return dict(parse_qsl(query))
    try:
        decoded = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise ApiError(PARAMS, "params error: the body is no JSON object")
    return decoded
