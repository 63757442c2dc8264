"""One venue account: routing, rounds, balances."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from kangbot.errors import Retryable
from kangbot.execution.account import OVERLAP_NS, START_OVERLAP_NS, Account
from kangbot.execution.budget import TRANSIT_NS, Budget
from kangbot.execution.calls import turn
from kangbot.execution.executor import Pulse
from kangbot.execution.numbers import Numbers
from kangbot.machines.limiter import Window
from kangbot.machines.priority import Priority
from kangbot.machines.reconcile import Reconciled
from kangbot.machines.worth import Stake
from kangbot.model.data import Quote
from kangbot.model.events import EquityMarked, Noted
from kangbot.model.ids import LOST_AT_MOST, MarketId, client_id
from kangbot.model.orders import AccountEvent, Balance, Fill, OrderStatus, VenuePosition
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import run
from tests.support.order_story import Story
from tests.support.order_venue import FakeVenue
from tests.support.trade_words import MARKET, START, TAG, dec, fill, funding, report, stated

OTHER = MarketId("bybit:ETH-USDT:USDT")
ACCOUNT = Topic(market=None, channel=Channel.ACCOUNT, native="order")


class Rig:
    """An account over a venue, with one market that notes what it gets."""

    def __init__(
        self,
        *,
        last_execution_ns: int = 0,
        born_ns: int = 0,
        timeout_s: float = 15.0,
        windows: tuple[Window, ...] = (Window(most=100, span_ns=SECOND_NS),),
        ahead_ns: int = 0,
        venue: Callable[[Clock], FakeVenue] | None = None,
    ) -> None:
        self.story = Story()
        self.venue = venue(self.story.world.clock) if venue else self.story.venue
        self.heard: list[Any] = []
        self.pulse = Pulse(in_flight=False, executions_since_ns=None)
        self.budget = Budget(clock=self.story.world.clock, venue="bybit", windows=windows, transit_ns=TRANSIT_NS)
        self.numbers = Numbers(5)
        self.ended: list[Exception | None] = []
        self.twins: list[str] = []
        self.renewed: list[bool] = []
        self.account = Account(
            world=self.story.world,
            journal=self.story.disk,
            venue=self.venue,
            budget=self.budget,
            numbers=self.numbers,
            offset_ns=lambda: ahead_ns,
            last_execution_ns=last_execution_ns,
            born_ns=born_ns,
            equity={"USDT": dec(1000)},
            timeout_s=timeout_s,
            ended=self.ended.append,
            twin=self.twins.append,
            unheard=lambda: self.renewed.append(True),
        )
        self.venue.sink = lambda event: self.account.offer(event, 0)

    def join(self, market: MarketId = MARKET) -> None:
        """Register the market."""
        self.account.register(market, self.heard.append, lambda: self.pulse)

    @property
    def rounds(self) -> list[Reconciled]:
        """The answers that were delivered."""
        return [one for one in self.heard if isinstance(one, Reconciled)]

    def notes(self) -> list[str]:
        """The kinds of the notes on disk."""
        return [event.kind for event in self.story.disk.events if isinstance(event, Noted)]


@pytest.mark.parametrize("filled", [False, True])
def test_an_older_copy_of_the_journal_gives_no_number_twice(filled: bool) -> None:
    """The venue knows later orders of ours than the journal does: told once, and it counts on beyond them."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        rig.join()
        rig.venue.by_hand("1", client=client_id("another1", 99), filled=filled)
        rig.venue.by_hand("1", client=client_id(TAG, 4), filled=filled)
        rig.venue.by_hand("1", client=client_id(TAG, 7), filled=filled)
        rig.venue.by_hand("1", client=client_id(TAG, 6), filled=filled)
        for _ in range(2):
            await rig.account.reconcile()
        assert (rig.numbers.take(MARKET), rig.notes()) == (7 + LOST_AT_MOST, ["journal.behind"])
        assert rig.twins == []

    run(main())


