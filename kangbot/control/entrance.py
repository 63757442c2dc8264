"""How a browser comes in: the token for a session, once."""

from collections.abc import Callable

import msgspec
from aiohttp import web

from kangbot.control.access import Access
from kangbot.control.answers import answer
from kangbot.control.door import Door
from kangbot.control.route import IDEMPOTENT, Call, Route, get
from kangbot.control.sessions import LIFE_S


class LoginAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /login`."""

    token: str

    def __repr__(self) -> str:
        return "LoginAsked(…)"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller may do: "read", "control", or "open" for nothing."""

    access: str


class Entrance:
    """The handlers: over TCP only, for the Unix socket needs no session. `told` writes into the journal who came in.

    Only whoever has a token or a session is written there: nobody else can make it grow.
    """

    def __init__(self, door: Door, told: Callable[[str, str], None]) -> None:
        self._door = door
        self._told = told

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            get("/session", "What this caller may do.", self._session, Session),
            Route(
                method="POST",
                path="/login",
                summary="Exchange a token for a session cookie.",
                note="Each call begins a session of its own; it ends after 12 hours, by /logout, and with new tokens.",
                handle=self._login,
                access=Access.OPEN,
                returns=Session,
                body=LoginAsked,
                also={401: "Not a token of the daemon's.", 429: "Too many wrong tokens from this address."},
            ),
            Route(
                method="POST",
                path="/logout",
                summary="End the session.",
                note=IDEMPOTENT,
                handle=self._logout,
                access=Access.OPEN,
                returns=Session,
            ),
        )

    async def _session(self, call: Call) -> object:
        return Session(access=call.caller.access.word)

    async def _login(self, call: Call) -> web.Response:
        remote = call.request.remote or "?"
        access = self._door.shown(call.body.token, remote)
        self._told("login", f"{access.word} token from {remote}")
        said = answer(Session(access=access.word))
        cookie = self._door.sessions.begin(access)
        said.set_cookie(self._door.cookie_name, cookie, max_age=LIFE_S, httponly=True, samesite="Strict", path="/")
        return said

    async def _logout(self, call: Call) -> web.Response:
        cookie = call.request.cookies.get(self._door.cookie_name, "")
        access = self._door.sessions.access(cookie)
        if access is not Access.OPEN:
            self._door.sessions.end(cookie)
            self._told("logout", f"{access.word} session from {call.caller.name}")
        said = answer(Session(access=Access.OPEN.word))
        said.del_cookie(self._door.cookie_name, path="/", httponly=True, samesite="Strict")
        return said
