"""What an exchange does wrong now and then: faults for long runs, drawn by a seed."""

import random
from collections import Counter
from typing import Any

from kangbot.cli.demo.processes import Sandbox

_CREATE = "/v5/order/create"
_CANCEL = "/v5/order/cancel"

_FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "drop_sockets", "which": "private"},
    {"fault": "drop_sockets", "which": "all"},
    {"fault": "refuse_connects", "for_s": 1},
    {"fault": "delay", "path": "", "ms": 300, "for_s": 1},
    {"fault": "timeout_before_accept", "path": _CREATE, "count": 2},
    {"fault": "timeout_after_accept", "path": _CREATE, "count": 2},
    {"fault": "timeout_after_accept", "path": _CANCEL, "count": 1},
    {"fault": "late_accept", "path": _CREATE, "ms": 1500, "count": 1},
    {"fault": "http_5xx", "path": "", "status": 502, "count": 3},
    {"fault": "rate_limit", "path": "", "for_s": 1, "retry_after": 1},
    {"fault": "mute_private_events", "fraction": 0.5, "for_s": 2},
)


class Mischief:
    """Strikes when it is told to; keeps count."""

    def __init__(self, draw: random.Random, sandbox: Sandbox) -> None:
        self._draw = draw
        self._sandbox = sandbox
        self.struck: Counter[str] = Counter()

    def strike(self) -> None:
        """Make one thing go wrong."""
        fault = self._draw.choice(_FAULTS)
        self._sandbox.fault(fault)
        self.struck[fault["fault"]] += 1
