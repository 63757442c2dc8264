"""A small venue whose market is moved by hand, and one that moves by itself."""

import random
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar

from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import OrderKind, Side
from kangbot.sim.exchange.orders import OrderRequest, SimOrder
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import linear, spot
from kangbot.sim.markets.spec import VenueSpec

E = TypeVar("E")
START_NS = 1_760_000_000_000_000_000


def fork(name: str) -> random.Random:
    """Return the draws of `name`, as a world does."""
    return random.Random(sha256(b"test" + name.encode()).digest())


class Bench:
    """A venue with two hand-moved perpetuals and a spot market, and the words to move them."""

    btc = linear("BTCUSDT").market
    eth = linear("ETHUSDT").market
    spot = spot("BTCUSDT").market

    def __init__(self, *, quoted: bool = True, **changes: object) -> None:
        settings: dict[str, object] = {"balance": Decimal(10_000), "depth": 3, **changes}
        markets = (linear("BTCUSDT"), linear("ETHUSDT"), spot("BTCUSDT"))
        spec = VenueSpec(markets=markets, start_ns=START_NS, history_minutes=0, **settings)  # type: ignore[arg-type]
        self.venue = SimVenue(spec, fork, live=False)
        self.now_ns = START_NS
        self.trades = 0
        for market in (self.btc, self.eth, self.spot) if quoted else ():
            self.quote(market, "1000" if market is not self.eth else "100")
        self.venue.drain()

    def quote(
        self, market: MarketId, bid: str, quantity: str = "1", trades: Sequence[tuple[Side, str, str]] = ()
    ) -> None:
        """Move a market to `bid`, one tick wide, with `quantity` at both sides and these trades (side, price, size)."""
        self.now_ns += 1_000_000
        tick = self.venue.desks[market].spec.instrument.tick
        quote = Quote(
            market=market,
            bid=Decimal(bid),
            bid_quantity=Decimal(quantity),
            ask=Decimal(bid) + tick,
            ask_quantity=Decimal(quantity),
            at_ns=self.now_ns,
        )
        tape = tuple(self.trade(market, *row) for row in trades)
        if not self.venue.desks[market].tape and not tape:
            tape = (self.trade(market, Side.SELL, bid, "1"),)
        self.venue.push(quote, tape, self.now_ns)

    def trade(self, market: MarketId, side: Side, price: str, quantity: str) -> Trade:
        """Return a public trade."""
        self.trades += 1
        return Trade(
            market=market,
            trade_id=str(self.trades),
            side=side,
            price=Decimal(price),
            quantity=Decimal(quantity),
            at_ns=self.now_ns,
        )

    def submit(self, side: Side, quantity: str, price: str | None = None, **more: object) -> SimOrder:
        """Send an order in BTC unless `market` says otherwise; a market order without a price."""
        market = more.pop("market", self.btc)
        self.now_ns += 1_000_000
        request = OrderRequest(
            market=market,  # type: ignore[arg-type]
            side=side,
            kind=OrderKind.MARKET if price is None else OrderKind.LIMIT,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            **more,  # type: ignore[arg-type]
        )
        return self.venue.submit(request, self.now_ns)

    def now(self, order: SimOrder) -> SimOrder:
        """Return the order as it is now."""
        return self.venue.orders.get(order.order_id)

    def net(self, market: MarketId | None = None) -> Decimal:
        """Return the position."""
        return self.venue.account.holding(market or self.btc).net

    def told(self, kind: type[E]) -> list[E]:
        """Return the events of one kind since the last call."""
        return [event for event in self.venue.drain() if isinstance(event, kind)]
