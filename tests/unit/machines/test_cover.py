"""The stop beside a holding: what rests, and whether the holding needs another."""

import msgspec
import pytest

from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.cover import Cover, Covering, Rest
from kangbot.machines.holding import Holding
from kangbot.machines.memory import MarketMemory, Recollection
from kangbot.machines.order_words import Answered, CancelAsked, Reported, Sent, Withheld
from kangbot.machines.protection import Protection
from kangbot.machines.reconcile import EXPLAIN_NS, QUIET_NS, Reconciled
from kangbot.model.events import Event, Noted, OrderIntended, Record, StopSet
from kangbot.model.ids import (
    STOP_ATTEMPTS,
    ClientId,
    MarketId,
    client_id,
    holding_id,
    is_stop_id,
    journal_of,
    stop_id,
    stop_ids,
)
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Fill, Intent, OrderKind, OrderReport, OrderStatus, Purpose, Side
from kangbot.model.position import Position
from tests.support.trade_words import MARGIN, MARKET, SECOND, START, TAG, dec, fill, instrument, intent, report, stated

S = OrderStatus
NAME, OTHER = stop_id(client_id(TAG, 1), 0), stop_id(client_id(TAG, 1), 1)
ALIEN = stop_id(client_id("another1", 1), 0)
SPOT = Covering(mine=stop_ids(TAG), instrument=instrument(InstrumentKind.SPOT))


def stop(
    status: OrderStatus = S.ACKED,
    name: ClientId | None = NAME,
    *,
    quantity: str = "1",
    filled: str = "0",
    trigger: str | None = "90",
) -> OrderReport:
    """Return what the venue says of a stop beside a holding."""
    plain = report(status, filled, client=name or "", venue_order_id=f"v{name}", protective=True)
    return msgspec.structs.replace(
        plain,
        client_id=name,
        side=Side.SELL,
        quantity=dec(quantity),
        trigger=None if trigger is None else dec(trigger),
    )


def spot_agreement() -> tuple[Agreement, Blotter]:
    """Return the agreement over a holding of 1, whose stop is not known."""
    memory = MarketMemory(market=MARKET, position=Position(market=MARKET))
    blotter = Blotter(memory, journal=TAG, strategy="test", born_ns=START, settle_ns=START, now_ns=START)
    blotter.fill(fill("held", 1, named=False, venue_order_id="h"), START)
    return Agreement(blotter, covering=msgspec.structs.replace(SPOT, adopted=True)), blotter


def listed(
    *reports: OrderReport, asked_ns: int, coins: str | None = None, since_ns: int = START - 2 * EXPLAIN_NS
) -> Reconciled:
    """Return the venue's list of open orders, and how many coins are in the account."""
    return Reconciled(
        market=MARKET,
        open_orders=reports,
        executions=(),
        executions_since_ns=since_ns,
        position=stated(7),  # of no meaning here
        coins=None if coins is None else dec(coins),
        asked_ns=asked_ns,
        answered_ns=asked_ns,
    )


# --------------------------------------------------------------------------------------------------------------- ids
def test_each_order_lends_ids_of_its_own() -> None:
    """No two orders lend the same, every one tells its journal, and none looks like an order's own."""
    orders = [client_id(TAG, number) for number in (1, 35, 36, 37, 1295, 1296)]
    names = [stop_id(order, attempt) for order in orders for attempt in range(STOP_ATTEMPTS)]
    assert len(set(names)) == len(names)
    assert all(name.startswith(stop_ids(TAG)) and is_stop_id(name) for name in names)
    assert {journal_of(order) for order in orders} == {TAG}
    assert not any(map(is_stop_id, [*orders, "", "ks", "ksmine", f"ks{TAG}-1-0"]))


def test_a_holding_lends_an_id_of_its_own() -> None:
    """To stops beside what no order bought: no other market's, no order's, and short enough for every venue."""
    markets = [MarketId(f"bybit:{coin}-USDT") for coin in ("BTC", "ETH", "SOL", "1000PEPE")]
    lent = [holding_id(TAG, market, at_ns) for market in markets for at_ns in (START, START + 1)]
    names = {stop_id(one, attempt) for one in lent for attempt in (0, STOP_ATTEMPTS - 1)}
    assert len(names) == 16
    assert all(len(name) <= 32 and is_stop_id(name) and name.startswith(stop_ids(TAG)) for name in names)
    assert {journal_of(one) for one in lent} == {TAG}
    assert not names & {stop_id(client_id(TAG, number), 0) for number in range(1_000)}


