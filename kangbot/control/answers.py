"""Answers: JSON, an error in words, and headers that tell a browser what it may not do with them."""

from collections.abc import Callable

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from kangbot.errors import KangbotError, NeedsHuman, Retryable, named
from kangbot.market.naming import UnknownMarketError
from kangbot.model.plain_json import plain_json

log = structlog.get_logger(__name__)

Mask = Callable[[str], str]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"  # the charts' library writes styles
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    hdrs.SERVER: "kangbot",
}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer that is an error."""

    error: str  # in words, with what to do where there is something


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return the value as JSON that no cache keeps."""
    body = plain_json(value)
    own = {hdrs.CACHE_CONTROL: "no-store", **(headers or {})}
    return web.Response(body=body, status=status, content_type="application/json", headers=own)


def failure(status: int, words: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return an error."""
    return answer(Failure(error=words), status, headers)


async def dress(_: web.Request, response: web.StreamResponse) -> None:
    """Give every answer its headers, whoever made it; what a page has set itself stays."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers[hdrs.SERVER] = HEADERS[hdrs.SERVER]


def errors_in_words(mask: Mask) -> Middleware:
    """Return the middleware that turns whatever is raised into an answer; `mask` takes secrets out of words."""
    told: dict[str, None] = {}  # the routes whose faults were logged: a dashboard asks twice a second

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnknownMarketError as error:
            return failure(404, mask(str(error)))
        except NeedsHuman as error:
            return failure(503, mask(f"{error.message}; {error.remedy}"))
        except Retryable as error:
            return failure(503, mask(error.message))
        except KangbotError as error:
            return failure(409, mask(error.message))
        except web.HTTPException as error:
            return _http(request, error)
        except (web.RequestPayloadError, ConnectionError):  # of whoever asks, never of the venue or the database
            return failure(400, "the connection broke off, or the body cannot be unpacked")
        except Exception as error:
            resource = request.match_info.route.resource
            route = "nowhere" if resource is None else resource.canonical
            if route not in told:
                told[route] = None
                log.exception("control.fault", route=route)
            return failure(500, mask(f"a fault in the daemon, see its log: {named(error)}"))

    return middleware


def _http(request: web.Request, error: web.HTTPException) -> web.Response:
    kept = {str(name): error.headers[name] for name in (hdrs.ALLOW, hdrs.RETRY_AFTER) if name in error.headers}
    if isinstance(error, web.HTTPMethodNotAllowed):
        return failure(405, f"{request.method} is not for this address; {kept.get(hdrs.ALLOW, 'nothing')} is", kept)
    own = error.text != f"{error.status}: {error.reason}"  # else they are aiohttp's, which say nothing
    if isinstance(error, web.HTTPNotFound) and not own:
        return failure(404, "nothing is at this address; GET /openapi.json tells what is", kept)
    return failure(error.status, error.text if own and error.text else error.reason, kept)
