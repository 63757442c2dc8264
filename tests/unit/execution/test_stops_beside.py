"""The stop beside a spot holding: an order of ours that follows what is held, through fills, losses and restarts."""

import asyncio

import msgspec

from kangbot.machines.kept_orders import KEPT
from kangbot.model.events import StopSet
from kangbot.model.ids import ClientId, client_id, holding_id, stop_id
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import FillCause, OrderKind, OrderStatus, Purpose, Side
from kangbot.ports import IdRule
from tests.support.order_story import Market, Story, told
from tests.support.order_venue import Fate, VenueOrder
from tests.support.trade_words import TAG, dec, instrument, proposal

S = OrderStatus
FIRST = client_id(TAG, 1)


def spot(**options: bool) -> Story:
    """Return a story in a market where coins are held."""
    return Story(id_rule=IdRule.FOR_EVER, instrument=instrument(InstrumentKind.SPOT), **options)


async def bought(story: Story, quantity: str | int = 1, *, stop: str = "90") -> Market:
    """Return a life that has just bought so much, with a stop there."""
    market = await story.live()
    market.executor.place(proposal(quantity, kind=OrderKind.MARKET, stop=stop))
    await market.settled()
    return market


async def sells(market: Market, quantity: str | int) -> None:
    """Sell so much at the market."""
    market.executor.place(proposal(quantity, purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
    await market.settled()


def resting(story: Story) -> list[tuple[ClientId | None, object, object]]:
    """Return what rests at the venue beside the holding: names, triggers, quantities."""
    return [(one.client_id, one.trigger, one.quantity) for one in story.venue.beside]


def only(story: Story) -> VenueOrder:
    """Return the one stop that rests."""
    (stop,) = story.venue.beside
    return stop


def covers(story: Story) -> list[str]:
    """Return what was asked of the venue for the stop."""
    return [name for name, _ in story.venue.asked if name.startswith("cover")]


@told
async def test_an_entry_has_its_stop_one_request_after_its_fill() -> None:
    """Nobody calls for help meanwhile; the entry itself carried none."""
    story = spot()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    coming = False
    while not story.venue.beside:
        await asyncio.sleep(0.005)
        coming |= market.executor.stop_coming
    assert coming
    await market.settled()
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 0), dec(90), dec(1))]
    assert (covers(story), market.notes()) == (["cover 90 1 fresh"], [])
    assert market.executor.lacking == 0
    assert (market.executor.stop, market.executor.unprotected, market.executor.stop_coming) == (dec(90), False, False)
    await asyncio.sleep(30)
    assert not market.executor.pulse().in_flight
    await market.end()


@told
async def test_the_stop_is_resized_with_the_holding_and_goes_with_it() -> None:
    """After a part is sold, after more is bought, and once all is sold: what stays behind would sell other coins."""
    story = spot()
    market = await bought(story)
    await sells(market, "0.4")
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 0), dec(90), dec("0.6"))]
    assert market.executor.needed == dec("0.6")
    market.executor.place(proposal("0.2", kind=OrderKind.MARKET, stop="95"))
    await market.settled()
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 0), dec(90), dec("0.8"))]
    market.executor.protect(dec(95))
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 0), dec(95), dec("0.8"))]
    await sells(market, "0.8")
    await asyncio.sleep(1)
    assert (resting(story), market.executor.stop, market.executor.needed) == ([], None, dec(0))
    assert [event.price for event in story.disk.events if isinstance(event, StopSet)] == [dec(90), dec(95), None]
    await asyncio.sleep(30)
    assert not market.executor.pulse().in_flight
    await market.end()


@told
async def test_only_the_first_request_may_take_it_that_none_rests() -> None:
    """One that was lost may have placed it, and one that rests is changed: the venue is asked for both."""
    story = spot()
    story.venue.stops.append("lost")
    market = await bought(story)
    await asyncio.sleep(1)
    await sells(market, "0.4")
    await asyncio.sleep(1)
    assert covers(story) == ["cover 90 1 fresh", "cover 90 1", "cover 90 0.6"]
    await market.end()


