"""What is moved into the account and out of it: asked for every minute, journalled once, and nothing waits for it."""

import asyncio

from kangbot.execution.budget import Budget
from kangbot.execution.transfers import TransferWatch
from kangbot.journal.announce import AnnouncedJournal
from kangbot.machines.limiter import Window
from kangbot.machines.transfers import OVERLAP_NS, Transfers
from kangbot.model.events import EquityMarked, Noted, Severity, Transferred
from kangbot.model.ids import TransferId
from kangbot.model.orders import Transfer, Unclear
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS
from kangbot.sim.world.loop import run
from tests.support.order_story import Story
from tests.support.trade_words import dec


class Rig:
    """A watch over a venue whose clock is ahead by `ahead_ns`; `told` counts how often the equity was asked for."""

    def __init__(self, ahead_ns: int = 0) -> None:
        self._ahead_ns = ahead_ns
        self.story = Story()
        self.venue = self.story.venue
        self.known = Transfers()
        self.journal = AnnouncedJournal(self.story.disk)
        self.journal.listen(self.known.observe)
        self.told = 0
        self.budget = Budget(
            clock=self.story.world.clock, venue="bybit", windows=(Window(most=100, span_ns=SECOND_NS),)
        )
        self.watch = TransferWatch(
            world=self.story.world,
            journal=self.journal,
            venue=self.venue,
            budget=self.budget,
            known=self.known,
            offset_ns=lambda: ahead_ns,
            told=self._told,
        )

    def _told(self) -> None:
        self.told += 1

    @property
    def now_ns(self) -> int:
        return self.story.world.clock.now_ns()

    def mark(self) -> None:
        """Have the equity known, from which on transfers matter."""
        self.journal.append(
            EquityMarked(
                venue="bybit",
                currency="USDT",
                equity=dec(1000),
                at_ns=self.now_ns,
                venue_ns=self.now_ns + self._ahead_ns,
            )
        )

    def move(self, amount: str, *, at_ns: int | None = None) -> Transfer:
        """Have somebody move money; by the venue's clock."""
        moved = Transfer(
            transfer_id=TransferId(f"transfer-{len(self.venue.moved)}"),
            amount=dec(amount),
            currency="USDT",
            at_ns=self.now_ns if at_ns is None else at_ns,
        )
        self.venue.moved.append(moved)
        return moved

    @property
    def transferred(self) -> list[Transferred]:
        """What is in the journal."""
        return [event for event in self.story.disk.events if isinstance(event, Transferred)]

    @property
    def notes(self) -> list[Noted]:
        """What people are told."""
        return [event for event in self.story.disk.events if isinstance(event, Noted)]


