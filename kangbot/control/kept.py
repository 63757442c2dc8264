"""An answer that is made once for all who ask within a moment: many probes cost the loop no more than one."""

import asyncio
from collections.abc import Callable

from aiohttp import hdrs, web

KEPT_S = 0.25  # a probe asks every few seconds, a person sees no difference
_JSON = "application/json"

Made = tuple[int, bytes]  # status and body


class Kept:
    """Serves what `make` returns, made anew at most every `KEPT_S`."""

    def __init__(self, make: Callable[[], Made], content_type: str = _JSON) -> None:
        self._make = make
        self._headers = {hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"}
        self._made: Made = (0, b"")
        self._until_s = 0.0  # by the loop's clock

    def answer(self) -> web.Response:
        """Return the answer of this moment."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._until_s:
            self._made = self._make()
            self._until_s = now_s + KEPT_S
        status, body = self._made
        return web.Response(status=status, body=body, headers=self._headers)