@told
async def test_each_holding_has_a_stop_of_a_name_of_its_own() -> None:
    """That of the holding before is used up, and the venue would take it for the very same order."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    await sells(market, 1)
    await asyncio.sleep(1)
    second = market.executor.upcoming_id
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="95"))
    await market.settled()
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(second, 0), dec(95), dec(1))]
    await market.end()


@told
async def test_the_name_is_that_of_an_entry_that_bought_something() -> None:
    """An exit, or an entry that still rests, lends none: a request after it would ask for another order."""
    story = spot()
    market = await bought(story, 2)
    await asyncio.sleep(1)
    await sells(market, 1)
    market.executor.place(proposal())
    await market.settled()
    await asyncio.sleep(1)
    story.venue.close(only(story), S.CANCELED)
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 1), dec(90), dec(1))]
    await market.end()


@told
async def test_nothing_is_asked_for_where_nothing_is_held_or_known_to_be_missing() -> None:
    """A stop beside nothing would sell the coins of somebody else; one that rests is known by the first comparison."""
    story = spot()
    market = await story.live()
    market.executor.protect(dec(80))
    await asyncio.sleep(1)
    assert (covers(story), market.executor.protection.asked_ns) == ([], 0)
    await market.end()
    market = await bought(story)
    await asyncio.sleep(1)
    asked = covers(story)
    await market.end()
    market = await story.live(account=False)
    market.executor.tick(market.now_ns)
    await asyncio.sleep(5)
    assert covers(story) == asked
    await market.end()


@told
async def test_the_stop_is_resized_to_fit_other_rules() -> None:
    """What the step of now leaves of it is not sold; its price is one that the tick of now allows."""
    story = spot()
    market = await bought(story, "1.5", stop="90.1")
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 0), dec("90.1"), dec("1.5"))]
    rules = instrument(InstrumentKind.SPOT)
    market.executor.ruled(msgspec.structs.replace(rules, step=dec(1), min_quantity=dec(1), tick=dec("0.5")))
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 0), dec("90.5"), dec(1))]
    await market.end()


@told
async def test_a_triggered_stop_flattens_us() -> None:
    """Its fill is the venue's own doing, and leaves nothing to be placed again."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    story.venue.trade(only(story), dec(1), cause=FillCause.STOP)
    await asyncio.sleep(20)
    assert (market.executor.position.net, market.executor.stop, resting(story)) == (dec(0), None, [])
    assert market.notes() == ["position.stopped"]
    assert not [name for name in covers(story)[1:] if not name.startswith("cover None")]
    await market.end()


@told
async def test_a_stop_whose_report_comes_before_its_fill_is_not_placed_again() -> None:
    """Until the fill is counted nobody knows what is held."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    stop = only(story)
    story.venue.deaf = True
    story.venue.trade(stop, dec(1), cause=FillCause.STOP)
    story.venue.deaf = False
    story.venue.push(story.venue.report(stop))
    await asyncio.sleep(0.2)
    assert covers(story) == ["cover 90 1 fresh"]
    await asyncio.sleep(20)
    assert (market.executor.position.net, resting(story)) == (dec(0), [])
    await market.end()


@told
async def test_a_restart_between_fill_and_stop_places_it() -> None:
    """Nobody knows the request, so the venue is asked, and then it is done."""
    story = spot()
    story.venue.stops.append("lost")
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    while not covers(story):
        await asyncio.sleep(0.005)
    await market.end()
    assert resting(story) == []
    market = await story.live()
    await asyncio.sleep(2)
    assert resting(story) == [(stop_id(FIRST, 0), dec(90), dec(1))]
    assert not market.executor.unprotected
    await market.end()


@told
async def test_a_restart_after_a_stop_that_nobody_heard_of_finds_it() -> None:
    """One rests, not two; and the next life knows it by its name."""
    story = spot()
    story.venue.stops.append("unheard")
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    while not story.venue.beside:
        await asyncio.sleep(0.005)
    await market.end()
    market = await story.live()
    await asyncio.sleep(10)
    assert resting(story) == [(stop_id(FIRST, 0), dec(90), dec(1))]
    assert market.executor.stop == dec(90)
    await market.end()


@told
async def test_a_stop_that_was_sold_past_while_nobody_looked_is_taken_away_at_the_start() -> None:
    """The holding went in the last moment of an earlier life; its stop must not stay."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    story.venue.stops.append("lost")
    await sells(market, 1)
    await market.end()
    assert len(resting(story)) == 1
    market = await story.live()
    await asyncio.sleep(2)
    assert (resting(story), market.executor.position.net) == ([], dec(0))
    await market.end()


