"""What is held against an entry: the newest decision of its strategy."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.market.spec import MarketSpec
from kangbot.model.data import Quote
from kangbot.model.ids import ClientId, MarketId, Symbol
from kangbot.model.money import ZERO
from kangbot.model.orders import Intent, OrderKind, Purpose, Side
from kangbot.model.target import Target
from kangbot.sim.proof.targets import FOLLOWS_NS, TargetWatch
from kangbot.strategy.base import Parameters, Strategy, View

BTC = MarketId("bybit:BTC-USDT:USDT")
LONG = Target(exposure=Decimal("0.5"), stop=Decimal("95.3"), reason="up")
ENTRY = Intent(
    client_id=ClientId("kb-1"),
    number=1,
    market=BTC,
    purpose=Purpose.ENTRY,
    side=Side.BUY,
    kind=OrderKind.MARKET,
    quantity=Decimal(5),
    stop=Decimal("95.5"),
    reference=Decimal(100),
    reason="up",
    at_ns=1,
    deadline_ns=2,
)


class Says(Strategy[Parameters, None]):  # type: ignore[type-var]  # it remembers nothing
    """Answers what it is told to."""

    name = "says"
    parameters_type = Parameters
    answer: Target | None = None

    @property
    def lookback(self) -> int:
        """None."""
        return 1

    def indicators(self) -> None:
        """None."""

    def decide(self, view: View[None]) -> Target | None:  # type: ignore[type-var]
        """Say it."""
        del view
        return self.answer


class Story:
    """A watch over one market of 1000, and what it objected to."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.still = False
        self.now_ns = 0
        self.watch = TargetWatch(self.said.append, lambda market: self.still and market == BTC, lambda: self.now_ns)
        self.strategy = Says(Parameters())
        self.begins()

    def begins(self) -> None:
        """Begin a life."""
        self.spec = spec = MarketSpec(
            market=BTC,
            symbol=Symbol("BTC/USDT:USDT"),
            strategy=self.strategy,
            timeframe="1m",
            timeframe_s=60,
            size=Decimal(1000),
            leverage=1,
        )
        self.heard = self.watch.heard(spec)
        self.asked = self.heard.strategy

    def decides(self, target: Target | None) -> None:
        """Have the daemon ask the strategy."""
        self.strategy.answer = target
        assert self.asked.decide(None) is target  # type: ignore[arg-type]  # it does not look

    def intends(self, **changes: object) -> int:
        """Return how often it has objected, once this is intended."""
        intent = msgspec.structs.replace(ENTRY, **changes)
        self.watch.intended(intent)
        return len(self.said)

    def wants(self, stop: str | None, after_ns: int = FOLLOWS_NS) -> None:
        """Have the strategy decide on that stop for a long position, so long after now."""
        self.now_ns += after_ns
        self.decides(msgspec.structs.replace(LONG, stop=None if stop is None else Decimal(stop)))

    def astray(self, *rests: str, direction: int = 1, price: int = 100) -> str:
        """Return what it objects to where stops rest there; the tick is a hundredth."""
        quote = Quote(
            market=BTC,
            bid=Decimal(price),
            bid_quantity=Decimal(1),
            ask=Decimal(price),
            ask_quantity=Decimal(1),
            at_ns=0,
        )
        return self.watch.astray(self.spec, direction, quote, Decimal("0.01"), map(Decimal, rests))


def test_an_entry_of_what_was_decided_last_passes() -> None:
    """To say nothing takes nothing back; a stop may be rounded towards the price, and less than the share is fine."""
    story = Story()
    story.decides(LONG)
    story.decides(None)
    assert story.intends() == 0
    assert story.intends(quantity=Decimal(1), stop=Decimal("95.3")) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"side": Side.SELL},
        {"reason": "up, a bar ago"},
        {"stop": Decimal("95.2")},
        {"stop": None},
        {"quantity": Decimal("5.1")},
    ],
)
def test_an_entry_of_something_else_does_not(changes: dict[str, object]) -> None:
    """Each part of it is the target's."""
    story = Story()
    story.decides(LONG)
    assert story.intends(**changes) == 1


def test_an_entry_without_a_decision_does_not() -> None:
    """Nor one of an earlier life's, nor one where flat was decided since; an exit needs none."""
    story = Story()
    assert story.intends() == 1
    story.decides(LONG)
    story.begins()
    assert story.intends() == 2
    story.decides(Target(exposure=ZERO, reason="up"))
    assert story.intends() == 3
    assert story.intends(purpose=Purpose.EXIT) == 3


def test_another_size_holds_from_the_next_entry_on() -> None:
    """Not for what is held or under way; once all is still, the old one is over."""
    story = Story()
    story.decides(LONG)
    story.watch.edited(msgspec.structs.replace(story.heard, size=Decimal(500)))
    assert story.intends() == 0
    story.still = True
    assert story.intends(quantity=Decimal("2.5")) == 0
    assert story.intends() == 1
    story.still = False
    assert story.intends() == 2


def test_an_edit_tells_of_a_new_strategy_and_leaves_one_that_stays() -> None:
    """What it answers is what entries are held against from then on."""
    story = Story()
    assert story.watch.edited(story.heard) is story.heard
    other = Says(Parameters())
    other.answer = LONG
    story.watch.edited(msgspec.structs.replace(story.heard, strategy=other)).strategy.decide(None)  # type: ignore[arg-type]
    assert story.intends() == 0


def test_a_stop_rests_where_it_was_decided_to_be() -> None:
    """On the tick, within the band in which none is moved; each of them, where coins have several."""
    story = Story()
    assert story.astray("1") == ""
    story.wants("95.3")
    assert story.astray("95.3") == story.astray("95.35") == story.astray("95.25", "95.3") == story.astray() == ""
    assert story.astray("95.37") == story.astray("95.3", "95.2") == "its stop is not where it was decided to be"


def test_a_stop_has_its_time_to_follow() -> None:
    """It may rest where any decision of that time wanted it, and where the one before wanted it."""
    story = Story()
    story.wants("94")
    story.wants("95")
    story.wants("96", after_ns=FOLLOWS_NS - 1)
    assert story.astray("94") == story.astray("95") == story.astray("96") == ""
    story.now_ns += 1
    assert story.astray("94")
    assert story.astray("95") == ""
    story.now_ns += FOLLOWS_NS
    assert story.astray("95")
    assert story.astray("96") == ""


def test_nothing_is_asked_of_a_stop_that_nobody_decided_on() -> None:
    """Nor of a position that is to be left, nor where the venue would take none at that price."""
    story = Story()
    story.wants("95")
    assert story.astray("90", direction=-1) == ""
    assert story.astray("90", price=95) == ""
    assert story.astray("90", price=96)
    story.wants(None)
    assert story.astray("90") == ""
    story.decides(Target(exposure=ZERO, stop=Decimal(95), reason="out"))
    assert story.astray("90") == ""
    story.wants("95")
    story.begins()
    assert story.astray("90") == ""
