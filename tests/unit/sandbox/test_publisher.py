"""What the venue did becomes frames, when it did it."""

from random import Random
from typing import Any

from kangbot.model.orders import Side
from kangbot.sandbox.faults import Faults
from kangbot.sandbox.hub import Hub
from kangbot.sandbox.publisher import Publisher
from kangbot.sandbox.rest_trade import create
from kangbot.sim.markets.spec import SECOND_NS
from tests.support.sandbox_bench import Heard, SandboxBench


class Story:
    """A publisher of everything, and who listens."""

    def __init__(self) -> None:
        self.bench = SandboxBench()
        self.hub = Hub()
        self.publisher = Publisher(self.bench.exchange, self.hub, Faults(lambda: 0.0), Random(1))

    def listen(self, stream: str, *topics: str) -> Heard:
        """Return a listener to these."""
        heard = Heard()
        for topic in topics:
            self.hub.add(stream, topic, heard)
        return heard


def test_a_turn_lets_the_venue_live_until_now() -> None:
    """Every market's frames, and the open candles beside them; what stands still has none."""
    story = Story()
    heard = story.listen("linear", "orderbook.1.BTCUSDT", "orderbook.1.ETHUSDT", "publicTrade.BTCUSDT")
    candles = story.listen("linear", "kline.1.BTCUSDT")
    story.bench.venue.frozen = False
    story.bench.now_ns += 2 * SECOND_NS
    story.publisher.turn()
    topics = [frame["topic"] for frame in heard.frames]
    assert 15 < topics.count("orderbook.1.BTCUSDT") <= 20
    assert 15 < topics.count("orderbook.1.ETHUSDT") <= 20
    assert len(candles.frames) == 1
    before = len(heard.frames)
    story.publisher.turn()
    assert (len(heard.frames), len(candles.frames)) == (before, 1)
    story.bench.venue.frozen = True
    story.bench.now_ns += SECOND_NS
    story.publisher.turn()
    assert (len(heard.frames), len(candles.frames)) == (before, 2)


def test_the_trades_of_a_market_share_a_frame() -> None:
    """However many frames of the book there were since the last turn."""
    story = Story()
    heard = {name: story.listen("linear", f"publicTrade.{name}") for name in ("BTCUSDT", "ETHUSDT")}
    story.bench.venue.frozen = False
    story.bench.now_ns += 5 * SECOND_NS
    story.publisher.turn()
    for name, listener in heard.items():
        (frame,) = listener.frames
        assert len(frame["data"]) > 10
        assert {row["s"] for row in frame["data"]} == {name}


def test_what_an_order_did_is_told_at_once() -> None:
    """To everybody what was traded, and to the account what became of it; a second time there is nothing."""
    story = Story()
    public = story.listen("linear", "publicTrade.BTCUSDT")
    private = story.listen("private", "execution")
    story.bench.ask(create, side="Buy", orderType="Market", qty="0.01")
    assert (public.frames, private.frames) == ([], [])
    story.publisher.flush()
    story.publisher.flush()
    assert [row["i"] for row in public.rows()] == [row["execId"] for row in private.rows()]
    assert [row["S"] for row in public.rows()] == [Side.BUY.value.capitalize()]
    assert (len(public.frames), len(private.frames)) == (1, 1)


def test_a_minute_that_is_over_is_told_as_closed() -> None:
    """With the frame that closed it."""
    story = Story()
    heard = story.listen("linear", "kline.1.BTCUSDT")
    story.bench.venue.frozen = False
    story.bench.now_ns += 61 * SECOND_NS
    story.publisher.turn()
    assert [row["confirm"] for row in heard.rows()].count(True) in (1, 2)
    assert not heard.rows()[-1]["confirm"]


def test_a_minute_is_told_as_closed_after_the_trades_that_it_is_made_of() -> None:
    """However much has happened since the last turn: who adds them up has them all."""
    story = Story()
    heard = story.listen("linear", "kline.1.BTCUSDT", "publicTrade.BTCUSDT")
    story.bench.venue.frozen = False
    story.bench.now_ns += 61 * SECOND_NS
    story.publisher.turn()
    topics = [frame["topic"] for frame in heard.frames if frame["topic"] != "kline.1.BTCUSDT" or _closed(frame)]
    assert topics[0] == "publicTrade.BTCUSDT"
    assert "kline.1.BTCUSDT" in topics[1:]


def _closed(frame: dict[str, Any]) -> bool:
    (row,) = frame["data"]
    return bool(row["confirm"])
