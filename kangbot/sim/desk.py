"""One market at the venue: its price, its book, its tape and its candles."""

from collections import deque
from collections.abc import Sequence

from kangbot.model.data import Quote, Trade
from kangbot.model.money import Price, nearest_to
from kangbot.sim.book import Book
from kangbot.sim.klines import Candle, Klines
from kangbot.sim.spec import MarketSpec

_TAPE = 1000  # trades kept for those who ask for the recent ones


class Desk:
    """What is public about one market. Its prices may come from a process or from a real venue's stream."""

    def __init__(self, spec: MarketSpec, depth: int, start_ns: int) -> None:
        self.spec = spec
        self.book = Book(spec, depth)
        self.klines = Klines(spec.market, spec.price, start_ns)
        self.tape: deque[Trade] = deque(maxlen=_TAPE)
        self.last: Price = spec.price
        self._tick = spec.instrument.tick

    @property
    def mark(self) -> Price:
        """The middle of the book, on a tick."""
        return nearest_to(self.book.quote.mid, self._tick)

    def remember(self, trades: Sequence[Trade]) -> None:
        """Begin with history: the tape and the candles before the first frame."""
        if trades:
            self.klines = Klines(self.spec.market, trades[0].price, trades[0].at_ns)
        for trade in trades:
            self.printed(trade)

    def printed(self, trade: Trade) -> tuple[Candle, ...]:
        """Put a trade on the tape; return the minutes it closed."""
        self.tape.append(trade)
        self.last = trade.price
        return self.klines.add(trade)

    def quoted(self, quote: Quote) -> None:
        """Take a fresh book."""
        self.book.frame(quote)