@pytest.mark.parametrize("filled", [False, True])
def test_what_the_venue_knows_of_this_journal_is_not_ahead_of_it(filled: bool) -> None:
    """Orders of ours and those of another journal: the next number stays the next."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        rig.join()
        rig.venue.by_hand("1", client=client_id("another1", 99), filled=filled)
        rig.venue.by_hand("1", client=client_id(TAG, 4), filled=filled)
        for _ in range(2):
            await rig.account.reconcile()
            await asyncio.sleep(1)
            rig.venue.by_hand("1", client=client_id("another1", 100), filled=filled)
            rig.venue.by_hand("1", client=client_id(TAG, 3), filled=filled)
        assert (rig.numbers.upcoming, rig.notes(), rig.twins) == (5, [], [])

    run(main())


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("filled", [False, True])
def test_an_order_sent_under_our_name_by_somebody_else_is_a_twins(filled: bool, streamed: bool) -> None:
    """It came after the first round, so no life of ours that is over can have sent it; the next one is told again."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        rig.join()
        await rig.account.reconcile()
        if not streamed:
            rig.venue.sink = lambda _event: None
        for number in (7, 8, 9 + LOST_AT_MOST):
            await asyncio.sleep(1)
            rig.venue.by_hand("1", client=client_id(TAG, number), filled=filled)
            await rig.account.reconcile()
        assert [
            f"order {client_id(TAG, number)}" in words
            for number, words in zip((7, 9 + LOST_AT_MOST), rig.twins, strict=True)
        ]
        assert rig.numbers.upcoming == 9 + 2 * LOST_AT_MOST
        assert rig.notes() == []

    run(main())


@pytest.mark.parametrize("market", [MARKET, OTHER])
def test_a_twin_that_counts_as_we_do_is_known_by_the_market(market: MarketId) -> None:
    """Both give the same number next. For the same market it is one order at the venue, whoever was first."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        rig.join()
        await rig.account.reconcile()
        number = rig.numbers.take(market)
        ours = fill("e1", 1, number=number, at_ns=START + 9 * SECOND_NS)
        for _ in range(2):
            rig.account.offer(ours, 0)
        assert len(rig.twins) == (market == OTHER)
        for _ in range(2000):
            rig.numbers.take(OTHER)
        rig.account.offer(fill("e2", 1, number=number, at_ns=START + 9 * SECOND_NS), 0)  # by now nobody knows
        assert len(rig.twins) == (market == OTHER)

    run(main())


@pytest.mark.parametrize("mute", [False, True])
def test_a_stream_that_does_not_tell_of_executions_is_connected_anew(mute: bool) -> None:
    """It counts from when it is up; while it is down nobody expects anything of it."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        rig.join()
        for live, renewed in ((False, 0), (True, 1), (True, 2)):
            rig.account.feed_changed(ACCOUNT, live, "test")
            if mute:
                rig.venue.sink = lambda _event: None
            await asyncio.sleep(60)
            for _ in range(2):
                rig.venue.by_hand("1")
            await asyncio.sleep(10)
            await rig.account.reconcile()
            assert len(rig.renewed) == renewed * mute
        await asyncio.sleep(1)
        assert rig.notes() == ["account.unheard"] * 2 * mute

    run(main())


def test_what_rested_of_a_forgotten_life_is_no_twins() -> None:
    """It is listed in the first round, and may be filled after it; and a fill from before may be told late."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        rig.join()
        rig.account.offer(fill("e0", 1, number=11, at_ns=START + SECOND_NS), 0)  # nothing was asked yet
        assert rig.numbers.upcoming == 5
        rig.venue.by_hand("1", client=client_id(TAG, 7), filled=False)
        await rig.account.reconcile()
        assert rig.numbers.upcoming == 7 + LOST_AT_MOST
        rig.account.offer(fill("e1", 1, number=7, at_ns=START + 9 * SECOND_NS), 0)
        rig.account.offer(fill("e2", 1, number=9 + LOST_AT_MOST, at_ns=START), 0)
        await asyncio.sleep(1)
        assert (rig.twins, rig.notes()) == ([], ["journal.behind"])

    run(main())


def test_a_market_hears_of_itself_only() -> None:
    """Reports, fills, cash flows and positions; public data and other markets' events are none of its business."""

    async def main() -> None:
        rig = Rig()
        rig.join()
        mine: list[AccountEvent] = [report(OrderStatus.ACKED), fill("e1", 1), funding("f1", 1), stated(1)]
        for event in mine:
            rig.account.offer(event, 0)
        quote = Quote(market=MARKET, bid=dec(1), bid_quantity=dec(1), ask=dec(2), ask_quantity=dec(1), at_ns=START)
        rig.account.offer(quote, 0)
        assert rig.heard == mine

    run(main())


