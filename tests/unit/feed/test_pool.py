"""Many subscriptions over few sockets of one kind: who carries a topic, who is told of it, and where it goes."""

import pytest

from kangbot.errors import Refused
from kangbot.feed.stream import StreamState
from kangbot.machines.session_words import Trouble
from kangbot.market.reporting import stream_report
from kangbot.model.data import Quote
from kangbot.ports import Topic

from .conftest import (
    BOTH,
    BTC,
    ETH,
    QUOTES,
    Inbox,
    Log,
    WordVenue,
    alive,
    hub_of,
    instrument,
    times,
    until,
)


async def test_several_sinks_share_one_topic(venue: WordVenue) -> None:
    """The venue is asked once; who joins later is told at once that it flows."""
    async with hub_of(venue) as hub:
        first, second = Inbox(), Inbox()
        hub.subscribe(BTC, QUOTES, first)
        await alive(first, "q.BTC")
        later = hub.subscribe(BTC, QUOTES, second)
        assert second.changes == [("q.BTC", True, "flows already")]
        await later.live()
        await until(lambda: len(second.events) > 3)
        assert first.events[-3:] == second.events[-3:]
        assert venue.asked("sub", "q.BTC") == 1


async def test_one_sink_with_two_holds_is_offered_each_event_once(venue: WordVenue) -> None:
    """And keeps the topic until both are closed."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        holds = [hub.subscribe(BTC, QUOTES, inbox) for _ in range(2)]
        await until(lambda: len(inbox.events) > 10)
        numbers = [event.sequence for event in inbox.events if isinstance(event, Quote)]
        assert len(set(numbers)) == len(numbers)
        await holds[0].aclose()
        count = len(inbox.events)
        await until(lambda: len(inbox.events) > count + 3)


async def test_the_topic_ends_when_the_last_leaves(venue: WordVenue) -> None:
    """Closing is safe twice; the socket goes after a while, and comes back when something is wanted."""
    async with hub_of(venue) as hub:
        first, second = Inbox(), Inbox()
        holds = [hub.subscribe(BTC, QUOTES, first), hub.subscribe(BTC, QUOTES, second)]
        await alive(first, "q.BTC")
        await holds[0].aclose()
        await holds[0].aclose()
        assert venue.asked("unsub", "q.BTC") == 0
        await holds[1].aclose()
        await until(lambda: venue.asked("unsub", "q.BTC") == 1)
        count = len(second.events)
        await until(lambda: hub.streams[0].state is StreamState.IDLE)
        assert len(second.events) == count
        again = Inbox()
        hub.subscribe(BTC, QUOTES, again)
        await alive(again, "q.BTC")
        assert venue.connects == 2


async def test_topics_beyond_the_limit_go_to_another_socket(venue: WordVenue) -> None:
    """As many sockets as needed, no more."""
    async with hub_of(venue, topics_a_socket=2) as hub:
        inboxes = [Inbox() for _ in range(5)]
        for number, inbox in enumerate(inboxes):
            hub.subscribe(instrument(f"M{number}"), QUOTES, inbox)
        for number, inbox in enumerate(inboxes):
            await alive(inbox, f"q.M{number}")
        assert [len(stream.wanted) for stream in hub.streams] == [2, 2, 1]
        assert venue.connects == 3


async def test_a_topic_that_stays_mute_moves_to_another_socket(venue: WordVenue, log: Log) -> None:
    """Once in a while, not to and fro; its neighbours stay."""
    async with hub_of(venue) as hub:
        sick, well = Inbox(), Inbox()
        venue.mute.add("q.BTC")
        hub.subscribe(BTC, QUOTES, sick)
        hub.subscribe(ETH, BOTH, well)
        await alive(well, "q.ETH", "t.ETH")
        await until(lambda: times(log, "feed.topic_moved") == 1)
        assert hub.streams[0].session.troubles[Trouble.MUTE] == 3
        await until(lambda: venue.connects == 2)
        assert [stream.wanted for stream in hub.streams] == [("q.ETH", "t.ETH"), ("q.BTC",)]
        await until(lambda: hub.streams[1].session.troubles[Trouble.MUTE] >= 2)
        venue.mute.clear()
        await alive(sick, "q.BTC")
        assert (times(log, "feed.topic_moved"), len(well.changes)) == (1, 2)


async def test_a_mute_topic_moves_although_its_own_socket_has_room(venue: WordVenue, log: Log) -> None:
    """It is the socket that may be to blame."""
    venue.mute.add("q.BTC")
    async with hub_of(venue, topics_a_socket=10) as hub:
        hub.subscribe(BTC, QUOTES, Inbox())
        hub.subscribe(ETH, QUOTES, Inbox())
        await until(lambda: times(log, "feed.topic_moved") == 1)
        assert [stream.wanted for stream in hub.streams] == [("q.ETH",), ("q.BTC",)]


async def test_a_topic_is_not_tossed_to_and_fro(venue: WordVenue, log: Log) -> None:
    """Given up on its new socket too, it stays there and is asked for ever more rarely."""
    venue.mute.add("q.M0")
    async with hub_of(venue, topics_a_socket=4) as hub:
        inboxes = [Inbox() for _ in range(7)]
        for number, inbox in enumerate(inboxes):
            hub.subscribe(instrument(f"M{number}"), QUOTES, inbox)
        await until(lambda: times(log, "feed.topic_moved") == 1)
        first, second = hub.streams
        await until(lambda: second.session.troubles[Trouble.MUTE] >= 4)
        assert (times(log, "feed.topic_moved"), venue.connects) == (1, 2)
        assert "q.M0" in second.wanted
        assert "q.M0" not in first.wanted


async def test_each_trouble_is_counted_by_its_kind_for_its_market_and_its_stream(venue: WordVenue) -> None:
    """Silent, stuck, missing and garbled are four things; what replaced streams have counted is kept."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        hub.subscribe(ETH, QUOTES, Inbox())
        await alive(inbox, "q.BTC")
        await venue.push('{"gap":"q.BTC"}')
        await until(lambda: len(inbox.changes) == 3)
        venue.stuck.add("q.BTC")
        await until(lambda: len(inbox.changes) == 4)
        venue.stuck.clear()
        await until(lambda: inbox.live["q.BTC"])
        await venue.push('{"bad":"q.BTC"}')
        await venue.push('{"bad":"q.XRP"}')
        await until(lambda: hub.counters.garbled == 2)
        assert hub.troubles(BTC.market) == {"gap": 1, "stuck": 1, "garbled": 1}
        assert hub.troubles(ETH.market) == {}
        assert hub.counters.troubles == {Trouble.GAP: 1, Trouble.STUCK: 1}
        said = stream_report(hub.streams[0], hub.counters.last_data_ns + 2_500_000_000, private=False)
        assert (said.state, said.topics, said.live, said.garbled, said.silent_s) == ("open", 2, 2, 2, 2.5)
        assert said.troubles == {"gap": 1, "stuck": 1}


