"""Frames of Bybit's private topics: orders, executions, positions, wallets.

What a row means is in rows.py, shared with the REST adapter. Rows are converted one by one: a row that cannot be read
is told as Garbled beside its readable neighbours, because a fill must not be lost for another row's sake. Rows of
markets that we do not trade are counted and passed over.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kangbot.model.ids import MarketId
from kangbot.model.orders import AccountEvent
from kangbot.ports import Data, Garbled, Ignored, Message
from kangbot.venues.bybit.replies import Envelope
from kangbot.venues.bybit.rows import ExecutionRow, OrderRow, PositionRow, WalletRow
from kangbot.venues.reading import MILLISECOND_NS, read_as

Markets = Callable[[str, str], MarketId | None]  # (category, native symbol) → our market

TOPICS = ("order", "execution", "position", "wallet")

_MarketRow = OrderRow | ExecutionRow | PositionRow

_ALL: dict[str, "msgspec.json.Decoder[Any]"] = {
    "order": msgspec.json.Decoder(tuple[OrderRow, ...], strict=False),
    "execution": msgspec.json.Decoder(tuple[ExecutionRow, ...], strict=False),
    "position": msgspec.json.Decoder(tuple[PositionRow, ...], strict=False),
}
_EACH = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_ONE: dict[str, type[_MarketRow]] = {"order": OrderRow, "execution": ExecutionRow, "position": PositionRow}


class _Whose(msgspec.Struct, frozen=True):
    """Which market a row is of, whatever else stands in it."""

    symbol: str
    category: str = ""


class AccountFrames:
    """Decoder of the private topics; `markets` says which rows are ours."""

    __slots__ = ("_markets",)

    def __init__(self, markets: Markets) -> None:
        self._markets = markets

    def decode(self, push: Envelope) -> Sequence[Message]:
        """Return the events of one push, in order. Raises like every msgspec decoder where the rows are broken."""
        match push.topic:
            case "order" | "execution" | "position":
                return self._rows(push)
            case "wallet":
                at_ns = push.creation_ms * MILLISECOND_NS
                rows = read_as(msgspec.json.decode(push.data), tuple[WalletRow, ...])
                balances = [balance for row in rows for balance in row.balances(at_ns)]
                return (Data(native=push.topic, events=balances),)
            case _:
                return (Ignored(kind=f"topic.{push.topic[:24]}"),)

    def _rows(self, push: Envelope) -> Sequence[Message]:
        try:
            rows = _ALL[push.topic].decode(push.data)
        except msgspec.ValidationError:
            return self._one_by_one(push)
        return self._told(push.topic, rows, [])

    def _one_by_one(self, push: Envelope) -> Sequence[Message]:
        """Return what a push says in which something is of another type than it was."""
        rows: list[_MarketRow] = []
        beside: list[Message] = []
        for raw in _EACH.decode(push.data):
            try:
                rows.append(read_as(msgspec.json.decode(raw), _ONE[push.topic]))
            except msgspec.ValidationError as error:
                whose = msgspec.json.decode(raw, type=_Whose)
                if self._markets(whose.category, whose.symbol) is None:
                    beside.append(Ignored(kind=f"{push.topic}.other_market"))
                else:
                    beside.append(Garbled(reason=f"{push.topic}: {error}"))
        return self._told(push.topic, rows, beside)

    def _told(self, topic: str, rows: Sequence[_MarketRow], beside: list[Message]) -> Sequence[Message]:
        events: list[AccountEvent] = []
        for row in rows:
            market = self._markets(row.category, row.symbol)
            if market is None:
                beside.append(Ignored(kind=f"{topic}.other_market"))
                continue
            try:
                events.append(_event(row, market))
            except ValueError as error:
                beside.append(Garbled(reason=f"{topic}: {error}"))
        return (Data(native=topic, events=events), *beside)


def _event(row: _MarketRow, market: MarketId) -> AccountEvent:
    if isinstance(row, OrderRow):
        return row.report(market)
    if isinstance(row, ExecutionRow):
        return row.event(market)
    return row.position(market)
