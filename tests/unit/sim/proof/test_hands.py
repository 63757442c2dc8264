"""What is held against the daemon where somebody trades by hand."""

from collections import Counter
from decimal import Decimal

import msgspec

from kangbot.model.events import Noted, Severity
from kangbot.model.ids import ClientId, ExecutionId, MarketId, VenueOrderId
from kangbot.model.orders import Fill, FillCause, Intent, OrderKind, OrderStatus, Purpose, Side
from kangbot.sim.exchange.orders import Cause, OrderRequest, SimOrder
from kangbot.sim.proof.hands import HandWatch
from tests.support import trade_words

D = Decimal
BTC = MarketId("bybit:BTC/USDT:USDT")
COINS = MarketId("bybit:BTC-USDT")


def order(name: str, client_id: str = "") -> SimOrder:
    """Return an order that rests since instant 5."""
    request = OrderRequest(
        market=BTC, side=Side.BUY, kind=OrderKind.LIMIT, quantity=D(1), price=D(9), client_id=client_id
    )
    return SimOrder(order_id=VenueOrderId(name), request=request, quantity=D(1), price=D(9), created_ns=5, updated_ns=5)


def fill(name: str, side: Side, quantity: str) -> Fill:
    """Return an execution at instant 5."""
    return Fill(
        market=BTC,
        execution_id=ExecutionId(name),
        client_id=None,
        venue_order_id=VenueOrderId("o"),
        side=side,
        quantity=D(quantity),
        price=D(9),
        fee=D(0),
        fee_currency="USDT",
        cause=FillCause.TRADE,
        at_ns=5,
    )


def leaving(purpose: Purpose = Purpose.ENTRY) -> Intent:
    """Return an order of the daemon's."""
    return msgspec.structs.replace(trade_words.intent(purpose=purpose), market=BTC)


def note(kind: str, **fields: str) -> Noted:
    """Return a note of the daemon's."""
    return Noted(kind=kind, severity=Severity.WARNING, market=BTC, message="", fields=fields, at_ns=6)


class Story:
    """A watch, and what it objected to."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.deeds: Counter[str] = Counter()
        self.watch = HandWatch(self.said.append, self.deeds)


def test_what_rests_or_traded_by_hand_must_have_been_told() -> None:
    """An order that is told, or over by itself, is not overdue; an order of ours is nobody's hand."""
    story = Story()
    for name in ("told", "gone", "missed"):
        story.watch.order(order(name))
    story.watch.order(order("ours", "kb-1"))
    story.watch.executed(fill("e", Side.BUY, "1"), order("o"))
    assert story.watch.noted(note("order.foreign", venue_order_id="told"))
    story.watch.order(msgspec.structs.replace(order("gone"), status=OrderStatus.FILLED))
    story.watch.overdue(5, {BTC})
    assert story.said == []
    story.watch.overdue(6, {MarketId("bybit:OTHER")})
    assert story.said == []  # nobody looks after it
    story.watch.overdue(6, {BTC})
    assert story.said == ["nobody was told within a minute of what was done by hand: missed, e"]
    assert story.deeds == {"hand_order": 3, "hand_trade": 1, "hand_told": 1}


def test_a_note_needs_a_hand() -> None:
    """Who reports what nobody did is wrong."""
    assert not Story().watch.noted(note("position.by_hand", execution_id="none"))


def test_only_its_owner_ends_an_order_by_hand() -> None:
    """One that the venue itself ends is well."""
    story = Story()
    ended = {"status": OrderStatus.CANCELED, "cause": Cause.USER}
    story.watch.order(order("taken"))
    story.watch.order(msgspec.structs.replace(order("venue"), status=OrderStatus.CANCELED, cause=Cause.BALANCE))
    assert story.said == []
    story.watch.order(msgspec.structs.replace(order("taken"), **ended))
    story.watch.withdraws(VenueOrderId("his"))
    story.watch.order(msgspec.structs.replace(order("his"), **ended))
    assert story.said == ["order taken, which is not ours, was cancelled, and not by its owner"]


def test_the_share_by_hand_begins_anew_when_the_position_does() -> None:
    """The daemon answers for what it traded itself, and for no more than there is."""
    story = Story()
    ours = order("ours", str(ClientId("kb-1")))
    story.watch.executed(fill("1", Side.BUY, "2"), ours)
    story.watch.executed(fill("2", Side.BUY, "3"), order("hand"))
    assert story.watch.ours(BTC) == 2
    story.watch.executed(fill("3", Side.SELL, "4"), order("hand"))
    assert (story.watch.net(BTC), story.watch.ours(BTC)) == (D(1), D(1))
    story.watch.executed(fill("4", Side.SELL, "1"), order("hand"))
    story.watch.executed(fill("5", Side.SELL, "1"), ours)
    assert (story.watch.net(BTC), story.watch.ours(BTC)) == (D(-1), D(-1))


