"""The book of one market: one quoted level a side, and a finite number of levels behind it that a taker may walk.

Behind the quote every level is one tick worse and holds `level`. What a taker took stays taken until the next frame.
"""

from kangbot.model.data import Quote
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import Side
from kangbot.sim.markets.spec import MarketSpec

Level = tuple[Price, Quantity]


class Book:
    """The standing offers of one market."""

    def __init__(self, spec: MarketSpec, depth: int) -> None:
        self._tick = spec.instrument.tick
        self._level = spec.level
        self._depth = depth
        self._quote: Quote | None = None
        self._levels: dict[Side, list[Level]] = {}

    def ruled(self, spec: MarketSpec) -> None:
        """Have the levels of the frames to come keep to these rules."""
        self._tick, self._level = spec.instrument.tick, spec.level

    @property
    def quote(self) -> Quote:
        """The top of the book. RuntimeError before the first frame."""
        if self._quote is None:
            raise RuntimeError("the market has not been quoted yet")
        return self._quote

    @property
    def quoted(self) -> bool:
        """Whether there is a price at all."""
        return self._quote is not None

    def frame(self, quote: Quote) -> None:
        """Replace the book by a fresh one around `quote`."""
        self._quote = quote
        self._levels.clear()

    def best(self, side: Side) -> Price:
        """Return the best price that an order of `side` would meet."""
        levels = self._levels.get(side)
        if levels:
            return levels[0][0]
        return self.quote.ask if side is Side.BUY else self.quote.bid

    def shown(self, side: Side, price: Price) -> Quantity:
        """Return what is quoted at `price` on the side where an order of `side` would rest."""
        at, quantity = (
            (self.quote.bid, self.quote.bid_quantity) if side is Side.BUY else (self.quote.ask, self.quote.ask_quantity)
        )
        return quantity if at == price else quantity * 0

    def levels(self, taker: Side) -> list[Level]:
        """Return what a taker of that side meets, best first."""
        if taker not in self._levels:
            buys = taker is Side.BUY
            price, quantity = (
                (self.quote.ask, self.quote.ask_quantity) if buys else (self.quote.bid, self.quote.bid_quantity)
            )
            step = self._tick * taker.sign
            level = self._level or quantity
            behind = ((price + step * number, level) for number in range(1, self._depth))
            self._levels[taker] = [(price, quantity), *(level for level in behind if level[0] > 0)]
        return self._levels[taker]

    def crosses(self, side: Side, price: Price) -> bool:
        """Whether an order of `side` at `price` would take."""
        best = self.best(side)
        return price >= best if side is Side.BUY else price <= best

    def take(self, side: Side, quantity: Quantity, limit: Price | None) -> list[Level]:
        """Remove and return at most `quantity` from the levels no worse than `limit`, best first."""
        levels = self.levels(side)
        taken: list[Level] = []
        while levels and quantity > 0:
            price, offered = levels[0]
            if limit is not None and (price - limit) * side.sign > 0:
                break
            part = min(quantity, offered)
            taken.append((price, part))
            quantity -= part
            if part == offered:
                del levels[0]
            else:
                levels[0] = (price, offered - part)
        return taken

    def requote(self, at_ns: int) -> Quote:
        """Return the quote after takers took, and make it the book's; empty sides keep their price with quantity 0."""
        old = self.quote
        bid, bid_quantity = self._left(Side.SELL, old.bid, old.bid_quantity)
        ask, ask_quantity = self._left(Side.BUY, old.ask, old.ask_quantity)
        self._quote = Quote(
            market=old.market,
            bid=bid,
            bid_quantity=bid_quantity,
            ask=ask,
            ask_quantity=ask_quantity,
            at_ns=at_ns,
            sequence=old.sequence,
        )
        return self._quote

    def _left(self, taker: Side, price: Price, quantity: Quantity) -> Level:
        """Return the best that takers of that side have left where `quantity` was quoted at `price`."""
        levels = self._levels.get(taker)
        if levels is None:
            return price, quantity
        return levels[0] if levels else (price, quantity * 0)

    def depth(self) -> tuple[list[Level], list[Level]]:
        """Return bids and asks, best first."""
        return list(self.levels(Side.SELL)), list(self.levels(Side.BUY))
