"""What `ports.Feeds` promises of bars, asked of every adapter: confirmed ones, each once."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from kangbot.model.data import Bar, MarketData
from kangbot.model.orders import AccountEvent
from kangbot.ports import Channel
from tests.support.feed_bench import MINUTE_NS, Bench
from tests.support.feed_words import Told, until


class Stamped(Told):
    """A sink that also keeps what the venue's clock showed when each event came."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__()
        self.now_ns = now_ns
        self.stamps_ns: list[int] = []

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Keep both."""
        super().offer(event, received_ns)
        self.stamps_ns.append(self.now_ns())


async def test_a_bar_is_told_when_it_is_over_and_once(bench: Bench) -> None:
    """The venue speaks of an open candle all the while, which proves that the topic lives and is no event."""
    told = Stamped(bench.now_ns)
    hold = bench.feeds.subscribe(bench.one, {Channel.BAR: 60}, told)
    await until(lambda: told.lives() != {})
    for _ in range(2):
        bars = told.of(Bar)
        bench.close_minute()
        await until(partial(told.heard, Bar, len(bars)), for_s=120.0, every_s=0.1)
    bars = told.of(Bar)
    assert len(bars) == len(told.events) >= 2
    assert {(bar.market, bar.timeframe_s) for bar in bars} == {(bench.one.market, 60)}
    assert all(bar.close_ns <= stamp_ns for bar, stamp_ns in zip(bars, told.stamps_ns, strict=True))
    assert all(after.open_ns - before.open_ns == MINUTE_NS for before, after in pairwise(bars))
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    await hold.aclose()
