"""The demo's mischief: now and then something goes wrong, as it does in the world."""

from random import Random  # noqa: TID251 -- the demo's own mischief, outside the daemon
from typing import TYPE_CHECKING

from kangbot.cli.demo.processes import Daemon, Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST_S = 10.0
_EVERY_S = 8.0
_CREATE = "/v5/order/create"

_FAULTS: tuple[tuple[str, "Mapping[str, object]"], ...] = (
    ("the exchange drops every public socket", {"fault": "drop_sockets", "which": "public"}),
    ("the exchange drops the private socket", {"fault": "drop_sockets", "which": "private"}),
    ("the exchange refuses connects for 3 s", {"fault": "refuse_connects", "for_s": 3}),
    ("an order is accepted and its answer lost", {"fault": "timeout_after_accept", "path": _CREATE, "count": 1}),
    ("an order is lost on its way", {"fault": "timeout_before_accept", "path": _CREATE, "count": 1}),
    ("the exchange answers 502 twice", {"fault": "http_5xx", "path": _CREATE, "status": 502, "count": 2}),
    ("orders take 400 ms longer for 3 s", {"fault": "delay", "path": _CREATE, "ms": 400, "for_s": 3}),
)


class Chaos:
    """Strikes every eight seconds, by the seed; the daemon itself is killed once."""

    def __init__(self, draw: Random, sandbox: Sandbox) -> None:
        self._draw = draw
        self._sandbox = sandbox
        self._next_s = _FIRST_S
        self._killed = False

    def strike(self, elapsed_s: float, daemon: Daemon) -> str:
        """Do the next mischief where its time has come, and return what was done; "" otherwise."""
        if elapsed_s < self._next_s:
            return ""
        self._next_s += _EVERY_S
        if not self._killed and elapsed_s > _FIRST_S + _EVERY_S:
            self._killed = True
            daemon.kill()
            return "the daemon is killed"
        words, fault = self._draw.choice(_FAULTS)
        self._sandbox.fault(fault)
        return words
