"""One market at the venue: its price, its book, its tape and its candles."""

from collections import deque
from collections.abc import Sequence

from kangbot.model.data import Quote, Trade
from kangbot.model.money import Price, nearest_to
from kangbot.sim.markets.book import Book
from kangbot.sim.markets.klines import Candle, Klines
from kangbot.sim.markets.spec import MarketSpec, VenueSpec


class Desk:
    """What is public about one market. Its prices may come from a process or from a real venue's stream."""

    def __init__(self, spec: MarketSpec, venue: VenueSpec) -> None:
        self.spec = spec
        self.book = Book(spec, venue.depth)
        self.klines = Klines(spec.market, spec.price, venue.start_ns, venue.minutes_kept)
        self.tape: deque[Trade] = deque(maxlen=venue.trades_kept)
        self.last: Price = spec.price
        self._minutes_kept = venue.minutes_kept
        self._tick = spec.instrument.tick
        self._marked: tuple[Quote, Price] | None = None  # the mark of that quote

    @property
    def mark(self) -> Price:
        """The middle of the book, on a tick; before the first quote the last price."""
        if not self.book.quoted:
            return self.last
        quote = self.book.quote
        if self._marked is None or self._marked[0] is not quote:
            self._marked = (quote, nearest_to(quote.mid, self._tick))
        return self._marked[1]

    def ruled(self, spec: MarketSpec) -> None:
        """Demand by these rules what comes from now on; what rests is left alone."""
        self.spec, self._tick, self._marked = spec, spec.instrument.tick, None
        self.book.ruled(spec)

    def remember(self, trades: Sequence[Trade]) -> None:
        """Begin with history: the tape and the candles before the first frame."""
        if trades:
            self.klines = Klines(self.spec.market, trades[0].price, trades[0].at_ns, self._minutes_kept)
        for trade in trades:
            self.printed(trade)

    def printed(self, trade: Trade) -> tuple[Candle, ...]:
        """Put a trade on the tape; return the minutes it closed."""
        self.tape.append(trade)
        self.last = trade.price
        return self.klines.add(trade)

    def quoted(self, quote: Quote) -> None:
        """Take a fresh book. Until the first trade its middle is the last price."""
        self.book.frame(quote)
        if not self.tape:
            self.last = self.mark
