"""An answer that is made once for all who ask within a moment: many probes cost the loop no more than one."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from aiohttp import hdrs, web

KEPT_S = 0.5  # a probe asks every few seconds, a person sees no difference
_JSON = "application/json"

Made = tuple[int, bytes]  # status and body
T = TypeVar("T")
U = TypeVar("U")


class Lately(Generic[T]):
    """What was made within the last `KEPT_S`: for those who look, not for those who act on it."""

    def __init__(self) -> None:
        self._made: tuple[T, float] | None = None  # and until when it is good, by the loop's clock

    def of(self, make: Callable[[], T]) -> T:
        """Return it, made now where it is older."""
        if self._made is None or asyncio.get_running_loop().time() >= self._made[1]:
            return self.put(make())
        return self._made[0]

    def put(self, made: T) -> T:
        """Keep what was made for somebody who acts on it, and return it."""
        self._made = made, asyncio.get_running_loop().time() + KEPT_S
        return made


class Once(Generic[T, U]):
    """What was made of the last thing, for all who ask about that very thing."""

    def __init__(self) -> None:
        self._last: tuple[T, U] | None = None

    def of(self, thing: T, make: Callable[[T], U]) -> U:
        """Return it, made now where it is another thing."""
        if self._last is None or self._last[0] is not thing:
            self._last = thing, make(thing)
        return self._last[1]


class Kept:
    """Serves what `make` returns, made anew at most every `KEPT_S`."""

    def __init__(self, make: Callable[[], Made], content_type: str = _JSON) -> None:
        self._make = make
        self._headers = {hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"}
        self._made: Made = (0, b"")
        self._sent = b""  # the same with status line and headers, once it was sent
        self._until_s = 0.0  # by the loop's clock

    def answer(self) -> web.Response:
        """Return the answer of this moment."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._until_s:
            self._made, self._sent = self._make(), b""
            self._until_s = now_s + KEPT_S
        status, body = self._made
        response = web.Response(status=status, body=body, headers=self._headers)
        response[KEPT] = self
        return response

    def was_sent(self, response: web.Response) -> None:
        """Remember how the answer went out over a connection that stays open, HTTP/1.1."""
        body = self._made[1]
        if self._sent or response.body is not body:
            return  # another moment's
        lines = (f"{name}: {value}\r\n" for name, value in response.headers.items())
        self._sent = f"HTTP/1.1 {response.status} {response.reason}\r\n{''.join(lines)}\r\n".encode() + body

    def sent(self, now_s: float) -> bytes:
        """Return this moment's answer as it went out; nothing where it did not yet."""
        return self._sent if now_s < self._until_s else b""


KEPT = web.ResponseKey("kept", Kept)  # a response carries who keeps it