def _fell(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


def test_each_transfer_is_journalled_once_by_both_clocks() -> None:
    """The venue tells of it again and again; the equity is asked for each time that something is new."""

    async def main() -> None:
        rig = Rig(ahead_ns=3 * SECOND_NS)
        rig.mark()
        await asyncio.sleep(10)
        moved = rig.move("-250.5", at_ns=rig.now_ns + 3 * SECOND_NS)
        for _ in range(3):
            await rig.watch.look()
            await asyncio.sleep(10)
        (event,) = rig.transferred
        assert (event.transfer, event.venue, event.moved_ns) == (moved, "bybit", moved.at_ns - 3 * SECOND_NS)
        assert rig.told == 1
        rig.move("4")
        await rig.watch.look()
        await asyncio.sleep(1)
        assert [event.transfer.amount for event in rig.transferred] == [dec("-250.5"), 4]
        assert rig.told == 2

    run(main())


def test_it_is_asked_for_from_before_it_answered_last() -> None:
    """By the venue's clock; at first from when the equity was known, for what was moved before is in it.

    A venue may tell of something late: of ten answers one is of the hour before, the others are of ten minutes.
    """

    async def main() -> None:
        rig = Rig(ahead_ns=7)
        began_ns = rig.now_ns
        rig.mark()
        asked_ns = []
        for _ in range(12):
            asked_ns.append(rig.now_ns)
            await rig.watch.look()
            await asyncio.sleep(7200)
        near, far = [at_ns - OVERLAP_NS // 6 + 7 for at_ns in asked_ns], asked_ns[9] - OVERLAP_NS + 7
        assert (
            rig.venue.transfers_since
            == [
                began_ns + 7,
                began_ns + 7,  # it had answered by then for less than ten minutes
                *near[1:9],
                far,
                near[10],
            ]
        )

    run(main())


def test_what_is_not_certain_is_told_of_once_for_each_kind_and_is_no_transfer() -> None:
    """Whoever reads it knows that it counts as a gain or a loss; nobody is told each minute."""

    async def main() -> None:
        rig = Rig()
        rig.mark()
        for kind, amount in (("AUTO_DEDUCTION", "-5"), ("AUTO_DEDUCTION", "-6"), ("NEWS", "7")):
            rig.venue.unclear.append(Unclear(kind=kind, amount=dec(amount), currency="USDT", at_ns=rig.now_ns))
        rig.move("4")
        for _ in range(3):
            await rig.watch.look()
            await asyncio.sleep(60)
        assert [event.transfer.amount for event in rig.transferred] == [4]
        assert [note.kind for note in rig.notes] == ["transfers.unclear", "transfers.unclear"]
        assert rig.notes[0].severity is Severity.WARNING
        assert "-5 USDT as AUTO_DEDUCTION, and it is not certain whether that was traded" in rig.notes[0].message
        assert "7 USDT as NEWS" in rig.notes[1].message

    run(main())


def test_it_is_asked_for_every_minute_and_at_once_in_a_hurry() -> None:
    """A withdrawal looks like a loss until it is told of."""

    async def main() -> None:
        rig = Rig()
        rig.mark()
        tasks = Tasks("test", _fell)
        tasks.spawn("transfers", rig.watch.run())
        await asyncio.sleep(125)
        assert len(rig.venue.transfers_since) == 3
        rig.watch.hurry()
        await asyncio.sleep(1)
        assert len(rig.venue.transfers_since) == 4
        await tasks.aclose()

    run(main())


def test_a_venue_that_does_not_tell_is_told_of_once_and_asked_again() -> None:
    """Trading goes on by what is known, and nothing is lost: what was moved meanwhile is heard of afterwards."""

    async def main() -> None:
        rig = Rig()
        rig.mark()
        rig.venue.unreachable = True
        tasks = Tasks("test", _fell)
        tasks.spawn("transfers", rig.watch.run())
        await asyncio.sleep(60)
        rig.move("-5")
        await asyncio.sleep(3600)
        assert rig.watch.failures == 61
        assert [note.kind for note in rig.notes] == ["transfers.unread"]
        assert "no route to host" in rig.notes[0].message
        rig.venue.unreachable = False
        await asyncio.sleep(60)
        assert [note.kind for note in rig.notes] == ["transfers.unread", "transfers.read"]
        assert [event.transfer.amount for event in rig.transferred] == [-5]
        assert rig.watch.failures == 0
        await tasks.aclose()

    run(main())


def test_a_venue_that_asks_to_be_left_alone_is() -> None:
    """By every request of the account."""

    async def main() -> None:
        rig = Rig()
        rig.venue.limits_ns = 90 * SECOND_NS
        await rig.watch.look()
        assert rig.watch.failures == 1
        assert rig.budget.paused_until_ns == rig.now_ns + 90 * SECOND_NS

    run(main())


def test_an_answer_that_does_not_come_is_given_up() -> None:
    """Within a quarter of a minute."""

    async def main() -> None:
        rig = Rig()
        rig.venue.questions_hang = True
        began_ns = rig.now_ns
        await rig.watch.look()
        assert rig.watch.failures == 1
        assert rig.now_ns - began_ns == 15 * SECOND_NS

    run(main())