def test_what_belongs_to_no_running_market_is_counted_and_told_once() -> None:
    """On the stream and in the answers of a round."""

    async def main() -> None:
        rig = Rig()
        rig.venue.by_hand("1")
        rig.venue.by_hand("1", filled=False)
        await asyncio.sleep(1)
        assert await rig.account.reconcile()
        await asyncio.sleep(1)
        assert rig.account.unrouted == {MARKET: 6}
        assert rig.notes() == ["account.unrouted"]

    run(main())


@pytest.mark.parametrize(("equity", "leaps"), [("981", 0), ("1020", 0), ("979", 1), ("1021", 1)])
def test_an_equity_that_leaps_is_told_of(equity: str, leaps: int) -> None:
    """By more than a fiftieth at once, either way: money may have been moved. The first that is known is no leap."""

    async def main() -> None:
        rig = Rig()
        told: list[bool] = []
        rig.account.on_leap(lambda: told.append(True))
        for currency, amount in (("USDT", equity), ("BTC", "3")):
            rig.account.offer(Balance(currency=currency, equity=dec(amount), available=dec(1), at_ns=START), 0)
        assert len(told) == leaps

    run(main())


def test_equity_is_marked_where_it_changed() -> None:
    """By push or by round; what the journal knows already is no news."""

    async def main() -> None:
        rig = Rig()
        assert rig.account.marked_ns == {}, "what the journal knows was so once"
        await rig.account.reconcile()
        rig.account.offer(Balance(currency="USDT", equity=dec(999), available=dec(1), at_ns=START), 0)
        rig.venue.money = dec(999)
        await asyncio.sleep(1)
        await rig.account.reconcile()
        assert rig.account.marked_ns == {"USDT": rig.story.world.clock.now_ns()}, "the same once more is news of a kind"
        await asyncio.sleep(1)
        assert rig.account.equity == {"USDT": dec(999)}
        marks = [event for event in rig.story.disk.events if isinstance(event, EquityMarked)]
        assert [(mark.venue, mark.currency, mark.equity) for mark in marks] == [("bybit", "USDT", dec(999))]

    run(main())


@pytest.mark.parametrize("ahead_ns", [-3600 * SECOND_NS, 0, 3600 * SECOND_NS])
def test_an_equity_is_marked_by_both_clocks(ahead_ns: int) -> None:
    """Ours may be wrong and set one day; what was moved before the mark and after it is told by the venue's."""

    async def main() -> None:
        rig = Rig(ahead_ns=ahead_ns)
        rig.venue.money = dec(999)
        await rig.account.reconcile()
        await asyncio.sleep(1)
        (mark,) = (event for event in rig.story.disk.events if isinstance(event, EquityMarked))
        assert mark.venue_ns - mark.at_ns == ahead_ns

    run(main())


def test_a_round_asks_for_everything_and_gives_each_market_its_part() -> None:
    """An absent position is flat; executions come with the time they were asked from."""

    async def main() -> None:
        rig = Rig(last_execution_ns=START - SECOND_NS)
        rig.join()
        rig.join(OTHER)
        rig.venue.deaf = True
        order = rig.venue.by_hand("2", filled=False)
        rig.venue.trade(order, dec(1))
        rig.venue.flows.append(funding("f1", "-0.01"))
        assert await rig.account.reconcile()
        mine, other = rig.rounds
        assert [one.venue_order_id for one in mine.open_orders] == [order.venue_order_id]
        assert mine.position is not None
        assert (mine.position.net, mine.executions) == (dec(1), [*rig.venue.fills, *rig.venue.flows])
        assert mine.executions_since_ns == START - SECOND_NS - START_OVERLAP_NS
        assert (mine.asked_ns, mine.answered_ns > mine.asked_ns) == (START, True)
        assert other.position == VenuePosition(market=OTHER, net=dec(0), entry=None, stop=None, mark=None)
        assert (list(other.open_orders), list(other.executions)) == ([], [])
        assert [name for name, _ in rig.venue.asked] == ["open_orders", "positions", "balances", "executions"]

    run(main())


