"""The hub against a venue on loopback: sharing, routing, letting go, healing."""

import asyncio
from typing import Any

import pytest

from kangbot.errors import Refused
from kangbot.feed.hub import FeedHub
from kangbot.feed.stream import StreamState
from kangbot.machines.lull import REST_S
from kangbot.machines.session_words import Trouble
from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import SECOND_NS

from .conftest import (
    BOTH,
    BTC,
    ETH,
    QUOTES,
    Inbox,
    Log,
    WordDialect,
    WordVenue,
    alive,
    hub_of,
    instrument,
    times,
    until,
)


# ------------------------------------------------------------------------------------------------- sharing and routing
async def test_events_reach_the_sink_of_their_market_and_no_other(venue: WordVenue) -> None:
    """Many markets share one socket."""
    async with hub_of(venue) as hub:
        btc, eth = Inbox(), Inbox()
        subscriptions = [hub.subscribe(BTC, BOTH, btc), hub.subscribe(ETH, BOTH, eth)]
        for subscription in subscriptions:
            await subscription.live()
        await alive(btc, "q.BTC", "t.BTC")
        await alive(eth, "q.ETH", "t.ETH")
        await until(lambda: len(btc.events) > 20 and len(eth.events) > 20)
        assert {type(event) for event in btc.events} == {Quote, Trade}
        assert {getattr(event, "market", None) for event in btc.events} == {BTC.market}
        assert {getattr(event, "market", None) for event in eth.events} == {ETH.market}
        assert (venue.connects, len(hub.streams)) == (1, 1)


async def test_frames_wait_only_where_nobody_decides_by_them(venue: WordVenue) -> None:
    """One who is eager has all of its kind of connection read as they come; the account's is always."""
    lull_ns = 1_700_000_010 * SECOND_NS
    async with hub_of(venue, venue_now_ns=lambda: lull_ns) as hub:
        calm, quick, account = Inbox(), Inbox(), Inbox()
        hub.subscribe(BTC, QUOTES, calm, eager=False)
        hub.account(account)
        await alive(calm, "q.BTC")
        public, private = hub.streams
        assert public._rest_s() == REST_S
        assert private._rest_s() == 0.0
        hold = hub.subscribe(ETH, QUOTES, quick)
        assert public._rest_s() == 0.0
        await alive(quick, "q.ETH")
        await hold.aclose()
        await hold.aclose()
        assert public._rest_s() == REST_S
        count = len(calm.events)
        await until(lambda: len(calm.events) > count + 3)


async def test_a_channel_goes_to_the_kind_of_connection_that_has_it(venue: WordVenue) -> None:
    """One subscription may need several kinds; it is live when all are."""

    class Only(WordDialect):
        def __init__(self, channel: Channel) -> None:
            super().__init__(venue.url)
            self.name = f"word.{channel.value}"
            self._channel = channel

        def topics(self, instrument: object, channel: Channel, timeframe_s: int | None) -> list[Topic]:
            if channel is not self._channel:
                raise Refused(f"{self.name} has no {channel.value}")
            # Both kinds use the same word for their topic: it is unique within a connection only.
            return [Topic(market=MarketId("word:BTC-USD"), channel=channel, native="q.X")]

    public = [lambda: Only(Channel.QUOTE), lambda: Only(Channel.TRADE)]
    async with hub_of(venue, public=public) as hub:
        inbox = Inbox()
        inbox.feed_changed = lambda topic, live, reason: inbox.changes.append((topic.channel.value, live, reason))  # type: ignore[method-assign]
        subscription = hub.subscribe(BTC, BOTH, inbox)
        await subscription.live()
        await until(lambda: {change[0] for change in inbox.changes} == {"quote", "trade"})
        assert [stream.name for stream in hub.streams] == ["word.quote.1", "word.trade.1"]
        await subscription.aclose()
        await until(lambda: venue.asked("unsub", "q.X") == 2)


async def test_what_no_connection_carries_is_refused(venue: WordVenue) -> None:
    """With the reasons of each kind; nothing is subscribed."""
    async with hub_of(venue, private=None) as hub:
        with pytest.raises(Refused, match="no bar here"):
            hub.subscribe(BTC, {Channel.QUOTE: None, Channel.BAR: 60}, Inbox())
        with pytest.raises(Refused, match="no key"):
            hub.account(Inbox())
        assert hub.streams == []