# -------------------------------------------------------------------------------------------------------------- cover
def test_one_stop_for_the_whole_holding_fits() -> None:
    """Two do not, nor one for less, nor one that waits for a rise."""
    one = Cover().listed([stop()])
    assert (one.stop, one.fits(dec(1)), one.fits(dec(2)), one.fits(dec(0))) == (dec(90), True, False, False)
    assert not Cover().listed([stop(), stop(name=OTHER)]).fits(dec(1))
    wrong = Cover().listed([stop(trigger=None)])
    assert (wrong.stop, wrong.fits(dec(1))) == (None, False)
    assert Cover().listed([stop(trigger=None), stop(name=OTHER)]).stop == dec(90)
    assert (Cover().stop, Cover().fits(dec(0)), Cover().fits(dec(1))) == (None, True, False)


def test_a_stop_that_ended_without_selling_is_gone() -> None:
    """One that is being filled counts for the rest; what is unknown, or is no stop, has no end."""
    one = Cover().listed([stop()])
    assert one.reported(stop(S.CANCELED)) == Cover()
    assert one.reported(stop(S.PARTIAL, filled="0.4")).resting == {NAME: Rest(price=dec(90), quantity=dec("0.6"))}
    assert one.reported(stop(S.CANCELED, None)) == one
    assert one.reported(stop(S.CANCELED, OTHER)) == one


def sold(execution: str, quantity: str, name: ClientId | None = NAME) -> Fill:
    """Return a fill of that stop, as it is told: by the venue's own id alone."""
    return fill(execution, quantity, named=False, venue_order_id=f"v{name}", side=Side.SELL)


@pytest.mark.parametrize("status", [S.FILLED, S.CANCELED, S.EXPIRED])
def test_a_stop_that_has_sold_is_gone_once_its_fills_are_counted(status: OrderStatus) -> None:
    """Whichever is quicker, its report or its fills: until both have come nobody knows what is held."""
    one = Cover().listed([stop()])
    over = one.reported(stop(status, filled="0.6"))
    assert over.followed(Protection(), needed=dec("0.7"), stop=dec(90), now_ns=START) == Protection()
    half = over.filled(sold("x1", "0.3"))
    assert [*half.resting] == [NAME]
    assert half.filled(fill("x2", "0.3")) == half  # another order's
    assert half.filled(sold("x2", "0.3")).resting == {}
    quick = one.filled(sold("x1", "0.3")).filled(sold("x2", "0.3"))
    assert [*quick.resting] == [NAME]
    for known in (quick, quick.listed([stop()]), quick.placed(NAME, dec(90), dec(1))):
        assert known.reported(stop(status, filled="0.6")).resting == {}
    assert [*quick.listed([stop()]).placed(NAME, dec(90), dec(1)).reported(stop(status, filled="0.7")).resting] == [
        NAME
    ]
    for number in range(20):
        quick = quick.filled(sold(f"y{number}", "1", ClientId(f"other{number}")))
    assert len(quick.counted) == 8


@pytest.mark.parametrize(
    ("net", "by_hand", "price", "adopted", "expected"),
    [
        ("1", "0", "90", False, "1"),
        ("1.0009", "0", "90", False, "1"),  # what is left of a fee in the coin is less than a step
        ("3", "2", "90", False, "1"),
        ("3", "2", "90", True, "3"),
        ("0.0009", "0", "90", False, "0"),
        ("0.04", "0", "90", False, "0"),  # worth less than the venue takes
        ("0.04", "0", None, False, "0"),  # nobody knows its stop: it is worth what was paid
        ("0.05", "0", None, False, "0.05"),  # just what the venue takes
        ("0.055", "0", "90", False, "0"),  # what is worth enough now is not at its stop
        ("0.056", "0", "90", False, "0.056"),
        ("0", "0", None, False, "0"),
        ("-1", "0", "90", False, "0"),
    ],
)
def test_what_a_stop_must_sell(net: str, by_hand: str, price: str | None, adopted: bool, expected: str) -> None:
    """Ours, in whole steps, and nothing where it is too little to be sold."""
    covering = msgspec.structs.replace(SPOT, adopted=adopted)
    holding = Holding(stop=None if price is None else dec(price), by_hand=dec(by_hand))
    assert covering.needed(dec(net), holding, dec(100) if net != "0" else None) == dec(expected)