def test_executions_are_asked_for_with_overlap_and_from_as_far_as_somebody_needs() -> None:
    """After a round from a minute before it; from an hour further back for a market that explains a drift."""

    async def main() -> None:
        rig = Rig(born_ns=START - 100 * SECOND_NS)
        rig.join()
        await rig.account.reconcile()
        await asyncio.sleep(100)
        rounds_ns = rig.rounds[0].asked_ns
        await rig.account.reconcile()
        rig.pulse = Pulse(in_flight=True, executions_since_ns=rounds_ns - 3600 * SECOND_NS)
        await rig.account.reconcile()
        born = START - 100 * SECOND_NS - START_OVERLAP_NS
        assert rig.venue.since == [born, rounds_ns - OVERLAP_NS, rounds_ns - 3600 * SECOND_NS]

    run(main())


def test_who_needs_executions_from_long_ago_is_asked_for_by_itself() -> None:
    """Those of all the others since then would fill pages, and are not what it needs."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        others: list[Any] = []
        rig.join()
        idle = Pulse(in_flight=False, executions_since_ns=None)
        rig.account.register(OTHER, others.append, lambda: idle)
        rig.venue.by_hand("1")
        await asyncio.sleep(10 * 86_400)
        assert await rig.account.reconcile()
        rounds_ns = rig.rounds[0].asked_ns
        rig.venue.asked.clear()
        rig.pulse = Pulse(in_flight=True, executions_since_ns=START)
        assert await rig.account.reconcile()
        assert [name for name, _ in rig.venue.asked][-2:] == ["executions", f"executions {MARKET}"]
        assert rig.venue.since[-2:] == [rounds_ns - OVERLAP_NS, START]
        assert (rig.rounds[-1].executions_since_ns, len(rig.rounds[-1].executions)) == (START, 1)
        assert others[-1].executions_since_ns == rounds_ns - OVERLAP_NS

    run(main())


def test_a_market_that_joins_later_needs_no_executions_from_long_before() -> None:
    """Of weeks in which the others traded; of an hour it does, as after a start: a hand may just have been there."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        rig.join()
        await asyncio.sleep(10 * 86_400)
        assert await rig.account.reconcile()
        rig.join(OTHER)
        assert await rig.account.reconcile()
        assert rig.venue.since[-1] == rig.rounds[0].asked_ns - OVERLAP_NS - START_OVERLAP_NS
        assert [one.market for one in rig.rounds] == [MARKET, MARKET, OTHER]

    run(main())


def test_a_market_whose_own_executions_cannot_be_read_is_left_out_alone() -> None:
    """The others hear of theirs."""

    async def main() -> None:
        rig = Rig(born_ns=START)
        others: list[Any] = []
        rig.join()
        idle = Pulse(in_flight=False, executions_since_ns=None)
        rig.account.register(OTHER, others.append, lambda: idle)
        rig.pulse = Pulse(in_flight=True, executions_since_ns=START - 86_400 * SECOND_NS)
        rig.venue.unread_alone = {MARKET: "a new word"}
        assert await rig.account.reconcile()
        assert (len(rig.rounds), len(others), rig.account.unread) == (0, 1, {MARKET: "a new word"})
        rig.venue.unread_alone = {}
        assert await rig.account.reconcile()
        assert (len(rig.rounds), len(others), rig.account.unread) == (1, 2, {})

    run(main())


def test_without_a_memory_there_is_nothing_to_catch_up_with() -> None:
    """A new journal begins now."""

    async def main() -> None:
        rig = Rig()
        rig.join()
        await rig.account.reconcile()
        assert rig.venue.since == [START]

    run(main())


