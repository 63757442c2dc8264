"""Empties the venue's outbox into frames."""

import random  # noqa: TID251 -- the type of the injected generator

from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.faults import Faults
from kangbot.sandbox.hub import Hub
from kangbot.sandbox.publish_private import PrivateEvent, PrivatePublisher
from kangbot.sandbox.publish_public import PublicPublisher
from kangbot.sim.markets.klines import Candle


class Publisher:
    """Everything that is pushed. Synchronous: frames are queued, sockets write them in their own turn."""

    def __init__(self, exchange: Exchange, hub: Hub, faults: Faults, rng: random.Random) -> None:
        self._exchange = exchange
        self.public = PublicPublisher(exchange, hub, faults)
        self._private = PrivatePublisher(exchange, hub, faults, rng)

    def turn(self) -> None:
        """Let the venue live until now, and publish what happened."""
        now_ns = self._exchange.now_ns()
        self._exchange.venue.advance(now_ns)
        self.flush()
        self.public.candles(now_ns)

    def flush(self) -> None:
        """Publish what has happened since the last time; a closed candle after the trades that are in it."""
        trades: dict[MarketId, list[Trade]] = {}
        closed: list[Candle] = []
        private: list[PrivateEvent] = []
        for event in self._exchange.venue.drain():
            if isinstance(event, Quote):
                self.public.quote(event)
            elif isinstance(event, Trade):
                trades.setdefault(event.market, []).append(event)
            elif isinstance(event, Candle):
                closed.append(event)
            else:
                private.append(event)
        for run in trades.values():
            self.public.trades(run)
        for candle in closed:
            self.public.closed(candle)
        if private:
            self._private.publish(private)