def test_what_is_less_than_any_order_needs_no_stop() -> None:
    """However much it is worth; the least that the venue takes is enough."""
    dear = msgspec.structs.replace(SPOT, instrument=msgspec.structs.replace(SPOT.instrument, min_quantity=dec("0.1")))
    needed = [dear.needed(dec(net), Holding(stop=dec(90_000)), dec(100_000)) for net in ("0.099", "0.1")]
    assert needed == [0, dec("0.1")]


# ---------------------------------------------------------------------------------------------------------- agreement
def test_a_placed_stop_is_believed_and_then_confirmed() -> None:
    """Until the list has shown it, it is asked about soon; what was asked before says nothing."""
    one, blotter = spot_agreement()
    assert (one.unprotected, one.needed) == (True, dec(1))
    events = one.placed(dec(90), dec(1), NAME, START)
    assert [type(event) for event in events] == [StopSet]
    assert (blotter.stop, one.unprotected, one.unconfirmed) == (dec(90), False, True)
    one.snapshot(listed(asked_ns=START), START, START)
    one.snapshot(listed(asked_ns=START + SECOND), START, START)  # a list may be behind
    assert (blotter.stop, one.unconfirmed) == (dec(90), True)
    one.snapshot(listed(stop(), asked_ns=START + SECOND), START, START)
    assert (one.unconfirmed, one.unsettled) == (False, False)
    busy_ns = START + QUIET_NS - SECOND  # an exit was placed anew: that says nothing of the stop
    one.snapshot(listed(asked_ns=START + QUIET_NS), busy_ns, busy_ns)
    assert (blotter.stop, one.unprotected, one.cover) == (None, True, Cover())


def test_an_order_of_ours_that_rests_is_no_stop_and_no_orphan() -> None:
    """Nor is our stop: what is orphaned is cancelled."""
    one, blotter = spot_agreement()
    blotter.open(intent(1), MARGIN)
    blotter.learn(client_id(TAG, 1), Sent(START), START)
    blotter.learn(client_id(TAG, 1), Answered(report(S.ACKED)), START)
    hand = report(S.ACKED, named=False, venue_order_id="h1")
    events, orphans = one.snapshot(listed(report(S.ACKED), hand, stop(), asked_ns=START + SECOND), START, START)
    assert ([event.kind for event in events if isinstance(event, Noted)], orphans) == (["order.foreign"], [])
    assert [*one.cover.resting] == [NAME]


def test_a_list_from_before_our_last_activity_says_nothing_of_the_stop() -> None:
    """Of where it stands neither; a fill or a report of a stop begins the quiet anew that its end is believed after."""
    one, blotter = spot_agreement()
    one.placed(dec(95), dec(1), OTHER, START)
    one.snapshot(listed(stop(), asked_ns=START + SECOND), START + SECOND, START)
    assert blotter.stop == dec(95)
    for moved_ns, tell in (
        (START + 20 * SECOND, lambda at_ns: one.filled(fill("e9", 1, named=False, venue_order_id="h"), at_ns)),
        (START + 40 * SECOND, lambda at_ns: one.stop_reported(stop(name=OTHER, trigger="95"), at_ns)),
    ):
        tell(moved_ns)
        one.snapshot(listed(asked_ns=moved_ns + QUIET_NS - 1), START, moved_ns)
        assert blotter.stop == dec(95)
    one.snapshot(listed(asked_ns=START + 40 * SECOND + QUIET_NS), START, START)
    assert blotter.stop is None


def exit_of(number: int, quantity: str, kind: OrderKind = OrderKind.LIMIT, purpose: Purpose = Purpose.EXIT) -> Intent:
    """Return an order that sells so much of the coins."""
    meant = intent(number, quantity, purpose=purpose, kind=kind)
    return msgspec.structs.replace(meant, side=Side.SELL)