def test_a_market_that_joins_during_a_round_is_left_out_of_it() -> None:
    """The questions were not asked for it."""

    async def main() -> None:
        rig = Rig()
        rig.join()
        asking = asyncio.create_task(rig.account.reconcile())
        await asyncio.sleep(0.1)
        rig.join(OTHER)
        await asking
        assert [one.market for one in rig.rounds] == [MARKET]
        await rig.account.reconcile()
        assert [one.market for one in rig.rounds[1:]] == [MARKET, OTHER]

    run(main())


def test_rounds_come_at_the_start_on_a_slow_beat_and_while_anything_is_in_flight() -> None:
    """At once, every 50 s or a look later, every 5 s, and when the private stream is back."""

    async def main() -> None:
        rig = Rig()
        running = asyncio.create_task(rig.account.run())
        await asyncio.sleep(1)
        assert len(rig.rounds) == 0
        assert not rig.account.reconciled.is_set()
        rig.join()
        await asyncio.sleep(1)
        assert len(rig.rounds) == 1
        assert rig.account.reconciled.is_set()
        await asyncio.sleep(130)
        assert len(rig.rounds) == 3
        rig.pulse = Pulse(in_flight=True, executions_since_ns=None)
        await asyncio.sleep(30)
        assert 3 + 5 <= len(rig.rounds) <= 3 + 6
        rig.pulse = Pulse(in_flight=False, executions_since_ns=None)
        before = len(rig.rounds)
        rig.account.feed_changed(ACCOUNT, live=False, reason="connection lost")
        assert not rig.account.live
        await asyncio.sleep(1)
        assert len(rig.rounds) == before
        rig.account.feed_changed(ACCOUNT, live=True, reason="first data")
        await asyncio.sleep(1)
        assert (rig.account.live, len(rig.rounds)) == (True, before + 1)
        rig.account.hurry()
        await asyncio.sleep(1)
        assert len(rig.rounds) == before + 2
        running.cancel()

    run(main())


def test_what_the_stream_said_unreadably_is_asked_for_at_once() -> None:
    """A stop has filled, and its rows cannot be read; a venue that garbles all it says is asked every 5 s."""

    async def main() -> None:
        rig = Rig()
        running = asyncio.create_task(rig.account.run())
        rig.join()
        await asyncio.sleep(12)  # between two looks
        assert len(rig.rounds) == 1
        rig.account.garbled(ACCOUNT)
        await asyncio.sleep(1)
        assert len(rig.rounds) == 2
        rig.account.garbled(ACCOUNT)  # what it says may be in no answer yet
        await asyncio.sleep(1)
        assert len(rig.rounds) == 2
        await asyncio.sleep(5)
        assert len(rig.rounds) == 3
        await asyncio.sleep(20)
        assert len(rig.rounds) == 3
        for _ in range(600):
            rig.account.garbled(ACCOUNT)
            await asyncio.sleep(0.1)
        assert 3 + 11 <= len(rig.rounds) <= 3 + 13
        running.cancel()

    run(main())


def test_what_no_stream_told_is_heard_of_within_a_minute() -> None:
    """Somebody acts right after a question was put: the answer to the next one is there 60 s later at the latest."""

    async def main() -> None:
        rig = Rig()
        running = asyncio.create_task(rig.account.run())
        rig.join()
        await asyncio.sleep(400)
        assert len(rig.rounds) > 6
        for earlier, later in pairwise(rig.rounds):
            assert later.answered_ns - earlier.asked_ns <= 60 * SECOND_NS
        running.cancel()

    run(main())


def test_a_keeper_that_fell_says_so_until_a_round_has_succeeded() -> None:
    """Told once for one reason, and a round is due at once: until it is made, nobody has compared the books."""

    async def main() -> None:
        rig = Rig()
        rig.join()
        assert rig.account.fell_by == ""
        with capture_logs() as logs:
            for again in (True, False):
                rig.account.fell(KeyError("net"), again=again)
        assert rig.account.fell_by == "KeyError: 'net'"
        assert [(entry["event"], entry["again"]) for entry in logs] == [("account.fell", True)]
        assert await rig.account.reconcile()
        assert rig.account.fell_by == ""
        with capture_logs() as logs:
            rig.account.fell(KeyError("net"), again=True)
        assert [entry["event"] for entry in logs] == ["account.fell"]

    run(main())


