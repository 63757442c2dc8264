"""The half of `ports.Venue` that an adapter without orders has: a clear no."""

from collections.abc import Sequence
from typing import NoReturn

from kangbot.errors import Refused
from kangbot.model.ids import ClientId, MarketId, VenueName
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import AccountEvent, Balance, Intent, OrderReport, Transfer, VenuePosition
from kangbot.ports import Lookup


class DataOnly:
    """Base of an adapter that reads markets and nothing else; the adapter gives its `name`."""

    name: VenueName

    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        """Refuse."""
        del instrument, intent, sent_ns
        self._refuse("orders")

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:
        """Refuse."""
        del instrument, client_id
        self._refuse("orders")

    async def protect(self, instrument: Instrument, stop: Price | None) -> None:
        """Refuse."""
        del instrument, stop
        self._refuse("stops")

    async def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        """Refuse."""
        del instrument, stop, quantity, order, fresh
        self._refuse("stops")

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        """Refuse."""
        del instrument, leverage
        self._refuse("settings")

    async def find(self, instrument: Instrument, client_id: ClientId) -> Lookup:
        """Refuse."""
        del instrument, client_id
        self._refuse("orders")

    async def open_orders(self) -> Sequence[OrderReport]:
        """Refuse."""
        self._refuse("orders")

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        """Refuse."""
        del since_ns, market
        self._refuse("executions")

    async def positions(self) -> Sequence[VenuePosition]:
        """Refuse."""
        self._refuse("positions")

    async def balances(self) -> Sequence[Balance]:
        """Refuse."""
        self._refuse("balances")

    async def transfers(self, since_ns: int) -> Sequence[Transfer]:
        """Refuse."""
        del since_ns
        self._refuse("transfers")

    def _refuse(self, what: str) -> NoReturn:
        raise Refused(f"{self.name} has no {what} here, it is data only: trade it on paper")
