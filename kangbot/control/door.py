"""Who may come in over TCP: our own names only, no foreign page, and a token or a session for everything but a word.

A page of the web can make a browser send requests to 127.0.0.1. It cannot make it send our name as `Host` (a name of
its own that points here is refused: DNS rebinding), it names itself in `Origin`, and it has neither token nor session
(`SameSite=Strict`). Over the Unix socket there is no such door: the file's mode is the key.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from kangbot.control.access import Access
from kangbot.control.answers import failure
from kangbot.control.sessions import Sessions
from kangbot.control.tokens import Tokens
from kangbot.machines.lockout import Lockout
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_BEARER = "bearer "


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as the journal names them, and what they may do."""

    name: str
    access: Access
    still: Callable[[], bool] = field(default=_always, compare=False)  # False once their session is over


OWNER = Caller(name="control socket", access=Access.CONTROL)
Guard = Callable[[web.Request, Access], Caller]  # raises an HTTPException where the caller may not


def owner(_: web.Request, _wanted: Access) -> Caller:
    """Let everybody in: for the Unix socket."""
    return OWNER


class Door:
    """Guards the TCP listener. `names` are host names without a port."""

    def __init__(self, *, tokens: Tokens, clock: Clock, names: Collection[str], cookie_name: str) -> None:
        self.sessions = Sessions(clock, tokens.session_key)
        self.cookie_name = cookie_name
        self.wrong_tokens = 0  # that were shown, by anybody
        self._tokens = tokens
        self._clock = clock
        self._names = frozenset(name.lower() for name in names)
        self._lockout = Lockout()

    @web.middleware
    async def same_house(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a foreign Host and a foreign Origin, whatever is asked."""
        host = request.headers.get(hdrs.HOST, "").lower()
        if _name(host) not in self._names or len(request.headers.getall(hdrs.HOST)) != 1:
            return failure(403, "this name is not the daemon's; [control] hosts lists its names")
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
            return failure(403, "a page of another origin may not ask here")
        return await handler(request)

    def admit(self, request: web.Request, wanted: Access) -> Caller:
        """Return who asks. HTTPUnauthorized, HTTPForbidden or HTTPTooManyRequests where they may not."""
        remote = request.remote or "?"
        if wanted is Access.OPEN:
            return Caller(name=remote, access=Access.OPEN)
        cookie = request.cookies.get(self.cookie_name, "")
        access = self.sessions.access(cookie)
        by, still = "session", lambda: self.sessions.access(cookie) is not Access.OPEN
        if access is Access.OPEN and (token := _bearer(request.headers.get(hdrs.AUTHORIZATION, ""))):
            access, by, still = self.shown(token, remote), "token", _always
        if access is Access.OPEN:
            raise web.HTTPUnauthorized(text="a token is needed: Authorization: Bearer …, or POST /login")
        if access < wanted:
            raise web.HTTPForbidden(text="this token may look and not command; control.token may")
        return Caller(name=f"{access.word} {by} from {remote}", access=access, still=still)

    def shown(self, token: str, remote: str) -> Access:
        """Return what the token opens; failures count. HTTPTooManyRequests while the address is locked out."""
        now_ns = self._clock.now_ns()
        if left_ns := self._lockout.left_ns(remote, now_ns):
            wait_s = left_ns // SECOND_NS + 1
            raise web.HTTPTooManyRequests(
                text=f"too many wrong tokens: wait {wait_s} s, then try again", headers={hdrs.RETRY_AFTER: str(wait_s)}
            )
        access = self._tokens.access(token)
        if access is not Access.OPEN:
            self._lockout.succeeded(remote)
            return access
        self.wrong_tokens += 1
        if self._lockout.failed(remote, now_ns):
            log.warning("control.locked_out", remote=remote, for_s=self._lockout.lock_ns // SECOND_NS)
        raise web.HTTPUnauthorized(text="this is not a token of the daemon's")


def _name(host: str) -> str:
    """Return the host without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _bearer(header: str) -> str:
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else ""