# ---------------------------------------------------------------------------------------------------------- the account
async def test_the_account_has_its_own_stream_and_is_live_without_data(venue: WordVenue) -> None:
    """Logged in, acknowledged: live. Its events arrive when there are some."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        account = hub.account(inbox)
        await account.live()
        await alive(inbox, "wallet")
        assert venue.said[0] == {"op": "login", "key": "good"}
        await venue.push('{"t":"wallet","p":"7","at":1,"n":1}')
        await until(lambda: len(inbox.events) == 1)


async def test_a_refused_key_calls_a_human(venue: WordVenue) -> None:
    """Told once as critical, and not tried in a hurry."""
    venue.key = "another"
    async with hub_of(venue) as hub:
        inbox = Inbox()
        account = hub.account(inbox)
        with pytest.raises(Refused, match="login refused"):
            await account.live()
        await until(lambda: venue.connects >= 2)
        criticals = [note for note in hub.notes if note[1] == "critical"]  # type: ignore[attr-defined]
        host = venue.url.split("/")[2]
        assert [note[3] for note in criticals] == [f"word.private.1: login: {host}: login refused: bad key"]
        assert inbox.live == {}
        venue.key = "good"
        await alive(inbox, "wallet")


# ------------------------------------------------------------------------------------------------------------- healing
async def test_one_mute_topic_is_healed_alone(venue: WordVenue) -> None:
    """It is told down, asked for again and told up; the others miss nothing and are not told anything."""
    async with hub_of(venue) as hub:
        sick, well = Inbox(), Inbox()
        hub.subscribe(BTC, QUOTES, sick)
        hub.subscribe(ETH, BOTH, well)
        await alive(sick, "q.BTC")
        await alive(well, "q.ETH", "t.ETH")
        venue.mute.add("q.BTC")
        await until(lambda: not sick.live["q.BTC"])
        await until(lambda: venue.asked("sub", "q.BTC") == 2)
        venue.mute.clear()
        await alive(sick, "q.BTC")
        assert [live for _, live, _ in sick.changes] == [True, False, True]
        assert sick.changes[1][2].startswith("silent")
        assert len(well.changes) == 2
        assert (venue.connects, venue.asked("sub", "q.ETH")) == (1, 1)
        await until(lambda: len(hub.notes) == 2)  # type: ignore[attr-defined]
        down, up = hub.notes  # type: ignore[attr-defined]
        assert (down[0], up[0]) == ("feed.silent", "feed.topic_up")
        assert down[2] == up[2] == BTC.market


async def _all_mute(hub: Any, venue: WordVenue, inboxes: list[Inbox]) -> list[tuple[Any, ...]]:
    """Have the topics M0, M1, … fall silent, and return what the operator is told of it.

    All in one turn, as those of a venue that speaks no more: where the machine stood still they may part, and are let
    speak and fall silent once more.
    """
    silent: list[tuple[Any, ...]] = []
    for _ in range(20):
        for number, inbox in enumerate(inboxes):
            await alive(inbox, f"q.M{number}")
        await asyncio.sleep(0.05)  # what ended the try before is told by then
        hub.notes.clear()
        venue.mute.update(f"q.M{number}" for number in range(len(inboxes)))
        await until(lambda: any(note[0] == "feed.silent" for note in hub.notes))
        silent = [note for note in hub.notes if note[0] == "feed.silent"]
        if f"{len(inboxes)} topics" in silent[0][3]:
            break
        venue.mute.clear()
    return silent


async def test_what_befalls_many_topics_at_once_is_told_once(venue: WordVenue) -> None:
    """One note for the pool instead of one for each market, and one when the last of them is well."""
    async with hub_of(venue) as hub:
        inboxes = [Inbox() for _ in range(6)]
        for number, inbox in enumerate(inboxes):
            hub.subscribe(instrument(f"M{number}"), QUOTES, inbox)
        silent = await _all_mute(hub, venue, inboxes)
        assert [note[1:3] for note in silent] == [("error", None)]
        assert "6 topics (q.M0, q.M1, q.M2, …)" in silent[0][3]
        venue.mute.difference_update(f"q.M{number}" for number in range(5))
        for number, inbox in enumerate(inboxes[:5]):
            await alive(inbox, f"q.M{number}")
        assert not [note for note in hub.notes if note[0] == "feed.topic_up" and note[2] is None]  # type: ignore[attr-defined]
        venue.mute.clear()
        await until(lambda: any(note[0] == "feed.topic_up" for note in hub.notes))  # type: ignore[attr-defined]
        assert [note[1:3] for note in hub.notes if note[0] == "feed.topic_up"] == [("info", None)]  # type: ignore[attr-defined]


async def test_many_in_trouble_that_nobody_asks_for_any_more_are_told_of_as_over(venue: WordVenue) -> None:
    """Markets that are removed or stopped leave no alarm behind that nothing ends."""
    async with hub_of(venue) as hub:
        inboxes = [Inbox() for _ in range(6)]
        holds = [hub.subscribe(instrument(f"M{number}"), QUOTES, inbox) for number, inbox in enumerate(inboxes)]
        await _all_mute(hub, venue, inboxes)
        for hold in holds:
            await hold.aclose()
        await until(lambda: any(note[0] == "feed.topic_up" for note in hub.notes))  # type: ignore[attr-defined]
        assert "some are not asked for any longer" in hub.notes[-1][3]  # type: ignore[attr-defined]


async def test_a_lost_answer_is_never_taken_for_a_subscription(venue: WordVenue) -> None:
    """Data flows, the answer never came: events arrive, but the topic is not told live until it is answered."""
    venue.unanswered.add("q.BTC")
    async with hub_of(venue) as hub:
        inbox = Inbox()
        subscription = hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: venue.asked("sub", "q.BTC") >= 2)
        assert inbox.live == {}
        assert inbox.events
        assert hub.streams[0].session.troubles[Trouble.UNACKNOWLEDGED] >= 1
        venue.unanswered.clear()
        await subscription.live()
        await alive(inbox, "q.BTC")


async def test_data_whose_time_stands_still_is_down(venue: WordVenue) -> None:
    """Frames come all the while, and say nothing new."""
    async with hub_of(venue) as hub:
        inbox, well = Inbox(), Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        hub.subscribe(ETH, QUOTES, well)
        await alive(inbox, "q.BTC")
        venue.stuck.add("q.BTC")
        await until(lambda: not inbox.live["q.BTC"])
        assert inbox.changes[-1][2].startswith("stuck")


async def test_nothing_is_dialled_while_the_address_is_banned(venue: WordVenue) -> None:
    """REST was told so: what is connected stays, what breaks waits."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await alive(inbox, "q.BTC")
        banned_s = asyncio.get_running_loop().time()
        hub.keep_still(SECOND_NS)
        venue.drop_all()
        await until(lambda: len(inbox.changes) == 3)
        _, again_s = venue.dialled_s
        assert again_s - banned_s > 0.99  # a timer may be early by what a clock cannot tell


