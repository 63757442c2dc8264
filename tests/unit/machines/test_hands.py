"""What is known over restarts of those who trade by hand."""

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.hands import Hands, of_hands
from kangbot.machines.memory import MarketMemory
from kangbot.machines.reconcile import Foreign
from kangbot.model.events import Event, Noted, Record, Severity
from kangbot.model.ids import VenueOrderId
from kangbot.model.orders import OrderStatus
from kangbot.model.position import Position
from tests.support.folded import replayed
from tests.support.trade_words import MARKET, START, TAG, fill, report


def note(kind: str, message: str = "", **fields: str) -> Noted:
    """Return a note of that kind."""
    return Noted(kind=kind, severity=Severity.WARNING, market=MARKET, message=message, fields=fields, at_ns=START)


def after(*notes: Noted) -> Hands:
    """Return what these notes come to."""
    hands = Hands()
    for one in notes:
        hands = hands.noted(one)
    return hands


def test_a_market_is_a_persons_until_it_is_released() -> None:
    """And what was there at the release is no reason to take it again."""
    taken = after(note("order.foreign", venue_order_id="v1"), note("market.quarantine", "buy 1"))
    assert taken == Hands(strangers={VenueOrderId("v1"): False}, quarantine="buy 1")
    released = taken.noted(note("market.released"))
    assert released == Hands(strangers={VenueOrderId("v1"): True})
    again = after(note("market.quarantine", "buy 1"), note("order.orphan", venue_order_id="v2"))
    assert again == Hands(strangers={VenueOrderId("v2"): False}, quarantine="buy 1")


def test_a_note_of_something_else_changes_nothing() -> None:
    """Nor is it one that a memory of hands has to hear."""
    assert after(note("position.by_hand", execution_id="e1")) == Hands()
    assert [of_hands(note(kind)) for kind in ("position.by_hand", "market.quarantine")] == [False, True]


def test_as_many_strangers_are_kept_as_a_venue_lets_rest() -> None:
    """So that none of them is told again with each look; the oldest is forgotten first."""
    hands = after(*(note("order.foreign", venue_order_id=str(number)) for number in range(600)))
    assert list(hands.strangers) == [str(number) for number in range(88, 600)]


class AnyHands(RuleBasedStateMachine):
    """Somebody trades and rests orders, the daemon looks, dies and starts again, a person releases: in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.journal: list[Event] = []
        self.resting: dict[str, bool] = {}  # whether a person has seen it
        self.trades = 0
        self.taken = False
        self.start()

    def start(self) -> None:
        """Begin with what the journal says."""
        records = [Record(journal=TAG, sequence=number, event=event) for number, event in enumerate(self.journal, 1)]
        memory: MarketMemory = replayed(records).market(MARKET)
        self.blotter = Blotter(
            memory, journal=TAG, strategy="test", born_ns=START, settle_ns=START, now_ns=START, quarantine_hands=True
        )
        self.agreement = Agreement(self.blotter)

    @rule()
    def trade(self) -> None:
        """Somebody trades at the market, and it is heard."""
        self.trades += 1
        self.taken = True
        by_hand = fill(f"e{self.trades}", 1, named=False, venue_order_id="hand")
        for _ in range(2):  # by the stream and by a question
            self.journal += self.blotter.fill(by_hand, START)

    @rule()
    def rest(self) -> None:
        """Somebody leaves an order resting, of which nobody has heard yet."""
        self.resting[f"v{len(self.resting)}"] = False

    @rule()
    def look(self) -> None:
        """The venue is asked for what rests."""
        for order in self.resting:
            found = Foreign(report(OrderStatus.ACKED, named=False, venue_order_id=order))
            self.journal += self.agreement.told(found, START)
        self.taken = self.taken or not all(self.resting.values())

    @rule()
    def restart(self) -> None:
        """The process dies."""
        self.start()

    @rule()
    def release(self) -> None:
        """A person looks at what the daemon has told."""
        if self.blotter.hands.quarantine:
            self.journal.append(self.blotter.note("market.released", Severity.WARNING, "", START))
            self.resting = {order: order in self.blotter.hands.strangers for order in self.resting}
            self.taken = False

    @rule(order=st.integers(0, 3))
    def withdraw(self, order: int) -> None:
        """Somebody cancels an order; it does not give the market back."""
        self.agreement.stray(report(OrderStatus.CANCELED, named=False, venue_order_id=f"v{order}"))

    @invariant()
    def it_is_a_persons_exactly_while_it_is(self) -> None:
        """From the first thing by hand until the release, whoever died meanwhile."""
        assert bool(self.blotter.hands.quarantine) == self.taken

    @invariant()
    def each_thing_is_told_once(self) -> None:
        """Over all lives."""
        told = [
            next(iter(event.fields.values())) for event in self.journal if isinstance(event, Noted) and event.fields
        ]
        assert len(told) == len(set(told))

    @invariant()
    def memory_and_journal_agree(self) -> None:
        """A start would come to the very same."""
        records = [Record(journal=TAG, sequence=number, event=event) for number, event in enumerate(self.journal, 1)]
        assert replayed(records).market(MARKET).hands == self.blotter.hands


AnyHands.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyHands = AnyHands.TestCase


def test_without_the_policy_the_market_stays_ours() -> None:
    """It is told all the same."""
    memory = MarketMemory(market=MARKET, position=Position(market=MARKET))
    one = Blotter(memory, journal=TAG, strategy="test", born_ns=START, settle_ns=START, now_ns=START)
    kinds = [event.kind for event in one.fill(fill("e1", 1, named=False), START) if isinstance(event, Noted)]
    assert (kinds, one.hands, "buy 1" in one.touched) == (["position.by_hand"], Hands(), True)


def test_coins_that_are_missing_are_remembered_until_they_are_back() -> None:
    """Whatever else is learnt of hands meanwhile."""
    missing = after(note("coins.missing", quantity="0.6"), note("order.foreign", venue_order_id="v1"))
    for kind in ("market.quarantine", "market.released"):
        missing = missing.noted(note(kind, "buy 1"))
    assert missing == Hands(strangers={VenueOrderId("v1"): True}, lacking=Decimal("0.6"))
    assert missing.noted(note("coins.back")).lacking == 0
    assert all(of_hands(note(kind)) for kind in ("coins.missing", "coins.back"))