async def test_what_of_the_account_cannot_be_read_is_told_to_its_sink(venue: WordVenue) -> None:
    """It may have been an order or a fill. A market's sink hears of no quote that was none: it counts."""
    async with hub_of(venue) as hub:
        market, account = Inbox(), Inbox()
        hub.subscribe(BTC, QUOTES, market)
        hub.account(account)
        await alive(market, "q.BTC")
        await until(lambda: account.live.get("wallet", False))
        await venue.push('{"bad":"q.BTC"}')
        await venue.push("no frame of ours")
        await until(lambda: hub.counters.garbled == 4)
        assert (market.unread, account.unread) == ([], ["wallet", "wallet"])


async def test_trades_that_cannot_be_read_are_told_to_those_who_have_them(venue: WordVenue) -> None:
    """They have no numbers at every venue: nobody would know from those that follow that some are missing."""
    async with hub_of(venue) as hub:
        trader, other = Inbox(), Inbox()
        hub.subscribe(BTC, BOTH, trader)
        hub.subscribe(BTC, QUOTES, other)
        await alive(trader, "q.BTC", "t.BTC")
        await venue.push('{"bad":"q.BTC"}')
        await venue.push('{"bad":"t.BTC"}')
        await until(lambda: hub.counters.garbled == 2)
        assert (trader.unread, other.unread) == (["t.BTC"], [])
        assert hub.troubles(BTC.market) == {"garbled": 2}


async def test_a_refused_topic_is_told_and_its_neighbours_live(venue: WordVenue) -> None:
    """The venue refuses the whole request without a name; the bad topic is found."""
    venue.denied["q.BTC"] = "no such market"
    async with hub_of(venue) as hub:
        bad, good = Inbox(), Inbox()
        refused = hub.subscribe(BTC, QUOTES, bad)
        hub.subscribe(ETH, BOTH, good)
        with pytest.raises(Refused, match="no such market"):
            await refused.live()
        await alive(good, "q.ETH", "t.ETH")
        await refused.aclose()
        with pytest.raises(Refused, match="closed"):
            await refused.live()


@pytest.mark.parametrize("raises", [("offer",), ("feed_changed",), ("offer", "feed_changed")])
async def test_a_sink_that_raises_harms_nobody_else(venue: WordVenue, raises: tuple[str, ...]) -> None:
    """It is told once, however often it raises, and the frames go on."""

    class Broken(Inbox):
        offers = 0

        def offer(self, event: object, received_ns: int) -> None:
            self.offers += 1
            if "offer" in raises:
                raise KeyError("broken")

        def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
            if "feed_changed" in raises:
                raise KeyError("broken")

    async with hub_of(venue) as hub:
        broken, well = Broken(), Inbox()
        hub.subscribe(BTC, QUOTES, broken)
        hub.subscribe(BTC, QUOTES, well)
        await until(lambda: len(well.events) > 10)
        assert broken.offers >= 10
        assert [note[0] for note in hub.notes] == ["feed.sink_fault"]  # type: ignore[attr-defined]
        assert venue.connects == 1
