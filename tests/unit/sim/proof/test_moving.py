"""What is held against the daemon where people move money: what it did not hear of, and what it takes for lost."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.orders import Transfer
from kangbot.sim.proof.moving import MoveWatch, highest
from tests.support.records import NOON_NS, transferred

D = Decimal
SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
TAKEN = transferred("a", "-250")


class Story:
    """A watch over what was moved, and what it objected to."""

    def __init__(self, *moved: Transfer) -> None:
        self.said: list[str] = []
        self.watch = MoveWatch(moved, self.said.append)


def test_each_transfer_is_in_the_journal_once() -> None:
    """A second time is a transfer that nobody made."""
    story = Story(TAKEN.transfer)
    story.watch.synced(TAKEN)
    assert story.said == []
    story.watch.synced(TAKEN)
    assert story.said == ["transfer a is journalled twice"]


@pytest.mark.parametrize("wrong", [{"amount": D(-251)}, {"currency": "USDC"}])
def test_a_transfer_is_journalled_as_it_was(wrong: dict[str, object]) -> None:
    """Amount and currency; what was never moved is not there at all."""
    story = Story(TAKEN.transfer)
    story.watch.synced(msgspec.structs.replace(TAKEN, transfer=msgspec.structs.replace(TAKEN.transfer, **wrong)))
    assert len(story.said) == 1
    assert "nobody moved it" in story.said[0]


def test_what_was_moved_must_be_known_in_time() -> None:
    """After a minute and a half of peace; what is younger may be on its way."""
    story = Story(TAKEN.transfer)
    story.watch.overdue(NOON_NS + 80 * SECOND_NS)
    assert story.said == []
    story.watch.overdue(NOON_NS + 81 * SECOND_NS)
    assert story.said == ["the journal does not know of -250 that was moved"]


@pytest.mark.parametrize(("drawdown", "objections"), [("0", 1), ("4", 0), ("13", 1), ("25", 1)])
def test_the_fall_is_that_of_trading(drawdown: str, objections: int) -> None:
    """From 1000 to 970, then 250 were taken, then to 720: 750 is the highest, and that is 4 % below."""
    story = Story(TAKEN.transfer)
    story.watch.synced(TAKEN)
    marks = [(NOON_NS - HOUR_NS, D(1000)), (NOON_NS - HOUR_NS // 2, D(970)), (NOON_NS + HOUR_NS, D(720))]
    story.watch.judges(D(drawdown), marks)
    assert len(story.said) == objections


def test_nothing_is_judged_before_all_is_known() -> None:
    """Neither without a mark nor while the daemon has not heard of a transfer."""
    story = Story(TAKEN.transfer)
    story.watch.judges(D(50), [(NOON_NS, D(1000))])
    story.watch.synced(TAKEN)
    story.watch.judges(D(50), [])
    assert story.said == []


def test_a_mark_beside_a_transfer_may_be_left_out() -> None:
    """By who counts what is sure: the daemon knows their times by two clocks, and keeps one mark of half a minute."""
    moves = [(NOON_NS, D(-250))]
    marks = [(NOON_NS - HOUR_NS, D(900)), (NOON_NS - 20 * SECOND_NS, D(1000)), (NOON_NS + HOUR_NS, D(740))]
    assert highest(marks, moves) == 750
    assert highest(marks, moves, sure=True) == 740
    assert highest([], moves) is None


TIMED = st.lists(st.tuples(st.integers(0, 12).map(lambda step: step * 15 * SECOND_NS), st.integers(-9, 9).map(D)))


@given(marks=TIMED, moves=TIMED)
def test_each_mark_counts_with_the_transfers_after_it(
    marks: list[tuple[int, Decimal]], moves: list[tuple[int, Decimal]]
) -> None:
    """In whatever order both were told of; surely only those of which none is within its 75 and 45 seconds."""

    def best(those: list[tuple[int, Decimal]]) -> Decimal | None:
        return max((worth + sum(moved for at, moved in moves if at > of) for of, worth in those), default=None)

    def beside(of: int) -> bool:
        return any(of - 45 * SECOND_NS < at < of + 75 * SECOND_NS for at, _ in moves)

    assert highest(marks, moves) == best(marks)
    assert highest(marks, moves, sure=True) == best([mark for mark in marks if not beside(mark[0])])
