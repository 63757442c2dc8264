"""A signed client of a sandbox, of a few words, over real sockets."""

import json
import time
from typing import Any

import aiohttp

from kangbot.sandbox.auth import sign
from kangbot.sandbox.server import Sandbox

Answer = dict[str, Any]


class Client:
    """Asks a sandbox over real sockets."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def get(self, path: str, query: str = "") -> Answer:
        """Return the answer to a signed GET."""
        async with self.session.get(f"{self.sandbox.rest_url}{path}?{query}", headers=self.signed(query)) as answer:
            return await answer.json()  # type: ignore[no-any-return]

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, Answer, Any]:
        """Return status, answer and headers of a signed POST; {} where it is no JSON."""
        text = json.dumps(body)
        url = f"{self.sandbox.rest_url}{path}"
        async with self.session.post(url, data=text, headers=self.signed(text)) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else {}, answer.headers

    async def buy(self, client_id: str = "") -> tuple[int, Answer, Any]:
        """Buy a little at the market."""
        terms = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
        return await self.post("/v5/order/create", {**terms, "orderLinkId": client_id})

    async def fault(self, *faults: dict[str, Any]) -> Answer:
        """Put faults in force."""
        async with self.session.post(f"{self.sandbox.rest_url}/sandbox/faults", json=faults) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()  # type: ignore[no-any-return]

    async def clear(self) -> None:
        """End every fault."""
        async with self.session.delete(f"{self.sandbox.rest_url}/sandbox/faults") as answer:
            assert (await answer.json())["active"] == []

    async def truth(self) -> Answer:
        """Return what the venue knows."""
        async with self.session.get(f"{self.sandbox.rest_url}/sandbox/truth") as answer:
            return await answer.json()  # type: ignore[no-any-return]

    async def socket(self, url: str, *topics: str, login: bool = False) -> aiohttp.ClientWebSocketResponse:
        """Return a websocket that has subscribed these topics."""
        socket = await self.session.ws_connect(url)
        self.sockets.append(socket)
        if login:
            expires = str(int(time.time() * 1000) + 10_000)
            await socket.send_json(
                {"op": "auth", "args": ["sandbox", expires, sign("sandbox", f"GET/realtime{expires}")]}
            )
            assert (await socket.receive_json())["success"] is True
        if topics:
            await socket.send_json({"op": "subscribe", "req_id": "1", "args": list(topics)})
            assert (await socket.receive_json())["success"] is True
        return socket

    async def aclose(self) -> None:
        """Close every websocket that was opened."""
        for socket in self.sockets:
            await socket.close()

    def signed(self, payload: str) -> dict[str, str]:
        """Return the headers of a request."""
        stamp = str(int(time.time() * 1000))
        return {
            "X-BAPI-API-KEY": "sandbox",
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": sign("sandbox", f"{stamp}sandbox5000{payload}"),
        }