class Paged(FakeVenue):
    """A venue whose answer about executions has a hundred pages."""

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        for _ in range(100):
            async with turn():
                await asyncio.sleep(0.1)
        return await super().executions(since_ns, market)


def test_a_round_of_many_pages_comes_to_its_end() -> None:
    """After months of absence, or a crash that somebody else traded in: the watchdog sees that it goes on."""

    async def main() -> None:
        rig = Rig(timeout_s=2, venue=Paged)
        rig.join()
        assert await rig.account.reconcile()
        assert (len(rig.rounds), rig.account.tries) == (1, 100)

    run(main())


@pytest.mark.parametrize("hangs", [False, True])
def test_a_round_that_fails_is_no_evidence_and_is_tried_again(hangs: bool) -> None:
    """Nobody hears half an answer; it is told on the way down and on the way up."""

    async def main() -> None:
        rig = Rig(timeout_s=2)
        running = asyncio.create_task(rig.account.run())
        rig.venue.unreachable, rig.venue.questions_hang = True, hangs
        rig.join()
        await asyncio.sleep(40)
        assert rig.rounds == []
        assert 2 < rig.account.failures < 20  # a venue that is away is not asked in a tight loop
        assert rig.account.tries >= rig.account.failures  # the watchdog sees that it goes on
        assert {type(error) for error in rig.ended} == {TimeoutError if hangs else Retryable}
        assert rig.notes() == ["account.unreconciled"]
        rig.venue.unreachable = rig.venue.questions_hang = False
        await asyncio.sleep(20)
        assert (len(rig.rounds), rig.account.failures) == (1, 0)
        assert rig.ended[-1] is None
        assert rig.notes() == ["account.unreconciled", "account.reconciled"]
        failed = len(rig.ended)
        rig.venue.unreachable, rig.venue.questions_hang = True, False
        rig.account.hurry()
        await asyncio.sleep(3)  # the wait begins anew at a second
        assert len(rig.ended) >= failed + 2
        running.cancel()

    run(main())


def test_each_question_of_a_round_counts_from_its_answer() -> None:
    """What waits behind the four of them leaves a second after the last answer."""

    async def main() -> None:
        rig = Rig(windows=(Window(most=4, span_ns=SECOND_NS),))
        assert await rig.account.reconcile()
        answered_ns = rig.story.world.clock.now_ns()
        for _ in range(4):
            await rig.budget.acquire(Priority.CANCEL_EXIT)
        assert rig.story.world.clock.now_ns() == answered_ns + SECOND_NS

    run(main())


def test_a_limit_that_a_question_meets_holds_everybody() -> None:
    """The budget pauses for as long as the venue said."""

    async def main() -> None:
        rig = Rig()
        rig.venue.limits_ns = 7 * SECOND_NS
        assert not await rig.account.reconcile()
        assert rig.budget.paused_until_ns == rig.story.world.clock.now_ns() + 7 * SECOND_NS
        assert rig.account.paused_until_ns == rig.budget.paused_until_ns

    run(main())


def test_a_fill_between_the_questions_reaches_its_market_by_the_stream() -> None:
    """The account routes while it asks."""

    async def main() -> None:
        rig = Rig()
        rig.join()
        asking = asyncio.create_task(rig.account.reconcile())
        await asyncio.sleep(0.16)
        rig.venue.by_hand("1")
        await asking
        assert any(isinstance(one, Fill) for one in rig.heard)

    run(main())


def spot_stake(rig: Rig, coins: str, *, traded_ns: int = 0) -> Stake:
    """Return what a spot market holds at a price of 100, its books as fresh as the last round that it has heard of."""
    return Stake(
        currency="USDT",
        value=dec(coins) * 100,
        traded_ns=traded_ns,
        compared_ns=rig.story.world.clock.now_ns() if rig.rounds else 0,
        in_flight=rig.pulse.in_flight,
    )


