"""What is held against an entry: the day's losses and the fall of equity, as this life of the daemon knows them."""

from decimal import Decimal

import msgspec

from kangbot.model.events import CashFlowApplied, DrawdownReset, EquityMarked, Event
from kangbot.model.ids import ExecutionId
from kangbot.model.orders import CashFlow
from kangbot.risk.limits import Limits
from kangbot.sim.proof.losses import LossWatch
from tests.support.records import intended, round_trip, transferred

DAY_NS = 86_400_000_000_000
DAY = Limits(daily_loss=Decimal(50))
FALL = Limits(drawdown_percent=Decimal(10))


def flow(amount: str, at_ns: int) -> CashFlowApplied:
    """Return funding."""
    trip = round_trip()
    return CashFlowApplied(
        flow=CashFlow(
            execution_id=ExecutionId("f"),
            market=trip.trip.market,
            kind="funding",
            amount=Decimal(amount),
            currency="USDT",
            at_ns=at_ns,
        ),
        at_ns=at_ns,
    )


def equity(amount: str, currency: str = "USDT") -> EquityMarked:
    """Return a statement."""
    return EquityMarked(venue="bybit", currency=currency, equity=Decimal(amount), at_ns=NOON_NS)


class Story:
    """A watch with limits, and what it objected to."""

    def __init__(self, limits: Limits) -> None:
        self.said: list[str] = []
        self.watch = LossWatch(limits, self.said.append)
        self.watch.begins()

    def makes(self, *events: Event) -> None:
        """Have the daemon make them."""
        for event in events:
            self.watch.announced(event)

    def keeps(self, *events: Event) -> None:
        """Have the disk take them."""
        for event in events:
            self.watch.synced(event)


def later(event: EquityMarked) -> EquityMarked:
    """Return it with a time at which what was moved at noon is certainly in it."""
    return msgspec.structs.replace(event, at_ns=NOON_NS + 100_000_000_000)


ENTRY = intended()
NOON_NS = ENTRY.at_ns


def test_an_entry_after_the_limit_is_objected_to() -> None:
    """And none before."""
    story = Story(DAY)
    story.makes(flow("-49.9", NOON_NS), ENTRY)
    assert story.said == []
    story.makes(flow("-0.1", NOON_NS), ENTRY)
    assert len(story.said) == 1
    assert "the day has lost 50.0 of 50" in story.said[0]


def test_a_profit_that_is_not_on_disk_counts_in_this_life_only() -> None:
    """The next one does not know it."""
    story = Story(DAY)
    lost = flow("-60", NOON_NS)
    story.makes(lost, flow("20", NOON_NS), ENTRY)
    story.keeps(lost)
    assert story.said == []
    story.watch.begins()
    story.makes(ENTRY)
    assert len(story.said) == 1


def test_another_day_s_losses_are_no_matter() -> None:
    """Nor a closed trade's profit of that day."""
    story = Story(DAY)
    trip = round_trip()
    story.makes(flow("-60", NOON_NS - DAY_NS), msgspec.structs.replace(trip, at_ns=NOON_NS - DAY_NS), ENTRY)
    assert story.said == []


def test_an_entry_far_below_the_highest_equity_is_objected_to() -> None:
    """The highest of all, not the last; what other coins are worth is no equity."""
    story = Story(FALL)
    story.makes(ENTRY, equity("1000"), equity("2000"), equity("1", "BNB"), equity("1800.1"), ENTRY)
    assert story.said == []
    story.makes(equity("1800"), ENTRY)
    assert len(story.said) == 1
    assert "equity has fallen by 200, the limit is 10 % of 2000" in story.said[0]


def test_a_highest_equity_that_is_not_on_disk_counts_in_this_life_only() -> None:
    """The next one begins with what is there."""
    story = Story(FALL)
    low = equity("1800")
    story.makes(equity("2000"), low)
    story.keeps(low)
    story.watch.begins()
    story.makes(ENTRY)
    assert story.said == []


def test_what_was_moved_is_no_fall() -> None:
    """Once the daemon knows of it; what fell beside it still is."""
    story = Story(FALL)
    high = msgspec.structs.replace(equity("2000"), at_ns=NOON_NS - DAY_NS)
    taken = transferred("a", "-1000")
    story.makes(high, later(equity("950")), ENTRY)
    assert len(story.said) == 1
    story.makes(taken, later(equity("901")), ENTRY)
    assert len(story.said) == 1
    story.makes(later(equity("900")), ENTRY)
    assert len(story.said) == 2


def test_an_equity_that_may_have_a_transfer_or_not_is_held_against_nobody() -> None:
    """The next one is known to have it."""
    story = Story(FALL)
    high = msgspec.structs.replace(equity("2000"), at_ns=NOON_NS - DAY_NS)
    story.makes(high, transferred("a", "1000"), equity("2000"), ENTRY)
    assert story.said == []
    story.makes(later(equity("2000")), ENTRY)
    assert len(story.said) == 1


