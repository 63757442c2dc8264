"""Websockets: subscriptions, authentication and heartbeats in Bybit v5's words."""

import asyncio
import contextlib
from typing import Any

import msgspec
import structlog
from aiohttp import WSMsgType, web

from kangbot.runtime.tasks import Tasks, close_task
from kangbot.sandbox.auth import stream_accepted
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.faults import Faults
from kangbot.sandbox.hub import Hub, Outbox
from kangbot.sandbox.publish_private import STREAM as PRIVATE
from kangbot.sandbox.publish_private import TOPICS
from kangbot.sandbox.publish_public import PublicPublisher

log = structlog.get_logger(__name__)

_SPOT_ARGS = 10  # topics a subscribe request on spot
_ALL_ARGS = 21_000  # characters of the topics of one connection
_SILENT = "silent"  # the stream under which topics are kept that must never be fed


class Streams:
    """All websockets of the sandbox."""

    def __init__(self, exchange: Exchange, hub: Hub, faults: Faults, public: PublicPublisher, tasks: Tasks) -> None:
        self.exchange = exchange
        self.hub = hub
        self.faults = faults
        self.public = public
        self.tasks = tasks
        self.sessions: dict[Session, None] = {}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket from its handshake to its end."""
        stream = request.path.rsplit("/", 1)[-1]
        if self.faults.refuses_connects(self.exchange.now_ns()):
            return web.Response(status=503)
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20)
        try:
            await socket.prepare(request)
        except ConnectionError:
            return web.Response()  # it went meanwhile, and nobody reads this
        self.exchange.connects[stream] += 1
        session = Session(self, socket, request, stream, sum(self.exchange.connects.values()))
        self.sessions[session] = None
        writer = self.tasks.spawn(f"writer/{session.conn_id}", session.write())
        latency_s = self.exchange.options.latency_s
        try:
            with contextlib.suppress(ConnectionError):  # it went before its ping was answered
                async for message in socket:
                    if latency_s:
                        await asyncio.sleep(latency_s)
                    if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                        session.take(message.data)
        finally:
            self.sessions.pop(session, None)
            session.forget()
            await close_task(writer)
        return socket

    def drop(self, which: str) -> int:
        """Cut sockets without a word; return how many."""
        chosen = [s for s in self.sessions if which == "all" or (s.stream == PRIVATE) == (which == PRIVATE)]
        for session in chosen:
            session.cut()
        return len(chosen)


class Session:
    """One websocket: its subscriptions and what it is allowed."""

    def __init__(
        self, streams: Streams, socket: web.WebSocketResponse, request: web.Request, stream: str, number: int
    ) -> None:
        self._streams = streams
        self._request = request
        self.stream = stream
        self.conn_id = f"sandbox{number:013d}-{stream}"
        self._outbox = Outbox(socket, self._behind)
        self._topics: dict[str, str] = {}  # topic: the stream that feeds it
        self._authorised = False

    async def write(self) -> None:
        """Write queued frames until the socket is gone."""
        with contextlib.suppress(ConnectionError):
            await self._outbox.run()

    def _behind(self) -> None:
        """Cut a socket that reads too slowly."""
        log.warning("sandbox.slow_reader", connection=self.conn_id)
        self.cut()

    def push(self, frame: bytes) -> None:
        """Queue one frame."""
        self._outbox.push(frame)

    def cut(self) -> None:
        """Break the connection as a network would: no close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def forget(self) -> None:
        """End every subscription."""
        for topic, stream in self._topics.items():
            self._streams.hub.remove(stream, topic, self)

    def take(self, data: str | bytes) -> None:
        """Handle one frame of the client."""
        try:
            message = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._say(success=False, ret_msg=f"Failed to decode incoming data:{error}", req_id="", op="")
            return
        if not isinstance(message, dict):
            self._say(success=False, ret_msg="error:invalid op", req_id="", op="")
            return
        request, told = str(message.get("req_id", "")), message.get("args")
        args = told if isinstance(told, list) else []
        match message.get("op"):
            case "ping":
                self._pong(request)
            case "auth":
                self._auth(request, args)
            case "subscribe":
                self._subscribe(request, [str(arg) for arg in args])
            case "unsubscribe":
                self._unsubscribe(request, [str(arg) for arg in args])
            case other:
                self._say(success=False, ret_msg="error:invalid op", req_id=request, op=str(other or ""))

    def _pong(self, request: str) -> None:
        if self.stream == PRIVATE:
            stamp = str(self._streams.exchange.now_ms())
            self.push(msgspec.json.encode({"req_id": request, "op": "pong", "args": [stamp], "conn_id": self.conn_id}))
            return
        self._say(success=True, ret_msg="pong", req_id=request, op="ping")

    def _auth(self, request: str, args: list[Any]) -> None:
        exchange = self._streams.exchange
        key, expires, signature = (*map(str, args), "", "", "")[:3]
        options = exchange.options
        wrong = stream_accepted(
            options.api_key,
            options.api_secret,
            given=key,
            expires=expires,
            signature=signature,
            now_ms=exchange.now_ms(),
        )
        self._authorised = not wrong
        self._say(success=not wrong, ret_msg=wrong, req_id=request, op="auth")

    def _subscribe(self, request: str, topics: list[str]) -> None:
        wrong = self._objection(topics)
        if wrong:
            self._say(success=False, ret_msg=wrong, req_id=request, op="subscribe")
            return
        silent = self._streams.faults.acks_without_data(self._streams.exchange.now_ns())
        feeding = _SILENT if silent else self.stream
        for topic in topics:
            self._topics[topic] = feeding
            self._streams.hub.add(feeding, topic, self)
        self._say(success=True, ret_msg="subscribe" if self.stream == "spot" else "", req_id=request, op="subscribe")
        if not silent and self.stream != PRIVATE:
            for topic in topics:
                self._streams.public.greet(self.stream, topic, self)

    def _objection(self, topics: list[str]) -> str:
        """Return why a subscription is refused, as a whole; "" where it is not."""
        if not topics:
            return "error:args is empty"
        if self.stream == "spot" and len(topics) > _SPOT_ARGS:
            return "args size >10"
        if sum(map(len, topics)) + sum(map(len, self._topics)) > _ALL_ARGS:
            return "error:args length exceeds 21000"
        if self.stream == PRIVATE and not self._authorised:
            return "Request not authorized"
        for topic in topics:
            known = topic in TOPICS if self.stream == PRIVATE else self._streams.public.known(self.stream, topic)
            if not known:
                return f"error:handler not found,topic:{topic}"
            if topic in self._topics:
                return f"error:already subscribed,topic:{topic}"
        return ""

    def _unsubscribe(self, request: str, topics: list[str]) -> None:
        for topic in topics:
            stream = self._topics.pop(topic, None)
            if stream is not None:
                self._streams.hub.remove(stream, topic, self)
        self._say(success=True, ret_msg="", req_id=request, op="unsubscribe")

    def _say(self, *, success: bool, ret_msg: str, req_id: str, op: str) -> None:
        answer = {"success": success, "ret_msg": ret_msg, "conn_id": self.conn_id, "req_id": req_id, "op": op}
        self.push(msgspec.json.encode(answer))
