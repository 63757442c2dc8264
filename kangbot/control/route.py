"""A route as one value, from which the server and its OpenAPI document are made alike.

A handler gets a `Call`: path, query and body parsed into the types that the route names. What it returns is the answer.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from kangbot.control.access import Access
from kangbot.control.answers import answer
from kangbot.control.door import Caller, Guard

_JSON = "application/json"

IDEMPOTENT = "Idempotent: repeating it changes nothing."
NO_MARKET = {404: "No such market."}
NOT_AT_WORK = {409: "The daemon is stopping, or has no markets yet."}
FORGOTTEN = {503: "It is done, and no disk took it: a restart would forget it."}


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body or a query that says nothing: `{}`, or none at all."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request, understood."""

    caller: Caller
    path: Mapping[str, str]
    query: Any
    body: Any
    request: web.Request


Handle = Callable[[Call], Awaitable[object]]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One address and method. `returns` is the type of a plain answer; a handler may return a response itself."""

    method: str
    path: str
    summary: str
    handle: Handle
    access: Access
    returns: Any
    note: str = ""  # for a command: what repeating it does
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] = Nothing
    media: str = _JSON
    status: int = 200  # of a plain answer
    also: Mapping[int, str] = msgspec.field(default_factory=dict)  # further statuses, and when
    same: Mapping[int, str] = msgspec.field(default_factory=dict)  # statuses whose body is the plain answer's


def get(
    path: str,
    summary: str,
    handle: Handle,
    returns: Any,
    access: Access = Access.READ,
    *,
    query: type[msgspec.Struct] = Nothing,
    media: str = _JSON,
    also: Mapping[int, str] | None = None,
    same: Mapping[int, str] | None = None,
) -> Route:
    """Return a route that looks."""
    return Route(
        method=hdrs.METH_GET,
        path=path,
        summary=summary,
        handle=handle,
        access=access,
        returns=returns,
        query=query,
        media=media,
        also=also or {},
        same=same or {},
    )


def post(
    path: str,
    summary: str,
    handle: Handle,
    returns: Any,
    *,
    note: str = IDEMPOTENT,
    body: type[msgspec.Struct] = Nothing,
    also: Mapping[int, str] | None = None,
) -> Route:
    """Return a route that acts."""
    return Route(
        method=hdrs.METH_POST,
        path=path,
        summary=summary,
        note=note,
        handle=handle,
        access=Access.CONTROL,
        returns=returns,
        body=body,
        also=also or {},
    )


def mount(router: web.UrlDispatcher, routes: Sequence[Route], guard: Guard, *, strict: bool) -> None:
    """Serve the routes. `strict` asks for `Content-Type: application/json` where there is a body."""
    for route in routes:
        handler = _handler(route, guard, strict=strict)
        if route.method == hdrs.METH_GET:
            router.add_get(route.path, handler)
        else:
            router.add_route(route.method, route.path, handler)


def _handler(route: Route, guard: Guard, *, strict: bool) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = guard(request, route.access)
        call = Call(
            caller=caller,
            path=request.match_info,
            query=_query(route, request),
            body=await _body(route, request, strict=strict),
            request=request,
        )
        said = await route.handle(call)
        return said if isinstance(said, web.StreamResponse) else answer(said)

    return handle


def _query(route: Route, request: web.Request) -> msgspec.Struct:
    if len(request.query) != len(set(request.query)):
        raise web.HTTPBadRequest(text="the query says something twice")
    try:
        return msgspec.convert(dict(request.query), type=route.query, strict=False)
    except msgspec.ValidationError as error:
        raise web.HTTPBadRequest(text=f"the query is not what {route.path} takes: {error}") from None


async def _body(route: Route, request: web.Request, *, strict: bool) -> msgspec.Struct | None:
    if request.method != hdrs.METH_POST:
        return None
    said = await request.read()
    if said and strict and request.content_type != _JSON:
        raise web.HTTPUnsupportedMediaType(text=f"a body is JSON here: Content-Type: {_JSON}")
    try:
        return msgspec.json.decode(said or b"{}", type=route.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise web.HTTPBadRequest(text=f"the body is not what {route.path} takes: {error}") from None
