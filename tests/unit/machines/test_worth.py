"""Money and coins counted together, in whatever order the halves of a trade are heard."""

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kangbot.machines.worth import SHORTLY_NS, Stake, Stated, worth
from tests.support.trade_words import START, dec

SECOND = 1_000_000_000
STATED = Stated(money=dec(700), at_ns=START, told_ns=START)


def stake(**changes: object) -> Stake:
    """Return what a market holds whose books can be relied on."""
    fields = {"currency": "USDT", "value": dec(300), "traded_ns": 0, "compared_ns": START, "in_flight": False}
    return Stake(**{**fields, **changes})  # type: ignore[arg-type]  # the test names fields of Stake


def test_money_and_coins_are_counted_together() -> None:
    """Of every market; without one, money is all there is."""
    assert worth(STATED, [stake(), stake(value=dec(5))]) == 1005
    assert worth(STATED, []) == 700


@pytest.mark.parametrize(
    "doubtful",
    [
        stake(value=None),
        stake(in_flight=True),
        stake(compared_ns=START - 1),
        stake(traded_ns=START + 1),
        stake(traded_ns=START - SHORTLY_NS + 1),
    ],
    ids=["no price", "news are due", "not compared", "traded since", "traded shortly before"],
)
def test_books_of_another_moment_are_not_counted(doubtful: Stake) -> None:
    """One market's doubt is enough: the account is worth what it was."""
    assert worth(STATED, [stake(), doubtful]) is None
    assert worth(STATED, [stake(), stake(traded_ns=START - SHORTLY_NS)]) == 1300


class AnyOrder(RuleBasedStateMachine):
    """Coins are bought and sold at one price without a fee, so the account is always worth the same.

    The stream tells of a trade at any time or never, a balance may be without the newest trades, a market takes its
    answers late, and the account is counted at any moment.
    """

    price = Decimal(10)
    whole = Decimal(1000)

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = START
        self.trades: list[tuple[int, Decimal]] = []  # when, and how many coins: the venue's truth
        self.heard: set[int] = set()  # which of them the market knows
        self.stated: Stated | None = None
        self.answers: set[int] = set()  # the executions that a round found, on their way to the market
        self.compared_ns = 0
        self.counted: list[Decimal] = []

    @rule(coins=st.integers(-5, 5).filter(bool))
    def trade(self, coins: int) -> None:
        """An order is filled, or somebody trades by hand: nobody need have seen it coming."""
        self.trades.append((self.now_ns, Decimal(coins)))

    @rule(seconds=st.sampled_from([0, 1, 3, 60]))
    def later(self, seconds: int) -> None:
        """Time passes."""
        self.now_ns += seconds * SECOND

    @rule(which=st.integers(0, 9))
    def hear(self, which: int) -> None:
        """The stream tells of a trade."""
        if which < len(self.trades):
            self.heard.add(which)

    @rule(missing=st.integers(0, 3))
    def ask(self, missing: int) -> None:
        """A round: the balance first, without so many of the trades that are young; then every execution there is."""
        self.now_ns += 1  # a round takes time
        known = [
            coins
            for number, (at_ns, coins) in enumerate(self.trades)
            if number < len(self.trades) - missing or at_ns <= self.now_ns - SHORTLY_NS
        ]
        money = self.whole - self.price * sum(known, Decimal(0))
        self.stated = Stated(money=money, at_ns=self.now_ns, told_ns=self.now_ns)
        self.answers = set(range(len(self.trades)))

    @rule()
    def compare(self) -> None:
        """The market takes what the round found."""
        self.heard |= self.answers
        self.compared_ns = self.now_ns if self.stated is not None else 0

    @rule()
    def count(self) -> None:
        """The account is counted."""
        if self.stated is None:
            return
        mine = [self.trades[number] for number in self.heard]
        held = Stake(
            currency="USDT",
            value=self.price * sum((coins for _, coins in mine), Decimal(0)),
            traded_ns=max((at_ns for at_ns, _ in mine), default=0),
            compared_ns=self.compared_ns,
            in_flight=False,
        )
        if (whole := worth(self.stated, [held])) is not None:
            self.counted.append(whole)
            self.stated = None

    @invariant()
    def nothing_is_gained_or_lost(self) -> None:
        """By the order in which things are heard."""
        assert all(whole == self.whole for whole in self.counted)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
