"""Logging that is set up to a text in memory, at a fixed time, with a secret that must not be in it."""

import io
import json
from dataclasses import dataclass

from kangbot import logs
from kangbot.logs.chain import LogOptions
from kangbot.logs.masking import Masker
from kangbot.runtime.world import Clock

CANARY = "c4nary/9f+3c=never-shown"
NOW_NS = 1_700_000_000_123_456_789


@dataclass
class Written:
    """What was written since logging was set up, and the masker in use."""

    stream: io.StringIO
    masker: Masker

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict[str, object]]:
        """JSON lines, decoded."""
        return [json.loads(line) for line in self.text.splitlines()]


def set_up(**options: object) -> Written:
    """Set logging up."""
    stream = io.StringIO()
    clock = Clock(monotonic_ns=lambda: 0, anchor_ns=NOW_NS)
    chosen = LogOptions(secrets=(CANARY,), **options)  # type: ignore[arg-type]
    return Written(stream, logs.set_up(chosen, clock, stream))


def fail(text: str) -> None:
    """Raise from a place that a test can look for, with a cause that shows a secret."""
    raise ValueError(text) from KeyError(CANARY)
