"""Frames of Bybit's private topics: orders, executions, positions, wallets.

What a row means is in rows.py, shared with the REST adapter. Rows are converted one by one: a row that cannot be read
is told as Garbled beside its readable neighbours, because a fill must not be lost for another row's sake. Rows of
markets that we do not trade are counted and passed over.
"""

from collections.abc import Callable, Sequence

import msgspec

from kangbot.model.ids import MarketId
from kangbot.model.orders import AccountEvent
from kangbot.ports import Data, Garbled, Ignored, Message
from kangbot.venues.bybit.replies import Envelope
from kangbot.venues.bybit.rows import ExecutionRow, OrderRow, PositionRow, WalletRow
from kangbot.venues.reading import MILLISECOND_NS

Markets = Callable[[str, str], MarketId | None]  # (category, native symbol) → our market

TOPICS = ("order", "execution", "position", "wallet")

_ORDERS = msgspec.json.Decoder(tuple[OrderRow, ...], strict=False)
_EXECUTIONS = msgspec.json.Decoder(tuple[ExecutionRow, ...], strict=False)
_POSITIONS = msgspec.json.Decoder(tuple[PositionRow, ...], strict=False)
_WALLETS = msgspec.json.Decoder(tuple[WalletRow, ...], strict=False)

_MarketRow = OrderRow | ExecutionRow | PositionRow


class AccountFrames:
    """Decoder of the private topics; `markets` says which rows are ours."""

    __slots__ = ("_markets",)

    def __init__(self, markets: Markets) -> None:
        self._markets = markets

    def decode(self, push: Envelope) -> Sequence[Message]:
        """Return the events of one push, in order. Raises like every msgspec decoder where the rows are broken."""
        match push.topic:
            case "order":
                return self._rows(push.topic, _ORDERS.decode(push.data))
            case "execution":
                return self._rows(push.topic, _EXECUTIONS.decode(push.data))
            case "position":
                return self._rows(push.topic, _POSITIONS.decode(push.data))
            case "wallet":
                at_ns = push.creation_ms * MILLISECOND_NS
                balances = [balance for row in _WALLETS.decode(push.data) for balance in row.balances(at_ns)]
                return (Data(native=push.topic, events=balances),)
            case _:
                return (Ignored(kind=f"topic.{push.topic[:24]}"),)

    def _rows(self, topic: str, rows: Sequence[_MarketRow]) -> Sequence[Message]:
        events: list[AccountEvent] = []
        beside: list[Message] = []
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
