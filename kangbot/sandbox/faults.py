"""Faults on request: what the sandbox does wrong, how long, and how often.

A fault is an object with the key `fault`; all of them travel as a JSON list to `POST /sandbox/faults`::

    {"fault": "drop_sockets", "which": "public" | "private" | "all"}     at once
    {"fault": "refuse_connects", "for_s": 5}                             new connections get 503
    {"fault": "delay", "path": "/v5/order/create", "ms": 800, "for_s": 10}
    {"fault": "timeout_before_accept", "path": …, "count": 1}            the request is lost, and so is the answer
    {"fault": "timeout_after_accept", "path": …, "count": 1}             the request is done, the answer is lost
    {"fault": "late_accept", "path": …, "ms": 6000, "count": 1}          no answer, and the request is done later
    {"fault": "http_5xx", "path": …, "status": 502, "count": 1}          not done, and answered by a proxy's page
    {"fault": "http_5xx", "chance": 0.5, "count": 100}                   the same, each time with that chance
    {"fault": "rate_limit", "for_s": 5, "retry_after": 2}                10006 with the time of reset
    {"fault": "mute_topic", "topic": "tickers.BTCUSDT", "for_s": 60}     subscribed, and silent
    {"fault": "mute_private_events", "fraction": 0.5, "for_s": 60}       each private frame is lost with that chance
    {"fault": "ack_without_data", "for_s": 60}                           subscriptions from now on stay silent

`path` "" means every private path. A lost answer is `"answer": "504"` (after `hold_s` seconds) or `"never"` (the
connection stays open for `hold_s` and is then cut).
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

SECOND_NS = 1_000_000_000
Answer = Literal["never", "504"]


class DropSockets(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="drop_sockets"):
    """Cut websockets without a close frame."""

    which: Literal["public", "private", "all"] = "all"


class RefuseConnects(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="refuse_connects"):
    """Answer websocket handshakes with 503."""

    for_s: float


class Delay(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="delay"):
    """Wait before a request is looked at."""

    ms: float
    for_s: float
    path: str = ""


class TimeoutBeforeAccept(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="timeout_before_accept"):
    """Lose the request."""

    path: str = ""
    count: int = 1
    answer: Answer = "504"
    hold_s: float = 0.0


class TimeoutAfterAccept(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="timeout_after_accept"):
    """Do what is asked and lose the answer."""

    path: str = ""
    count: int = 1
    answer: Answer = "504"
    hold_s: float = 0.0


class LateAccept(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="late_accept"):
    """Lose the answer, and do what is asked later."""

    ms: float
    path: str = ""
    count: int = 1
    answer: Answer = "504"
    hold_s: float = 0.0


class Http5xx(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="http_5xx"):
    """Answer with a proxy's error page."""

    path: str = ""
    status: int = 502
    count: int = 1  # requests that it looks at, those that it lets through included
    chance: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0


class RateLimit(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="rate_limit"):
    """Answer every signed request with 10006."""

    for_s: float
    retry_after: float = 1.0
    path: str = ""


class MuteTopic(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="mute_topic"):
    """Publish nothing on a topic."""

    topic: str
    for_s: float = 3600.0


class MutePrivateEvents(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="mute_private_events"):
    """Lose a share of the private frames."""

    fraction: float
    for_s: float = 3600.0


class AckWithoutData(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag="ack_without_data"):
    """Acknowledge subscriptions and never feed them."""

    for_s: float = 3600.0


Fault = (
    DropSockets
    | RefuseConnects
    | Delay
    | TimeoutBeforeAccept
    | TimeoutAfterAccept
    | LateAccept
    | Http5xx
    | RateLimit
    | MuteTopic
    | MutePrivateEvents
    | AckWithoutData
)
RestFault = Delay | TimeoutBeforeAccept | TimeoutAfterAccept | LateAccept | Http5xx | RateLimit


class Faults:
    """The faults that are in force. `draw` gives numbers in [0, 1)."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._active: list[tuple[Fault, int | None, int | None]] = []  # fault, until_ns, times left

    def add(self, fault: Fault, now_ns: int) -> None:
        """Put a fault in force."""
        for_s = getattr(fault, "for_s", None)
        until_ns = None if for_s is None else now_ns + round(for_s * SECOND_NS)
        self._active.append((fault, until_ns, getattr(fault, "count", None)))

    def clear(self) -> None:
        """End them all."""
        self._active.clear()

    def active(self, now_ns: int) -> list[Fault]:
        """Return the faults in force."""
        self._active = [entry for entry in self._active if (entry[1] is None or now_ns < entry[1]) and entry[2] != 0]
        return [fault for fault, _, _ in self._active]

    def take(self, path: str, now_ns: int) -> list[RestFault]:
        """Return the faults that befall one request, and count it against those that are limited."""
        if not self._active:
            return []
        self.active(now_ns)
        found: list[RestFault] = []
        for index, (fault, until_ns, left) in enumerate(self._active):
            if isinstance(fault, RestFault) and fault.path in {"", path}:
                if not isinstance(fault, Http5xx) or self._draw() < fault.chance:
                    found.append(fault)
                self._active[index] = (fault, until_ns, None if left is None else left - 1)
        return found

    def refuses_connects(self, now_ns: int) -> bool:
        """Whether websocket handshakes are refused."""
        return any(isinstance(fault, RefuseConnects) for fault in self.active(now_ns))

    def mutes(self, topic: str, now_ns: int) -> bool:
        """Whether a topic is silent."""
        return bool(self._active) and any(
            isinstance(fault, MuteTopic) and fault.topic == topic for fault in self.active(now_ns)
        )

    def private_loss(self, now_ns: int) -> float:
        """Return the share of private frames that are lost."""
        if not self._active:
            return 0.0
        return max((f.fraction for f in self.active(now_ns) if isinstance(f, MutePrivateEvents)), default=0.0)

    def acks_without_data(self, now_ns: int) -> bool:
        """Whether new subscriptions stay silent."""
        return any(isinstance(fault, AckWithoutData) for fault in self.active(now_ns))
