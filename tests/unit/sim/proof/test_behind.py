"""What is held against the daemon of markets that nobody looks after any more."""

from collections import Counter
from decimal import Decimal

from kangbot.model.ids import client_id
from kangbot.model.orders import Side
from kangbot.sim.exchange.events import Executed
from kangbot.sim.proof.behind import BehindWatch
from kangbot.sim.proof.hands import HandWatch
from tests.support.sim_bench import Bench

D = Decimal


class Story:
    """A watch, over a position of the daemon's with its stop."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.hands = HandWatch(lambda _words: None, Counter())
        self.watch = BehindWatch(bench.venue, self.hands)
        self.trades("0.5")
        self.protects(D(900))

    def trades(self, quantity: str, side: Side = Side.BUY) -> None:
        """Have an order of the daemon's filled."""
        number = len(self.bench.venue.executions) + 1
        self.bench.submit(side, quantity, client_id=client_id("journal1", number))
        for event in self.bench.told(Executed):
            self.hands.executed(event.fill, event.order)

    def protects(self, stop: Decimal | None) -> None:
        """Set the stop of the position, or withdraw it."""
        self.bench.venue.set_stops(self.bench.btc, stop, None, self.bench.now_ns)


def test_a_stop_that_rested_at_the_start_goes_on_resting(bench: Bench) -> None:
    """Who withdraws it is told of, for as long as nobody looks after the market."""
    story = Story(bench)
    assert story.watch.begins({bench.eth, bench.spot}) == 1
    assert story.watch.wrong() == []
    story.protects(None)
    assert [words.split(":")[-1].strip() for words in story.watch.wrong()] == [
        "a position of 0.5 has no stop at the venue"
    ]
    story.watch.joins(bench.btc)
    assert story.watch.wrong() == []


def test_what_was_sold_needs_no_stop(bench: Bench) -> None:
    """It was triggered, or somebody closed the position."""
    story = Story(bench)
    story.watch.begins({bench.eth, bench.spot})
    story.trades("0.5", Side.SELL)
    assert bench.venue.stop(bench.btc) is None
    assert story.watch.wrong() == []


def test_what_had_no_stop_or_is_looked_after_is_not_waited_for(bench: Bench) -> None:
    """The former is told of at each start, and the latter by whoever looks."""
    story = Story(bench)
    assert story.watch.begins({bench.btc, bench.eth, bench.spot}) == 0
    story.protects(None)
    assert story.watch.begins({bench.eth, bench.spot}) == 0
    assert story.watch.wrong() == []