def test_an_exit_that_would_sell_what_a_hand_has_sold_is_withdrawn() -> None:
    """Where it rests and nobody withdraws it yet; exactly what is held may be sold, a step more may not."""
    one, blotter = spot_agreement()
    for number, order in enumerate(
        (
            exit_of(1, "0.4"),
            exit_of(2, "0.401"),
            exit_of(3, "0.5", OrderKind.MARKET),
            exit_of(4, "0.5", purpose=Purpose.ENTRY),
            exit_of(5, "0.5"),
            exit_of(6, "0.5"),
        ),
        1,
    ):
        blotter.open(order, MARGIN)
        blotter.learn(client_id(TAG, number), Sent(START), START)
    blotter.open(exit_of(7, "0.5"), MARGIN)  # it has not left, and is held back as it leaves
    blotter.learn(client_id(TAG, 5), CancelAsked(), START)
    blotter.learn(client_id(TAG, 6), Reported(report(S.CANCELED, number=6, filled="0.1")), START)
    assert one.oversold == []
    sale = fill("hand", "0.6", named=False, venue_order_id="x", side=Side.SELL)
    blotter.fill(sale, START)
    assert one.oversold == [client_id(TAG, 2)]
    blotter.fill(fill("part", "0.1", number=1, side=Side.SELL), START)
    assert one.oversold == [client_id(TAG, 2)], "what it has sold of its own it sells no more"
    contract = Agreement(blotter)
    assert contract.oversold == ()
    assert not any(contract.oversells(order) for order in blotter.orders), "the venue reduces no further"
    bought = msgspec.structs.replace(intent(8, 9), side=Side.BUY)
    assert not one.oversells(blotter.open(bought, MARGIN))


def test_a_stop_that_sold_a_part_leaves_the_rest_unprotected() -> None:
    """In a thin book; by the stream, and by the list of executions where the stream was silent."""
    for streamed in (True, False):
        one, blotter = spot_agreement()
        one.placed(dec(90), dec(1), NAME, START)
        part = sold("s1", "0.6")
        one.stop_reported(stop(S.CANCELED, filled="0.6"), START)
        assert not one.unprotected  # how much is left is not known yet
        if streamed:
            blotter.fill(part, START)
            one.filled(part, START)
        else:
            snapshot = msgspec.structs.replace(listed(asked_ns=START), executions=(part,))
            one.snapshot(snapshot, START, START)
        assert (blotter.position.net, blotter.stop, one.unprotected) == (dec("0.4"), None, True)


def test_a_removed_stop_is_confirmed_too() -> None:
    """A copy of a request to place it may still be on its way."""
    one, _ = spot_agreement()
    one.placed(None, dec(0), None, START)
    assert one.unconfirmed
    one.snapshot(listed(asked_ns=START + SECOND), START, START)
    assert not one.unconfirmed


def test_a_stop_is_followed_on_the_stream() -> None:
    """A cancelled one is missed at once; without a holding nothing is protected by it."""
    one, blotter = spot_agreement()
    assert one.stop_reported(report(S.ACKED), START) == ((), ())
    one.stop_reported(stop(), START)
    assert (blotter.stop, one.unconfirmed) == (dec(90), False)
    one.stop_reported(stop(S.CANCELED), START)
    assert (blotter.stop, one.unconfirmed) == (None, True)
    blotter.fill(fill("sold", 1, named=False, venue_order_id="h", side=Side.SELL), START)
    one.stop_reported(stop(), START)
    assert (blotter.stop, one.unprotected, bool(one.cover.resting)) == (None, False, True)


def test_a_stop_of_another_journal_is_an_orphan() -> None:
    """On the list and on the stream, told once; what has ended is nobody's."""
    one, _ = spot_agreement()
    events, orphans = one.snapshot(listed(stop(name=ALIEN), asked_ns=START + SECOND), START, START)
    assert ([event.kind for event in events if isinstance(event, Noted)], orphans) == (["order.orphan"], [ALIEN])
    assert one.stop_reported(stop(name=ALIEN), START) == ((), (ALIEN,))
    assert one.stop_reported(stop(S.CANCELED, ALIEN), START) == ((), ())
    assert one.cover == Cover()


def test_a_contract_has_its_stop_from_the_venue() -> None:
    """An order with such an id says nothing of a position."""
    blotter = spot_agreement()[1]
    one = Agreement(blotter)
    assert one.stop_reported(stop(), START) == ((), ())
    assert one.needed == dec(1)


