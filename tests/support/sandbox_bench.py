"""The sandbox's exchange in process, whose prices stand still, and its answers without a server before them."""

from collections.abc import Callable
from typing import Any

import msgspec

from kangbot.runtime.world import Clock
from kangbot.sandbox.errors import ApiError
from kangbot.sandbox.exchange import Exchange, Params
from kangbot.sandbox.options import ServeOptions

START_NS = 1_760_000_000_000_000_000 + 123_456  # clocks are finer than the milliseconds of the wire
Answer = Callable[[Exchange, Params], dict[str, Any]]


class SandboxBench:
    """An exchange of two contracts and a pair, on a clock that is set by hand."""

    def __init__(self, **options: Any) -> None:
        self.now_ns = START_NS
        chosen = ServeOptions(
            **{"symbols": ("BTCUSDT", "ETHUSDT"), "spot_symbols": ("BTCUSDT",), "history_minutes": 5, **options}
        )
        self.exchange = Exchange(chosen, Clock(monotonic_ns=lambda: self.now_ns, anchor_ns=START_NS))
        self.venue = self.exchange.venue
        self.venue.frozen = True
        self.venue.drain()

    @staticmethod
    def terms(**params: Any) -> dict[str, Any]:
        """Return what a request about the first contract says."""
        return {"category": "linear", "symbol": "BTCUSDT", **params}

    def ask(self, answer: Answer, **params: Any) -> Any:
        """Return the answer to a request about the first contract, a millisecond later; None leaves a term out."""
        self.now_ns += 1_000_000
        return answer(self.exchange, {name: value for name, value in self.terms(**params).items() if value is not None})

    def refused(self, answer: Answer, **params: Any) -> tuple[int, str]:
        """Return code and words of the refusal."""
        try:
            told = self.ask(answer, **params)
        except ApiError as error:
            return error.code, error.message
        raise AssertionError(f"it was answered: {told}")


class Heard:
    """A listener that keeps the frames it is given; implements `Listener`."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def push(self, frame: bytes) -> None:
        """Keep it."""
        self.frames.append(msgspec.json.decode(frame))

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of all frames."""
        return [row for frame in self.frames for row in frame["data"]]
