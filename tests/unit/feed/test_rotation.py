"""A connection is replaced before the venue cuts it: nobody learns of it, and nothing is missed."""

import asyncio

from kangbot.model.data import Quote, Trade

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


async def test_a_connection_is_replaced_before_its_time_without_a_gap(venue: WordVenue, log: Log) -> None:
    """The new one is live before the old one closes; nothing is told, nothing is missed, nothing comes twice."""
    async with hub_of(venue, rotate_s=0.4) as hub:
        inbox, account = Inbox(), Inbox()
        subscription = hub.subscribe(BTC, BOTH, inbox)
        hub.account(account)
        await until(lambda: times(log, "feed.rotated") >= 3)
        assert [live for _, live, _ in inbox.changes] == [True, True]
        assert [live for _, live, _ in account.changes] == [True]
        quotes = [event.sequence for event in inbox.events if isinstance(event, Quote)]
        trades = [event.trade_id for event in inbox.events if isinstance(event, Trade)]
        assert quotes == sorted(set(quotes))
        assert len(trades) == len(set(trades))
        assert hub.counters.connects >= 5  # two streams and their replacements, those that are gone included
        assert hub.counters.events >= len(inbox.events)
        await subscription.live()


async def test_what_the_old_connection_still_brings_does_not_come_twice(venue: WordVenue, log: Log) -> None:
    """Until it is closed: a venue's connections are not equally far."""
    venue.every_s, venue.lagging = 0.0, True
    async with hub_of(venue, rotate_s=0.2) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, BOTH, inbox)
        await until(lambda: times(log, "feed.rotated") >= 5)
        quotes = [event.sequence for event in inbox.events if isinstance(event, Quote)]
        trades = [event.trade_id for event in inbox.events if isinstance(event, Trade)]
        assert quotes == sorted(set(quotes))
        assert len(trades) == len(set(trades))


async def test_what_replaced_streams_have_seen_is_not_forgotten(venue: WordVenue, log: Log) -> None:
    """Figures of the hub go on over a rotation."""
    async with hub_of(venue, rotate_s=0.5) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await alive(inbox, "q.BTC")
        for frame in ('{"hello":1}', "{"):
            await venue.push(frame)
        await until(lambda: times(log, "feed.rotated") >= 1)
        assert (hub.counters.ignored, hub.counters.garbled) == ({"chatter": 1}, 1)
        assert hub.counters.frames > hub.streams[0].counters.frames
        assert hub.counters.last_data_ns >= hub.streams[0].counters.last_data_ns > 0


async def test_a_replacement_that_does_not_come_up_is_given_up(venue: WordVenue, log: Log) -> None:
    """The old connection stays, and the markets learn nothing of it."""
    async with hub_of(venue, rotate_s=0.3) as hub:
        for rotation in hub._rotations:
            rotation._takeover_s = 0.1
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await alive(inbox, "q.BTC")
        venue.status = 503
        await until(lambda: times(log, "feed.rotation_failed") >= 2)
        count = len(inbox.events)
        await until(lambda: len(inbox.events) > count + 5)
        assert (len(inbox.changes), times(log, "feed.rotated")) == (1, 0)
        assert len(hub.streams) <= 2


async def test_what_is_asked_for_while_a_replacement_fails_is_carried_by_who_stays(venue: WordVenue, log: Log) -> None:
    """The new connection had room for it, and nobody else was to get any; its end takes nothing along."""
    async with hub_of(venue, rotate_s=0.3) as hub:
        for rotation in hub._rotations:
            rotation._takeover_s = 0.5
        stay, late = Inbox(), Inbox()
        hub.subscribe(BTC, QUOTES, stay)
        await alive(stay, "q.BTC")
        venue.status = 503
        await until(lambda: len(hub.streams) == 2)
        hub.subscribe(ETH, QUOTES, late)
        await until(lambda: times(log, "feed.rotation_failed") >= 1)
        await alive(late, "q.ETH")
        assert (times(log, "feed.rotated"), venue.connects) == (0, 1)


async def test_topics_let_go_and_asked_for_during_a_replacement_are_not_lost(venue: WordVenue, log: Log) -> None:
    """A market may come and go at any time."""
    async with hub_of(venue, rotate_s=0.2) as hub:
        inboxes = [Inbox() for _ in range(12)]
        stay = Inbox()
        hub.subscribe(BTC, QUOTES, stay)
        for number, inbox in enumerate(inboxes):
            hold = hub.subscribe(instrument(f"M{number}"), QUOTES, inbox)
            await alive(inbox, f"q.M{number}")
            await asyncio.sleep(0.05)
            await hold.aclose()
        assert times(log, "feed.rotated") >= 1
        assert stay.live == {"q.BTC": True}
        assert len(stay.changes) == 1


async def test_a_replacement_that_fails_by_our_own_fault_is_tried_again(venue: WordVenue, log: Log) -> None:
    """The connection stays, and the watch over its age goes on."""
    broken = [True]

    def public() -> WordDialect:
        if broken[0] and venue.connects:
            raise MemoryError
        return WordDialect(venue.url)

    async with hub_of(venue, rotate_s=0.2, public=[public]) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: times(log, "feed.rotation_fault") >= 1)
        broken[0] = False
        await until(lambda: times(log, "feed.rotated") >= 1)
        assert len(inbox.changes) == 1