def test_what_a_fee_left_over_does_not_hand_its_stop_on() -> None:
    """The next position's stop is its own: in the running market and in the fold of its journal alike."""
    market = MarketId("bybit:BTC-USDT")
    memory = MarketMemory(market=market, position=Position(market=market))
    blotter = Blotter(memory, journal=TAG, strategy="test", born_ns=START, settle_ns=START, now_ns=START)
    events: list[Event] = []
    for number, quantity, side, price in (
        (1, "1", Side.BUY, "90"),
        (2, "0.999", Side.SELL, None),
        (3, "1", Side.BUY, "80"),
    ):
        meant = msgspec.structs.replace(intent(number, quantity, stop=price), market=market, side=side)
        events.append(OrderIntended(intent=meant, at_ns=START))
        blotter.open(meant, MARGIN)
        traded = fill(f"e{number}", quantity, number=number, side=side)
        events.extend(blotter.fill(msgspec.structs.replace(traded, market=market), START))
    assert (blotter.position.net, blotter.holding.stop) == (dec("1.001"), dec(80))
    told = Recollection()
    for sequence, event in enumerate(events, start=1):
        told.add(Record(journal=TAG, sequence=sequence, event=event))
    assert told.memory().market(market).holding == blotter.holding


WANTED = Protection(wanted=dec(90), asked_ns=START)
REMOVED = Protection(wanted=None, asked_ns=START)
REMOVED_AGAIN = msgspec.structs.replace(REMOVED, again=True)
WANTED_AGAIN = msgspec.structs.replace(WANTED, again=True, failed=True)
WANTED_INSTEAD = msgspec.structs.replace(WANTED, failed=True)
FITS = Cover(resting={NAME: Rest(price=dec(90), quantity=dec(1))})
TOO_MUCH = Cover(resting={NAME: Rest(price=dec(90), quantity=dec(2))})
WRONG = Cover(resting={NAME: Rest(price=None, quantity=dec(1))})
LONG_AGO = START - 10 * SECOND
LOST = Protection(wanted=dec(90), asked_ns=LONG_AGO, tries=3, tried_ns=LONG_AGO)


def refused(wanted: int | None, tried_ns: int = LONG_AGO) -> Protection:
    """Return a stop of which the venue would not hear, when it was tried then."""
    price = None if wanted is None else dec(wanted)
    return Protection(wanted=price, asked_ns=tried_ns, tries=1, tried_ns=tried_ns, refused="no")


@pytest.mark.parametrize(
    ("cover", "before", "needed", "where", "after"),
    [
        (FITS, Protection(), 1, 90, Protection()),  # all is well
        (FITS, REMOVED, 1, 90, WANTED),  # it was to go, and something was bought meanwhile
        (FITS, WANTED, 1, 91, WANTED),  # another one is on its way already
        (TOO_MUCH, Protection(), 1, 90, WANTED),
        (Cover(), Protection(), 1, 90, WANTED),
        (Cover(), Protection(), 1, None, Protection()),  # nobody knows where it belongs: the sentry's case
        (TOO_MUCH, Protection(), 0, 90, REMOVED),  # left behind, it would sell what is not ours
        (Cover(), Protection(), 0, 90, Protection()),
        (Cover(), WANTED, 0, 90, WANTED),  # it never left
        (Cover(), msgspec.structs.replace(WANTED, tries=1), 0, 90, REMOVED),  # it may rest all the same
        (TOO_MUCH, refused(90), 1, 90, WANTED_AGAIN),  # as it is it would sell too much
        (TOO_MUCH, refused(95), 1, 90, WANTED_INSTEAD),  # its price is one thing and its size another
        (TOO_MUCH, refused(90, LONG_AGO + 1), 1, 90, refused(90, LONG_AGO + 1)),  # a moment ago
        (TOO_MUCH, refused(None), 0, 90, REMOVED_AGAIN),
        (TOO_MUCH, LOST, 1, 90, LOST),  # the executor repeats what got lost
        (WRONG, refused(90), 1, None, refused(90)),  # nobody knows where it belongs
        (FITS, refused(95), 1, 90, refused(95)),  # where it belongs is for others to say
        (Cover(), refused(90), 1, 90, refused(90)),  # the sentry's case
    ],
)
def test_a_stop_follows_its_holding(
    cover: Cover, before: Protection, needed: int, where: int | None, after: Protection
) -> None:
    """What is wanted of it, by what rests, what is wanted already, and how much must be sold."""
    stop = None if where is None else dec(where)
    assert cover.followed(before, needed=dec(needed), stop=stop, now_ns=START) == after


