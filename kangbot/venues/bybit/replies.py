"""What Bybit answers to our requests on a websocket, and which request an answer belongs to.

The forms differ by endpoint (public linear, public spot, private) and have changed over the years; the differences end
here. An answer names its request by `req_id`; where it leaves that empty it belongs to the oldest request of its kind
that waits, because Bybit answers a connection's requests in order. Source: Bybit v5, "Connect".
"""

from collections.abc import Sequence

import msgspec

from kangbot.ports import Acked, Denied, Ignored, LoggedIn, LoginDenied, Message, Pong, Topic


class Envelope(msgspec.Struct, frozen=True):
    """What tells the frames of a connection apart: a push has a topic, an answer has an op."""

    topic: str = ""
    creation_ms: int = msgspec.field(default=0, name="creationTime")
    data: msgspec.Raw = msgspec.Raw(b"null")
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    ret_code: int = msgspec.field(default=0, name="retCode")
    message: str = msgspec.field(default="", name="retMsg")  # where the answer has a retCode
    req_id: str = ""


_ENVELOPE = msgspec.json.Decoder(Envelope)


def read_envelope(frame: bytes) -> Envelope:
    """Return the frame's outside; raises like every msgspec decoder."""
    return _ENVELOPE.decode(frame)


class Requests:
    """Our requests on one connection that wait for their answer, oldest first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}  # request id → op

    def reset(self) -> None:
        """Forget them: their connection is gone."""
        self._waiting.clear()

    def frame(self, op: str, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that asks for `op` ("subscribe", "unsubscribe") on these topics."""
        self._waiting[request] = op
        return encode({"req_id": request, "op": op, "args": [topic.native for topic in topics]})

    def answer(self, reply: Envelope) -> Sequence[Message]:
        """Return what an answer means, in order; ValueError where it answers nothing."""
        if not reply.op:
            raise ValueError("neither a push nor an answer")
        if reply.op in {"ping", "pong"}:
            return (Pong(),)
        accepted = reply.ret_code == 0 if reply.success is None else reply.success
        if reply.op == "auth":
            return (LoggedIn() if accepted else LoginDenied(message=_why(reply)),)
        if reply.op not in {"subscribe", "unsubscribe"}:
            return (Ignored(kind=f"op.{reply.op[:24]}"),)
        request = self._request(reply)
        if accepted:
            return (Acked(request=request),)
        problem, _, native = reply.ret_msg.partition(",topic:")
        if problem == "error:already subscribed":
            # It refuses the whole frame for this topic's sake; of this topic alone it says what an ack would.
            return (Acked(request=request, natives=(native,)), Denied(request=request, native="", message=problem))
        return (Denied(request=request, native=native, message=reply.ret_msg),)

    def _request(self, reply: Envelope) -> str:
        if reply.req_id:
            self._waiting.pop(reply.req_id, None)
            return reply.req_id
        for request, op in self._waiting.items():
            if op == reply.op:
                del self._waiting[request]
                return request
        return ""


def _why(denied: Envelope) -> str:
    said = denied.ret_msg or denied.message
    return f"{said} (retCode {denied.ret_code})" if said and denied.ret_code else said or f"retCode {denied.ret_code}"


def encode(message: dict[str, object]) -> str:
    """Return the JSON text of a frame of ours."""
    return msgspec.json.encode(message).decode()
