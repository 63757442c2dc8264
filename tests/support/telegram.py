"""A Bot API server on loopback that behaves as Telegram's documentation says: polls, confirmations, refusals."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

TOKEN = "123456:a-token-that-nobody-may-see"


class BotApi:
    """What was said to it, and what it says."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[tuple[int, str]] = []  # chat and text
        self.calls: list[str] = []  # methods, in order
        self.refuse: list[tuple[int, Any]] = []  # status and body of the next answers: bytes, or what becomes JSON
        self.date = ""  # what its answers tell as the time; "" for the time
        self._updates: list[dict[str, Any]] = []
        self._number = 100
        self._news = asyncio.Event()

    def write(self, chat: int, text: Any, *, age_s: int = 0, username: str = "ann") -> None:
        """Have somebody write into a chat; what is no string stands there in place of the text."""
        self._number += 1
        message = {
            "message_id": self._number,
            "date": int(time.time()) - age_s,
            "chat": {"id": chat, "type": "private"},
            "from": {"id": chat, "is_bot": False, "first_name": "Ann", "username": username},
            "text": text,
        }
        self._updates.append({"update_id": self._number, "message": message})
        self._news.set()

    @property
    def _headers(self) -> dict[str, str] | None:
        return {"Date": self.date} if self.date else None

    @property
    def unconfirmed(self) -> int:
        """How many lines a bot that begins anew would be given again."""
        return len(self._updates)

    async def until_sent(self, count: int) -> None:
        """Wait until so many answers were sent."""
        async with asyncio.timeout(120):
            while len(self.sent) < count:
                await asyncio.sleep(0.005)

    async def _serve(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls.append(method)
        if self.refuse:
            status, body = self.refuse.pop(0)
            said = body if isinstance(body, bytes) else json.dumps(body).encode()
            return web.Response(body=said, status=status, content_type="application/json", headers=self._headers)
        if request.match_info["token"] != TOKEN:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        asked = await request.json()
        if method == "sendMessage":
            self.sent.append((asked["chat_id"], asked["text"]))
            return web.json_response({"ok": True, "result": {"message_id": 1}})
        offset = asked.get("offset", 0)
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        if not self._updates and asked["timeout"]:
            self._news.clear()
            try:
                async with asyncio.timeout(asked["timeout"]):
                    await self._news.wait()
            except TimeoutError:
                pass
        return web.json_response({"ok": True, "result": self._updates}, headers=self._headers)


@asynccontextmanager
async def bot_api() -> AsyncIterator[BotApi]:
    """Serve a Bot API."""
    api = BotApi()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", api._serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()