@told
async def test_a_stop_that_somebody_cancels_is_missed_and_can_be_set_again() -> None:
    """By the stream at once, by the list where the stream was silent; each time under a name not used before."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(10)
    story.venue.close(only(story), S.CANCELED)
    await asyncio.sleep(0.2)
    await asyncio.sleep(1)
    assert resting(story) == [(stop_id(FIRST, 1), dec(90), dec(1))]
    await asyncio.sleep(10)
    story.venue.deaf = True
    story.venue.close(only(story), S.CANCELED)
    story.venue.deaf = False
    await asyncio.sleep(90)
    assert resting(story) == [(stop_id(FIRST, 2), dec(90), dec(1))]
    await market.end()


@told
async def test_a_list_that_lags_behind_does_not_undo_a_stop() -> None:
    """What was placed a moment ago may not be in it yet."""
    story = spot()
    story.venue.lag_s = 2
    market = await bought(story)
    await asyncio.sleep(20)
    assert (covers(story), market.executor.stop) == (["cover 90 1 fresh"], dec(90))
    await market.end()


@told
async def test_a_refused_stop_is_told_and_left_to_the_policy() -> None:
    """It is not asked for again by itself; the holding stays unprotected until somebody decides."""
    story = spot()
    story.venue.stops.append("refused")
    market = await bought(story)
    await asyncio.sleep(10)
    assert (market.executor.unprotected, market.executor.stop_coming) == (True, False)
    assert market.executor.protection.refused == "the stop is not below the last price"
    assert market.notes() == ["stop.failed"]
    await sells(market, 1)
    await asyncio.sleep(1)
    assert not market.executor.protection.asked_ns
    await market.end()


@told
async def test_a_stop_that_does_not_go_is_told() -> None:
    """And tried until it does."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    story.venue.stops.append("lost")
    await sells(market, 1)
    await asyncio.sleep(3)
    assert (resting(story), market.notes()) == ([], ["stop.failed"])
    await market.end()


@told
async def test_a_stop_beside_nothing_of_another_journal_is_an_orphan() -> None:
    """A lost state folder leaves it; by the list or by the stream it is told once and taken away."""
    story = spot()
    stranger = client_id("another1", 7)
    story.venue.by_hand("1", client=stop_id(stranger, 0), side=Side.SELL, filled=False).trigger = dec(80)
    market = await story.live()
    await asyncio.sleep(1)
    assert resting(story) == []
    late = story.venue.by_hand("1", client=stop_id(stranger, 1), side=Side.SELL, filled=False)
    late.trigger = dec(80)
    await asyncio.sleep(1)
    assert (resting(story), market.notes()) == ([], ["order.orphan", "order.orphan"])
    await market.end()


@told
async def test_coins_of_others_are_not_covered_unless_they_are_ours_to_manage() -> None:
    """What somebody bought by hand beside it is theirs; under the policy `adopt` it is the strategy's."""
    for adopt, quantity in ((False, dec(1)), (True, dec(3))):
        story = spot(adopt_hands=adopt)
        market = await bought(story)
        story.venue.by_hand("2")
        await asyncio.sleep(2)
        assert [one.quantity for one in story.venue.beside] == [quantity]
        await market.end()


@told
async def test_a_holding_without_a_known_stop_is_left_to_the_policy() -> None:
    """And what cannot be sold needs none."""
    story = spot()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    await asyncio.sleep(5)
    assert (covers(story), market.executor.unprotected, market.executor.quarantine) == ([], True, "")
    market.executor.protect(dec(80))
    await asyncio.sleep(1)
    assert (resting(story), market.executor.unprotected) == ([(stop_id(FIRST, 0), dec(80), dec(1))], False)
    await sells(market, "0.99")
    await asyncio.sleep(1)
    assert (resting(story), market.executor.unprotected) == ([], False)
    await market.end()


@told
async def test_a_stop_that_the_venue_would_not_resize_is_resized_later() -> None:
    """Left as it was it would sell more than is ours, or be refused for want of coins when its price comes."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    story.venue.stops.append("refused")
    await sells(market, "0.4")
    await asyncio.sleep(1)
    assert (resting(story), market.notes()) == ([(stop_id(FIRST, 0), dec(90), dec(1))], ["stop.failed"])
    story.venue.stops.extend(["refused"] * 3)
    await asyncio.sleep(120)
    assert resting(story) == [(stop_id(FIRST, 0), dec(90), dec("0.6"))]
    assert (len(covers(story)), market.notes()) == (6, ["stop.failed"])  # told once
    await asyncio.sleep(60)
    assert not market.executor.pulse().in_flight
    await market.end()


@told
async def test_a_stop_that_the_venue_would_not_take_away_goes_later() -> None:
    """Beside nothing of ours it would sell the coins of somebody else."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    story.venue.stops.append("refused")
    await sells(market, 1)
    await asyncio.sleep(60)
    assert (resting(story), len(covers(story))) == ([], 3)
    assert not market.executor.pulse().in_flight
    await market.end()


