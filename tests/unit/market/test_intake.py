"""A market's data on their way in: streams, bars, and history for the holes in them."""

from collections import deque
from typing import cast

from kangbot.machines.session_words import Trouble
from kangbot.market.bars import Bars, bars_of
from kangbot.market.inbox import Batch, FeedChanged
from kangbot.market.intake import Intake
from kangbot.market.preparation import Preparation
from kangbot.market.together import plainly
from kangbot.model.data import Trade
from kangbot.model.orders import Side
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import Clock
from tests.support.floor_story import LOOKBACK, MINUTE_NS, bar_at
from tests.support.trade_words import MARKET, SECOND, START, dec, instrument

FIRST_NS = START // MINUTE_NS * MINUTE_NS
HISTORY = [bar_at(FIRST_NS + number * MINUTE_NS) for number in range(LOOKBACK)]


class Errands:
    """The network of a market: what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def begin(self, _bars: Bars, *, eager: bool) -> None:
        self.asked.append("begin, eager" if eager else "begin")

    def fetch_again(self, _bars: Bars) -> None:
        self.asked.append("fetch")

    def end(self) -> None:
        self.asked.append("end")


class Market:
    """An intake of minute bars, half a minute after the last of its history."""

    def __init__(self) -> None:
        self.now_ns = FIRST_NS + LOOKBACK * MINUTE_NS + MINUTE_NS // 2
        self.errands = Errands()
        self.troubles: list[Exception | None] = []
        self.intake = Intake(
            market=MARKET,
            clock=Clock(monotonic_ns=lambda: self.now_ns, anchor_ns=self.now_ns),
            preparation=cast("Preparation", self.errands),
            ended=self.troubles.append,
            offset_ns=lambda: 0,
            say=plainly,
        )

    def begin(self) -> Intake:
        """Begin, with everything that is asked for flowing and history there."""
        self.intake.begin(bars_of(instrument(), 60, LOOKBACK), 60, eager=False)
        for channel in (Channel.QUOTE, Channel.BAR):
            self.tell(channel, live=True)
        assert self.intake.fetched(HISTORY) == HISTORY
        return self.intake

    def tell(self, channel: Channel, *, live: bool, reason: str = "") -> None:
        """Tell that a stream flows, or does not."""
        topic = Topic(market=MARKET, channel=channel, native=channel.value)
        self.intake.feed_changed(FeedChanged(topic=topic, live=live, reason=reason))


def test_a_stream_that_carries_no_bars_interrupts_none() -> None:
    """History is not fetched anew for every quote that is late."""
    market = Market()
    intake = market.begin()
    market.tell(Channel.QUOTE, live=False, reason="silent")
    market.tell(Channel.QUOTE, live=True)
    assert (intake.joined, market.errands.asked) == (True, ["begin"])


def test_data_are_stale_until_each_stream_that_must_speak_has_spoken() -> None:
    """And no bar is told before history is there."""
    market = Market()
    market.intake.begin(bars_of(instrument(), 60, LOOKBACK), 60, eager=False)
    assert market.intake.why_stale.count("no data yet") == 2
    before = market.intake.quoted
    market.tell(Channel.QUOTE, live=True)
    assert (before, market.intake.quoted) == (False, True)
    market.tell(Channel.BAR, live=True)
    assert market.intake.why_stale == ""
    assert (market.intake.joined, market.intake.fetch_ns()) == (False, None)  # history is on its way
    assert market.intake.fetched(HISTORY[1:]) == ()
    assert market.intake.fetch_ns() == market.now_ns + 2_000_000_000
    assert market.intake.fetched(HISTORY) == HISTORY
    assert (market.intake.joined, market.errands.asked) == (True, ["begin"])


def test_bars_follow_one_another_and_a_hole_is_closed_by_history() -> None:
    """What was told is not told twice."""
    market = Market()
    intake = market.begin()
    fourth, fifth, sixth = (bar_at(FIRST_NS + number * MINUTE_NS) for number in range(3, 6))
    market.now_ns += 3 * MINUTE_NS
    assert list(intake.closed(Batch(bars=[fourth]), market.now_ns)) == [fourth]
    assert intake.closed(Batch(bars=[sixth]), market.now_ns) == ()
    due_ns = intake.fetch_ns()
    assert due_ns is not None
    assert due_ns <= market.now_ns
    intake.fetch()
    assert intake.fetch_ns() is None
    assert list(intake.fetched([*HISTORY, fourth, fifth, sixth])) == [fifth, sixth]
    intake.holed()
    assert not intake.joined
    assert market.errands.asked == ["begin", "fetch"]


def test_a_stream_that_falls_silent_counts_against_the_market_and_a_connection_that_ends_does_not() -> None:
    """Both are holes, and for as long as the stream is down each candle is fetched in its stead."""
    market = Market()
    intake = market.begin()
    market.tell(Channel.BAR, live=False, reason=f"{Trouble.CLOSED}: the venue ended it")
    assert market.troubles == []
    market.tell(Channel.BAR, live=False, reason=f"{Trouble.SILENT}: for 10 s")
    assert len(market.troubles) == 1
    assert "for 10 s" in intake.why_stale
    assert not intake.joined
    market.now_ns += MINUTE_NS
    fourth = bar_at(FIRST_NS + 3 * MINUTE_NS)
    intake.fetch()
    assert list(intake.fetched([*HISTORY, fourth])) == [fourth]
    assert not intake.joined
    assert intake.fetch_ns() == FIRST_NS + 5 * MINUTE_NS + 6_000_000_000


def test_nothing_comes_in_after_the_end() -> None:
    """Of what was under way nothing is taken."""
    market = Market()
    intake = market.begin()
    intake.end()
    market.tell(Channel.BAR, live=False, reason=f"{Trouble.SILENT}: for 10 s")
    intake.holed()
    intake.fetch()
    assert (intake.begun, intake.joined, intake.quoted, intake.why_stale, intake.lacks) == (False, False, False, "", "")
    assert (intake.fetch_ns(), intake.deadline_ns(), intake.wake_trade_ns) == (None, None, None)
    assert intake.closed(Batch(bars=[bar_at(FIRST_NS)]), market.now_ns) == ()
    assert intake.fetched(HISTORY) == ()
    assert market.troubles == []
    assert market.errands.asked == ["begin", "end"]


def test_a_trade_with_a_wrong_time_closes_no_bar() -> None:
    """Streamed or fetched: every trade until then would be of a bar that is over, and the market never decide again."""
    market = Market()
    market.intake.begin(bars_of(instrument(), 1, 1), 1, eager=False)
    first_ns = market.now_ns

    def trade(second: int, at_ns: int | None = None) -> Trade:
        at_ns = first_ns + second * SECOND if at_ns is None else at_ns
        return Trade(market=MARKET, trade_id=f"t{at_ns}", side=Side.BUY, price=dec(100), quantity=dec(1), at_ns=at_ns)

    wrong = (trade(0, 2 * first_ns), trade(0, 3 * first_ns))
    market.intake.closed(Batch(trades=deque((trade(3), wrong[0]))), first_ns)
    assert [bar.open_ns for bar in market.intake.fetched([trade(0), trade(1), trade(2), wrong[1]])] == [
        first_ns + SECOND,
        first_ns + 2 * SECOND,
    ]
    closed = market.intake.closed(Batch(trades=deque((wrong[0], trade(4)))), first_ns)
    assert [bar.open_ns for bar in closed] == [first_ns + 3 * SECOND]