def test_what_a_hand_closed_of_ours_is_not_ours_again_once_we_have_entered_anew() -> None:
    """What it sells then is its own; before, it only takes back what it did."""
    for entered, answered in (("0", "-9"), ("5", "-9"), ("8", "-12")):
        story = Story()
        ours = order("ours", str(ClientId("kb-1")))
        story.watch.executed(fill("1", Side.SELL, "9"), ours)
        story.watch.executed(fill("2", Side.BUY, "5"), order("hand"))
        if entered != "0":
            story.watch.executed(fill("3", Side.SELL, entered), ours)
        story.watch.executed(fill("4", Side.SELL, "5"), order("hand"))
        assert story.watch.ours(BTC) == D(answered)


def test_coins_that_are_sold_by_hand_are_theirs_first() -> None:
    """Then ours, then those that somebody had before: they make no short. A fee in coins was never held."""
    story = Story()

    def swaps(name: str, side: Side, quantity: str, by: SimOrder, fee: str = "0") -> None:
        one = fill(name, side, quantity)
        story.watch.executed(msgspec.structs.replace(one, market=COINS, fee=D(fee), fee_currency="BTC"), by)

    ours = order("ours", str(ClientId("kb-1")))
    swaps("1", Side.BUY, "2", ours, "0.002")
    swaps("2", Side.BUY, "3", order("hand"), "0.003")
    assert (story.watch.net(COINS), story.watch.ours(COINS)) == (D("4.995"), D("1.998"))
    swaps("3", Side.SELL, "4", order("hand"))
    assert story.watch.ours(COINS) == D("0.995")
    swaps("4", Side.SELL, "9", order("hand"))
    assert (story.watch.net(COINS), story.watch.ours(COINS)) == (D(0), D(0))
    assert (story.deeds["hand_sold_ours"], story.deeds["hand_sold_theirs"]) == (2, 1)


def test_coins_that_a_hand_sold_while_our_sale_was_on_its_way_make_no_short() -> None:
    """Of what our own fills never bought something is missing all the same."""
    story = Story()

    def swaps(name: str, side: Side, quantity: str, by: SimOrder) -> None:
        story.watch.executed(msgspec.structs.replace(fill(name, side, quantity), market=COINS), by)

    ours = order("ours", str(ClientId("kb-1")))
    swaps("1", Side.BUY, "6", ours)
    swaps("2", Side.SELL, "2", order("hand"))
    swaps("3", Side.SELL, "6", ours)
    assert story.watch.net(COINS) == D(0)
    swaps("4", Side.SELL, "6", ours)
    assert story.watch.net(COINS) == D(-6)


def test_it_is_kept_when_somebody_traded_last() -> None:
    """Whoever flattens cannot have closed what was bought this very moment; our own trades count for nothing."""
    watch = Story().watch
    watch.executed(fill("1", Side.BUY, "2"), order("ours", str(ClientId("kb-1"))))
    assert watch.traded_ns == {}
    watch.executed(fill("2", Side.BUY, "3"), order("hand"))
    assert watch.traded_ns == {BTC: 5}


def test_what_is_done_by_hand_is_told_once() -> None:
    """Whoever starts anew knows of it."""
    story = Story()
    story.watch.order(order("told"))
    assert [story.watch.noted(note("order.foreign", venue_order_id="told")) for _ in range(2)] == [True, False]


def test_a_market_that_is_taken_is_not_entered_and_stays_taken() -> None:
    """In every life, until a person releases it; a second copy of what has left before is no entry."""
    story = Story()
    story.watch.order(order("his"))
    assert story.watch.noted(note("market.quarantine"))
    assert not story.watch.noted(note("market.quarantine")), "it is taken already"
    story.watch.begins({BTC: "his"})
    story.watch.sends(leaving(), again=True)
    story.watch.sends(leaving(Purpose.EXIT), again=False)
    assert story.said == []
    story.watch.sends(leaving(), again=False)
    story.watch.begins({BTC: ""})
    assert [what.partition(" ")[0] for what in story.said] == ["entry", "a"]
    assert story.deeds["hand_quarantine_kept"] == 2


def test_a_release_ends_it_however_slow_the_disk_is() -> None:
    """A note from before the release may reach the disk after it; one from after it takes the market again."""
    story = Story()
    story.watch.order(order("his"))
    story.watch.releases(BTC, 6)
    assert story.watch.noted(note("market.quarantine"))
    story.watch.sends(leaving(), again=False)
    story.watch.begins({BTC: ""})
    assert story.said == []
    story.watch.noted(msgspec.structs.replace(note("market.quarantine"), at_ns=7))
    story.watch.begins({BTC: ""})
    assert len(story.said) == 1


def test_nobody_takes_a_market_that_no_hand_was_in() -> None:
    """Such a note is wrong."""
    assert not Story().watch.noted(note("market.quarantine"))


def test_a_market_that_nobody_looks_after_is_held_against_once_it_is_looked_after_again() -> None:
    """It may have left the configuration, and come back: what a person has taken is theirs all the same."""
    story = Story()
    story.watch.order(order("theirs"))
    assert story.watch.noted(note("market.quarantine"))
    story.watch.begins({})
    assert story.said == []
    story.watch.begins({BTC: ""})
    assert len(story.said) == 1