@told
async def test_a_holding_that_no_order_is_remembered_for_lends_its_stop_an_id() -> None:
    """Bought by hand, or so long ago that the entry is forgotten; an id that all of them shared would be used up."""
    story = spot(adopt_hands=True)
    market = await story.live()
    story.venue.by_hand("2")
    await asyncio.sleep(1)
    market.executor.protect(dec(80))
    await asyncio.sleep(1)
    opened_ns = market.executor.position.opened_ns
    assert resting(story) == [
        (stop_id(holding_id(TAG, market.executor.position.market, opened_ns), 0), dec(80), dec(2))
    ]
    await market.end()

    story = spot()
    market = await bought(story)
    for _ in range(KEPT + 1):
        order = market.executor.place(proposal("0.1", purpose=Purpose.EXIT, side=Side.SELL))
        await asyncio.sleep(0.5)
        market.executor.cancel(order.client_id)
        await asyncio.sleep(0.5)
    story.venue.close(only(story), S.CANCELED)
    await asyncio.sleep(1)
    opened_ns = market.executor.position.opened_ns
    assert resting(story) == [
        (stop_id(holding_id(TAG, market.executor.position.market, opened_ns), 0), dec(90), dec(1))
    ]
    await market.end()


@told
async def test_a_stop_that_sold_a_part_only_is_missed_at_once() -> None:
    """The book was thin. Exits that are placed anew all the while do not hide it."""
    for deaf in (False, True):
        story = spot()
        market = await bought(story)
        await asyncio.sleep(1)
        stop = only(story)
        story.venue.deaf = deaf
        story.venue.trade(stop, dec("0.6"), cause=FillCause.STOP)
        story.venue.close(stop, S.CANCELED)
        story.venue.deaf = False
        story.venue.stops.extend(["refused"] * 100)
        for _ in range(40 if deaf else 1):
            order = market.executor.place(proposal("0.1", purpose=Purpose.EXIT, side=Side.SELL))
            await asyncio.sleep(1)
            market.executor.cancel(order.client_id)
            await asyncio.sleep(1)
        assert (market.executor.position.net, market.executor.unprotected) == (dec("0.4"), True)
        await market.end()


@told
async def test_an_exit_whose_coins_were_sold_while_it_waited_stays_here() -> None:
    """A venue would sell what else lies in the account; an exit of what is left leaves."""
    story = spot()
    market = await bought(story, 2)
    story.disk.slow(1)
    exit_ = market.executor.place(proposal(2, purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
    story.venue.by_hand("1", side=Side.SELL)
    await asyncio.sleep(0.9)
    story.disk.slow(0.001)
    await market.settled()
    assert story.venue.net == 1
    assert [order.client_id for order in story.venue.orders if order.client_id == exit_.client_id] == []
    assert market.executor.counts.withheld == 1
    await sells(market, 1)
    assert story.venue.net == 0
    await market.end()


@told
async def test_an_exit_that_rests_is_withdrawn_once_its_coins_were_sold() -> None:
    """Untouched or partly filled, unanswered, or found after a restart; one for what is left of ours stays."""
    for fate, filled, by_hand, restarted in (
        (Fate.NORMAL, "0", "0.5", False),
        (Fate.NORMAL, "0.5", "1", False),
        (Fate.LOST_AFTER, "0.5", "1.5", False),
        (Fate.NORMAL, "0.5", "1.5", True),
    ):
        story = spot()
        market = await bought(story, 2)
        story.venue.fates.append(fate)
        exit_ = market.executor.place(proposal(2, purpose=Purpose.EXIT, side=Side.SELL))
        await market.settled()
        if part := dec(filled):
            story.venue.trade(story.venue.of(exit_.client_id), part)
            await asyncio.sleep(1)
        assert story.venue.canceled == []
        if restarted:
            await market.end()
        story.venue.by_hand(by_hand, side=Side.SELL)
        if restarted:
            market = await story.live()
        await asyncio.sleep(3)
        assert (story.venue.of(exit_.client_id).status, story.venue.canceled) == (S.CANCELED, [exit_.client_id])
        left = 2 - part - dec(by_hand)
        assert market.executor.position.net == left
        if left:
            again = market.executor.place(proposal(str(left), purpose=Purpose.EXIT, side=Side.SELL))
            await asyncio.sleep(3)
            assert market.status(again.client_id) is S.ACKED
        await market.end()


@told
async def test_a_lost_exit_is_not_sent_again_where_the_stop_was_quicker() -> None:
    """It is asked about, and nothing is left to sell."""
    story = spot()
    market = await bought(story)
    await asyncio.sleep(1)
    story.venue.fates.append(Fate.LOST_BEFORE)
    late = market.executor.place(proposal(1, purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
    await asyncio.sleep(0.02)
    story.venue.trade(only(story), dec(1), cause=FillCause.STOP)
    await market.settled()
    assert (market.status(late.client_id), story.venue.net) == (S.NOT_ACCEPTED, dec(0))
    assert story.venue.submits == [FIRST, late.client_id]
    await market.end()