async def test_missing_data_have_their_topic_subscribed_anew_alone(venue: WordVenue, log: Log) -> None:
    """Data that follow do not heal it before it begins anew; the neighbour misses nothing, and nobody moves."""
    async with hub_of(venue) as hub:
        inbox, well = Inbox(), Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        hub.subscribe(ETH, QUOTES, well)
        await alive(inbox, "q.BTC")
        await alive(well, "q.ETH")
        await venue.push('{"gap":"q.BTC"}')
        await until(lambda: len(inbox.changes) == 3)
        assert inbox.changes[1] == ("q.BTC", False, "gap: 3 of its events are missing")
        assert inbox.live["q.BTC"]
        assert (venue.asked("unsub", "q.BTC"), venue.asked("sub", "q.BTC")) == (1, 2)
        assert (venue.asked("sub", "q.ETH"), len(well.changes), venue.connects) == (1, 1, 1)
        assert not times(log, "feed.topic_moved")


async def test_answers_and_pongs_are_no_data_and_the_accounts_stream_is_known(venue: WordVenue) -> None:
    """An account that does nothing is silent, however often its socket answers."""
    async with hub_of(venue) as hub:
        hub.account(Inbox())
        hub.subscribe(BTC, QUOTES, Inbox())
        public, private = hub.streams
        assert list(hub.private) == [private]
        await until(lambda: private.counters.frames >= 4 and public.counters.last_data_ns > 0)
        assert private.counters.last_data_ns == 0


# ------------------------------------------------------------------------------------------------------------- closing
async def test_closing_is_safe_in_every_state(venue: WordVenue) -> None:
    """Before the start, while dialling, while open, while waiting; and twice. Then nothing can be asked for."""

    async def closed_after(delay_s: float) -> FeedHub:
        async with hub_of(venue) as hub:
            hub.subscribe(BTC, QUOTES, Inbox())
            hub.account(Inbox())
            await asyncio.sleep(delay_s)
            async with asyncio.timeout(120):
                await hub.aclose()
        return hub

    for delay_s in (0.0, 0.001, 0.005, 0.02, 0.1):
        hub = await closed_after(delay_s)
        assert all(stream.state is StreamState.CLOSED for stream in hub.streams)
    venue.status = 500
    await closed_after(0.1)
    with pytest.raises(Refused, match="closed"):
        hub.subscribe(BTC, QUOTES, Inbox())
    with pytest.raises(Refused, match="closed"):
        hub.account(Inbox())


async def test_a_hold_may_be_closed_after_its_hub(venue: WordVenue) -> None:
    """Whoever stops first."""
    async with hub_of(venue) as hub:
        hold = hub.subscribe(BTC, QUOTES, Inbox())
        await hold.live()
    await hold.aclose()


async def test_a_request_has_as_many_topics_as_the_venue_takes(venue: WordVenue) -> None:
    """It refuses a longer one as a whole; and by shorter ones its budget of requests would be spent."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        for number in range(9):
            hub.subscribe(instrument(f"C{number}"), QUOTES, inbox)
        await until(lambda: sum(inbox.live.values()) == 9)
        asked = [len(said["topics"]) for said in venue.said if said["op"] == "sub"]
        assert asked[:3] == [4, 4, 1]