def test_markets_that_share_a_coin_share_what_is_in_the_account() -> None:
    """The first that joined finds its own, then the next; what one buys during the round is missing to nobody."""

    async def main() -> None:
        rig = Rig()
        others: list[object] = []
        held = {"first": 1, "second": 2}

        def stake(name: str) -> Stake:
            return msgspec.structs.replace(spot_stake(rig, "0"), coin="USDT", held=dec(held[name]))

        rig.venue.money = dec("2.5")
        rig.account.register(MARKET, rig.heard.append, lambda: rig.pulse, lambda: stake("first"))
        rig.account.register(MarketId("bybit:BTC-USDC"), others.append, lambda: rig.pulse, lambda: stake("second"))
        rig.account.register(MarketId("bybit:ETH-USDT"), others.append, lambda: rig.pulse, lambda: spot_stake(rig, "0"))
        asking = asyncio.create_task(rig.account.reconcile())
        await asyncio.sleep(0.12)
        held["first"] = 9
        await asking
        told = [one.coins for one in (*rig.rounds, *others) if isinstance(one, Reconciled)]
        assert told == [dec("2.5"), dec("1.5"), None]

    run(main())


@pytest.mark.parametrize("balance_first", [True, False])
def test_a_purchase_of_coins_is_no_loss_in_whatever_order_it_is_heard(balance_first: bool) -> None:
    """By the balance first or by the execution first: equity stays what it was, and counts the coins in the end."""

    async def main() -> None:
        rig = Rig()
        held = "0"
        traded_ns = 0
        rig.account.register(
            MARKET, rig.heard.append, lambda: rig.pulse, lambda: spot_stake(rig, held, traded_ns=traded_ns)
        )
        running = asyncio.create_task(rig.account.run())
        await asyncio.sleep(3)
        rig.pulse = Pulse(in_flight=True, executions_since_ns=None)
        rig.venue.money = dec(700)
        now_ns = rig.story.world.clock.now_ns()
        bought = Balance(currency="USDT", equity=dec(700), available=dec(700), at_ns=now_ns)
        coin = Balance(currency="BTC", equity=dec(3), available=dec(3), at_ns=now_ns)
        if balance_first:
            rig.account.offer(bought, 0)
            rig.account.offer(coin, 0)
            await asyncio.sleep(15)
        held, traded_ns = "2.9", now_ns
        await asyncio.sleep(15)
        rig.account.offer(bought, 0)
        assert rig.account.equity["USDT"] == 1000
        rig.pulse = Pulse(in_flight=False, executions_since_ns=None)
        await asyncio.sleep(75)
        running.cancel()
        marks = [event for event in rig.story.disk.events if isinstance(event, EquityMarked)]
        assert [mark.equity for mark in marks if mark.currency == "USDT"] == [990]
        assert rig.account.equity["USDT"] == 990
        assert ("BTC" in rig.account.equity) is balance_first

    run(main())


def test_a_market_that_cannot_be_read_is_left_out_and_told_once() -> None:
    """The others hear of theirs; it is asked for again from where it was, and hears all once it can be read."""

    async def main() -> None:
        rig = Rig()
        others: list[Any] = []
        rig.join()
        rig.account.register(OTHER, others.append, lambda: rig.pulse)
        assert await rig.account.reconcile()
        since_ns = rig.rounds[-1].executions_since_ns
        rig.venue.by_hand("1")
        with capture_logs() as logs:
            for words in ("a new word", "7 ms is no time", "8 ms is no time"):  # it may quote what differs by now
                rig.venue.unread = {OTHER: words}
                await asyncio.sleep(120)
                assert await rig.account.reconcile()
        assert [one["market"] for one in logs if one["event"] == "account.unread"] == [OTHER]
        assert rig.account.unread == {OTHER: "8 ms is no time"}
        assert rig.account.failures == 0
        assert (len(rig.rounds), len(others)) == (4, 1)
        assert rig.rounds[-1].position.net == 1
        rig.venue.unread = {}
        assert await rig.account.reconcile()
        assert rig.account.unread == {}
        assert len(others) == 2
        assert others[-1].executions_since_ns <= since_ns + OVERLAP_NS
        await asyncio.sleep(1)
        told = [event for event in rig.story.disk.events if isinstance(event, Noted) and event.market == OTHER]
        assert [note.kind for note in told] == ["account.unread", "account.read"]

    run(main())