def counted(one: Agreement, coins: str | None, at_s: int) -> list[str]:
    """Compare with so many coins in the account, at that second; return what is told of them."""
    at_ns = START + at_s * SECOND
    events, _ = one.snapshot(listed(asked_ns=at_ns, coins=coins), 0, at_ns)
    return [event.kind for event in events if isinstance(event, Noted) and event.kind.startswith("coins.")]


def test_coins_that_left_the_account_are_missing_once_that_is_certain() -> None:
    """Twice seen, with nothing under way; then no more than what is left needs a stop, until they are back."""
    one, blotter = spot_agreement()
    assert counted(one, "0.4", 10) == []
    assert (one.unsettled, one.needed) == (True, dec(1))
    blotter.open(intent(1), MARGIN)
    assert counted(one, "0.4", 20) == []
    blotter.learn(client_id(TAG, 1), Withheld("it stays"), START)
    assert counted(one, "0.4", 30) == ["coins.missing"]
    assert (one.lacking, one.needed) == (dec("0.6"), dec("0.4"))
    assert counted(one, "0.4", 40) == counted(one, None, 50) == counted(one, "0.5", 60) == []
    assert (one.lacking, one.needed) == (dec("0.5"), dec("0.5"))
    assert counted(one, "1", 70) == ["coins.back"]
    for at_s in (80, 90):
        assert counted(one, "7", at_s) == []  # they had coins before, or bought some
        assert (one.lacking, one.needed) == (dec(0), dec(1))


def test_less_than_any_order_could_sell_may_be_missing() -> None:
    """It is not told; what is sold has to be there all the same."""
    one, _ = spot_agreement()
    told = [counted(one, coins, at_s) for at_s, coins in ((10, "0.9999"), (20, "0.9999"), (30, "1"))]
    assert told == [[], [], []]
    told = [counted(one, coins, at_s) for at_s, coins in ((40, "0.999"), (50, "0.999"), (60, "1"))]
    assert told == [[], ["coins.missing"], ["coins.back"]], "the least that can be sold is told"


def test_coins_are_missing_only_where_no_execution_of_long_ago_explains_it() -> None:
    """The stop may have sold them while the market did not run here: nobody had asked since."""
    one, blotter = spot_agreement()
    week_ns = 7 * 86_400 * SECOND
    for at_ns in (START + week_ns, START + week_ns + 10 * SECOND):
        one.snapshot(listed(asked_ns=at_ns, coins="0", since_ns=at_ns - EXPLAIN_NS), 0, at_ns)
        assert (one.executions_since_ns, one.lacking) == (START - EXPLAIN_NS, dec(0))
    at_ns = START + week_ns + 20 * SECOND
    sale = fill("stop", 1, named=False, venue_order_id="x", side=Side.SELL, at_ns=START + 86_400 * SECOND)
    answer = listed(asked_ns=at_ns, coins="0", since_ns=START - EXPLAIN_NS)
    one.snapshot(msgspec.structs.replace(answer, executions=(sale,)), 0, at_ns)
    assert (one.lacking, blotter.position.net) == (dec(0), dec(0))
    assert counted(one, "0", 8 * 86_400) == []
    assert one.executions_since_ns is None


def test_a_sale_by_hand_that_is_heard_of_late_is_what_was_missing() -> None:
    """It is not taken from what is left once more. A restart knows what was missing, and tells nothing anew."""
    one, blotter = spot_agreement()
    assert [*counted(one, "0.4", 10), *counted(one, "0.4", 20)] == ["coins.missing"]
    again = Agreement(blotter, covering=one.covering)
    assert (again.lacking, counted(again, "0.4", 30)) == (dec("0.6"), [])
    sale = fill("hand", "0.6", named=False, venue_order_id="x", side=Side.SELL, at_ns=START + 8 * SECOND)
    for other in (fill("ours", "0.1", side=Side.SELL), fill("bought", "0.1", named=False, venue_order_id="y")):
        one.filled(other, START + 39 * SECOND)
        assert one.lacking == dec("0.6")
    for sold in ("0.2", "0.3"):
        one.filled(msgspec.structs.replace(sale, quantity=dec(sold)), START + 40 * SECOND)
    assert one.lacking == dec("0.1")
    blotter.fill(sale, START + 40 * SECOND)
    one.filled(sale, START + 40 * SECOND)
    assert (one.lacking, one.needed) == (dec(0), dec("0.4"))
    assert counted(one, "0.3", 44) == []
    assert Agreement(blotter).lacking == 0
