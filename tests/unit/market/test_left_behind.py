"""What a start tells of markets that do not run here any more."""

import asyncio

import msgspec

from kangbot.machines.memory import MarketMemory
from kangbot.machines.order import Order
from kangbot.market.left_behind import left_behind
from kangbot.model.events import Noted
from kangbot.model.ids import MarketId
from kangbot.model.orders import Evidence, OrderStatus
from kangbot.model.position import Position
from tests.support.floor_story import Steered, Story, play, spec
from tests.support.trade_words import MARKET, START, dec, intent

PAIR = MarketId("bybit:BTC-USDT")


def known(market: MarketId = MARKET, net: str = "0", stop: str = "", *orders: Order) -> MarketMemory:
    """Return what is remembered of a market."""
    position = Position(market=market, net=dec(net))
    return MarketMemory(market=market, position=position, stop=dec(stop) if stop else None, orders=orders)


def said(memory: MarketMemory) -> list[str]:
    """Return what is told of it."""
    return [
        note.message.partition(", and ")[2].partition("; ")[0]
        for note in left_behind([memory], (), START, on_paper=False)
    ]


def test_what_is_held_is_told_with_its_stop() -> None:
    """Of coins only what a stop covered: the rest is too little to be sold, or somebody's."""
    assert said(known(net="2", stop="90")) == ["2 is held with a stop at 90"]
    assert said(known(net="-2")) == ["-2 is held without a stop"]
    assert said(known(PAIR, "0.5", "90")) == ["0.5 is held with a stop at 90"]
    assert said(known(PAIR, "0.0004")) == []
    assert said(known()) == []
    assert left_behind([known(net="2")], {MARKET}, START, on_paper=False) == []


def test_on_paper_there_is_no_venue_at_which_it_goes_on() -> None:
    """Nothing becomes of it, good or bad, until its market is back."""
    stopped, bare = left_behind([known(net="2", stop="90"), known(PAIR, "1", "90")], (), START, on_paper=True)
    assert stopped.message == (
        "it stands still, and 2 is held with a stop at 90 that nobody watches; "
        "put the market back into the configuration, and it goes on"
    )
    assert "nobody looks after it" not in bare.message


def test_one_that_the_venue_does_not_list_is_not_to_be_configured() -> None:
    """It is."""
    (note,) = left_behind([known(net="2")], (), START, on_paper=False, configured=[MARKET])
    assert note.message == (
        "nobody looks after it any more, and 2 is held without a stop; "
        "the venue does not list it, and is asked again every ten minutes"
    )


def test_an_order_under_way_is_told_of() -> None:
    """One that has ended is not."""
    flying = Order(intent=intent(), settle_ns=START)
    over = msgspec.structs.replace(flying, status=OrderStatus.CANCELED, evidence=Evidence.STREAM)
    assert said(known(MARKET, "0", "", over)) == []
    assert said(known(MARKET, "0", "", flying)) == [f"what became of {flying.client_id} is not known"]


def test_a_start_without_a_market_that_holds_something_says_so() -> None:
    """Each start does, and the daemon for as long as it runs and the market is not back."""

    async def story(told: Story) -> None:
        await told.wants_in()
        await told.floor.close()
        elsewhere = [spec(Steered(), market=MarketId("bybit:OTHER"))]
        for simulated in (False, True):
            again = Story(venue=told.venue, disk=told.disk, world=told.world, specs=elsewhere)
            again.on_paper = simulated
            await again.open()
            assert list(again.floor.left_behind) == [MARKET]
            back = spec(Steered(), market=MARKET)
            rules = (await again.floor.instruments([back.symbol]))[back.symbol]
            again.floor.change(joins=[(back, rules)], leaves=(), changes=(), caller="edit")
            assert again.floor.left_behind == {}
            await again.floor.close()
        await asyncio.sleep(1)
        notes = [event for event in told.disk.events if isinstance(event, Noted) and event.kind == "market.left_behind"]
        assert [note.market for note in notes] == [MARKET] * 2
        at_the_venue, on_paper = [note.message for note in notes]
        assert at_the_venue == (
            "nobody looks after it any more, and 2 is held with a stop at 90; "
            "look at it at the venue, or put the market back into the configuration"
        )
        assert ", and 2 is held with a stop at 90 that nobody watches; put the market back" in on_paper

    play(story)
