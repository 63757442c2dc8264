"""Which streams of a market flow."""

from kangbot.market.streams import Streams
from kangbot.ports import Channel


def test_a_stream_is_lost_until_its_first_data() -> None:
    """An acknowledgement is not data; what an entry waits for is named."""
    streams = Streams()
    streams.asked({Channel.QUOTE: None, Channel.BAR: 60})
    assert streams.why_stale == "the quote stream is down: no data yet; the bar stream is down: no data yet"
    streams.changed(Channel.QUOTE, live=True, reason="")
    assert (streams.lost(Channel.QUOTE), streams.bars_lost) == (False, True)
    streams.changed(Channel.BAR, live=True, reason="")
    assert (streams.why_stale, streams.bars_lost) == ("", False)
    streams.changed(Channel.BAR, live=False, reason="silent")
    assert streams.why_stale == "the bar stream is down: silent"


def test_trades_that_never_came_accuse_nobody_and_those_that_ended_do() -> None:
    """A quiet market has none by right."""
    streams = Streams()
    streams.asked({Channel.QUOTE: None, Channel.TRADE: None})
    streams.changed(Channel.QUOTE, live=True, reason="")
    assert not streams.why_stale
    streams.changed(Channel.TRADE, live=False, reason="closed")
    assert streams.bars_lost


def test_a_cut_before_the_first_trade_may_have_missed_some() -> None:
    """Nobody knows whether the market was quiet: trades count as lost until one is heard."""
    streams = Streams()
    streams.asked({Channel.QUOTE: None, Channel.TRADE: None})
    streams.changed(Channel.QUOTE, live=True, reason="")
    streams.cut("closed: gone")
    assert streams.why_stale == "the trade stream is down: closed: gone"
    streams.changed(Channel.TRADE, live=True, reason="")
    streams.cut("closed: gone")
    assert not streams.bars_lost
    streams.ended()
    streams.cut("closed: gone")
    assert not streams.why_stale


def test_what_is_not_subscribed_is_not_missed() -> None:
    """A stopped market waits for nothing."""
    streams = Streams()
    streams.asked({Channel.QUOTE: None})
    streams.ended()
    assert not streams.why_stale