def accepted(equity: str, at_ns: int, currency: str = "USDT") -> DrawdownReset:
    """Return that the drawdown is counted from an equity that was stated at `at_ns`."""
    return DrawdownReset(
        currency=currency,
        highest=Decimal(2000),
        equity=Decimal(equity),
        equity_ns=at_ns,
        caller="ann",
        at_ns=at_ns + 1,
    )


def test_what_was_accepted_is_held_against_nobody() -> None:
    """What falls from there on is; where the disk did not take it, the next life counts as before."""
    story = Story(FALL)
    marks = equity("2000"), equity("1800")
    reset = accepted("1800", NOON_NS)
    story.makes(*marks, accepted("9", NOON_NS, "BNB"), ENTRY)
    assert len(story.said) == 1
    story.makes(reset, ENTRY, equity("1621"), ENTRY)
    assert len(story.said) == 1
    assert list(story.watch.marks) == [(NOON_NS, Decimal(1800)), (NOON_NS, Decimal(1621))]
    story.makes(equity("1620"), ENTRY)
    assert len(story.said) == 2
    story.keeps(*marks)
    story.watch.begins()
    story.makes(ENTRY)
    assert len(story.said) == 3
    story.keeps(reset)
    story.watch.begins()
    story.makes(ENTRY)
    assert len(story.said) == 3


def test_the_day_has_lost_what_it_had_before_a_drawdown_was_accepted() -> None:
    """Whoever accepts a fall does not accept the day's loss."""
    story = Story(FALL)
    story.makes(equity("2000"), equity("1800"), accepted("1800", NOON_NS))
    story.watch.judges(Decimal(200), NOON_NS)
    assert story.said == []


def test_a_fall_is_accepted_from_what_was_stated_last() -> None:
    """What was moved and told of since is in it, and the statement is that of before."""
    story = Story(FALL)
    stated_ns = NOON_NS - DAY_NS
    story.makes(msgspec.structs.replace(equity("1800"), at_ns=stated_ns), transferred("a", "-1000"))
    story.makes(accepted("800", stated_ns))
    assert story.said == []
    story.makes(accepted("799", stated_ns))
    assert "is counted anew from" in story.said[0]
    assert f"of {stated_ns}" in story.said[0]
    story.watch.begins()
    story.makes(accepted("800", stated_ns))
    assert "what was stated last is nothing" in story.said[1]


def test_what_rounding_loses_beside_a_transfer_is_no_other_statement() -> None:
    """A transfer is added to the equity and taken off again: of the twenty-eighth digit something may be lost."""
    story = Story(FALL)
    stated_ns = NOON_NS - DAY_NS
    stated = "99996.49121633499999999999997"
    story.makes(msgspec.structs.replace(equity(stated), at_ns=stated_ns), transferred("a", "1000000"))
    story.makes(accepted(str(Decimal(stated) + 1000000), stated_ns))
    assert story.said == []


def test_without_a_limit_nothing_is_objected_to() -> None:
    """Whatever is lost."""
    said: list[str] = []
    watch = LossWatch(Limits(), said.append)
    watch.announced(flow("-60", NOON_NS))
    watch.announced(equity("1000"))
    watch.announced(equity("1"))
    watch.announced(ENTRY)
    assert said == []


def judged(story: Story, day_loss: str) -> str:
    """Return what is held against a daemon that takes the day to have lost that much."""
    story.said.clear()
    story.watch.judges(Decimal(day_loss), NOON_NS)
    return "; ".join(story.said)


def at(event: EquityMarked, at_ns: int) -> EquityMarked:
    """Return it at that time."""
    return msgspec.structs.replace(event, at_ns=at_ns)


def test_what_the_daemon_takes_the_day_to_have_lost_is_what_it_lost() -> None:
    """By what was realised or by equity: neither less than the first, nor more than both."""
    story = Story(DAY)
    story.makes(flow("-60", NOON_NS - DAY_NS), flow("-20", NOON_NS))
    story.makes(at(equity("1200"), NOON_NS - DAY_NS), at(equity("1100"), NOON_NS - DAY_NS + 1))
    story.makes(at(equity("1070"), NOON_NS))
    assert "has realised a loss of 20" in judged(story, "19")
    assert judged(story, "20") == judged(story, "30") == ""
    assert "can have lost 30" in judged(story, "31")


def test_without_an_equity_or_with_a_transfer_only_what_was_realised_is_certain() -> None:
    """A first mark that is of today is the day's first; of what was moved nothing is said."""
    story = Story(DAY)
    story.makes(flow("20", NOON_NS))
    assert judged(story, "0") == judged(story, "500") == ""
    story.makes(equity("1000"), at(equity("990"), NOON_NS))
    assert "can have lost 10" in judged(story, "11")
    story.makes(transferred())
    assert judged(story, "500") == ""
