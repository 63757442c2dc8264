"""Private frames: orders, executions, positions and the wallet, batched as they came."""

import random  # noqa: TID251 -- the type of the injected generator
from typing import Any

import msgspec

from kangbot.model.orders import Balance, VenuePosition
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.faults import Faults
from kangbot.sandbox.hub import Hub
from kangbot.sandbox.rows_account import position_row, wallet_row
from kangbot.sandbox.rows_order import event_row, order_row
from kangbot.sim.exchange.events import Executed, Funded, OrderChanged

_encode = msgspec.json.Encoder().encode
STREAM = "private"
_CATEGORIES = ("", ".linear", ".spot")
TOPICS = frozenset(
    {f"{name}{tail}" for name in ("order", "execution", "position") for tail in _CATEGORIES} | {"wallet"}
)

PrivateEvent = OrderChanged | Executed | Funded | VenuePosition | Balance


class PrivatePublisher:
    """Turns a run of account events into frames: neighbours of one topic share a frame."""

    def __init__(self, exchange: Exchange, hub: Hub, faults: Faults, rng: random.Random) -> None:
        self._exchange = exchange
        self._hub = hub
        self._faults = faults
        self._rng = rng
        self._frames = 0

    def publish(self, events: list[PrivateEvent]) -> None:
        """Publish the events in their order. Positions and the wallet are told as they are now, once a run."""
        topic, rows = "", list[dict[str, Any]]()
        for event in events:
            name = _topic(event)
            if not any(self._hub.wanted(STREAM, name + tail) for tail in _CATEGORIES):
                continue
            row = self._row(event)
            if name != topic:
                self._send(topic, rows)
                topic, rows = name, []
            if name in {"position", "wallet"}:
                rows = [kept for kept in rows if kept.get("symbol") != row.get("symbol")]
            rows.append(row)
        self._send(topic, rows)

    def _row(self, event: PrivateEvent) -> dict[str, Any]:
        match event:
            case OrderChanged():
                return order_row(self._exchange, event.order)
            case Executed() | Funded():
                return event_row(self._exchange, event)
            case VenuePosition():
                return position_row(self._exchange, event.market, stream=True)
            case Balance():
                return wallet_row(self._exchange)

    def _send(self, topic: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        for tail in _CATEGORIES if topic != "wallet" else ("",):
            name = f"{topic}{tail}"
            chosen = [row for row in rows if not tail or row["category"] == tail[1:]]
            if chosen and self._hub.wanted(STREAM, name) and not self._lost(name):
                self._hub.publish(STREAM, name, self._frame(name, chosen))

    def _lost(self, topic: str) -> bool:
        now_ns = self._exchange.now_ns()
        if self._faults.mutes(topic, now_ns):
            return True
        loss = self._faults.private_loss(now_ns)
        return loss > 0 and self._rng.random() < loss

    def _frame(self, topic: str, rows: list[dict[str, Any]]) -> bytes:
        self._frames += 1
        stamp = self._exchange.now_ms()
        return _encode({"id": f"sandbox_{topic}_{self._frames}", "topic": topic, "creationTime": stamp, "data": rows})


def _topic(event: PrivateEvent) -> str:
    match event:
        case OrderChanged():
            return "order"
        case Executed() | Funded():
            return "execution"
        case VenuePosition():
            return "position"
        case Balance():
            return "wallet"
