"""What an executor asks of the venue: in which order requests leave, and who hears how each of them ended."""

import asyncio

import pytest

from kangbot.execution.budget import TRANSIT_NS, Budget
from kangbot.execution.errands import Errands
from kangbot.execution.outcome import Outcome
from kangbot.machines.faults import Operation
from kangbot.machines.limiter import Window
from kangbot.machines.priority import Priority
from kangbot.model.events import Severity
from kangbot.model.ids import ClientId, client_id
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Intent, OrderKind, Purpose, Side
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS
from kangbot.sim.world.loop import run
from tests.support.order_story import Market, Story, told
from tests.support.order_venue import FakeVenue, Fate
from tests.support.trade_words import TAG, dec, instrument, intent, proposal

FIRST, SECOND, THIRD = (client_id(TAG, number) for number in (1, 2, 3))


async def exits(market: Market) -> None:
    """Sell what is held."""
    market.executor.place(proposal(purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
    await asyncio.sleep(1)


@told
async def test_how_each_request_ended_is_told() -> None:
    """Breakers and the desk of faults count by it: what was done, how it ended, for which order."""
    ended: list[tuple[Operation, str, str]] = []

    def hears(operation: Operation, error: Exception | None, subject: str) -> None:
        ended.append((operation, type(error).__name__ if error else "", subject))

    def heard() -> list[tuple[Operation, str, str]]:
        told_so_far = ended.copy()
        ended.clear()
        return told_so_far

    story = Story(ended=hears)
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(1)
    assert heard() == [(Operation.ENTRY, "", FIRST)]

    story.venue.stops.extend(["lost", "none", "refused"])
    market.executor.protect(dec(90))
    await asyncio.sleep(5)
    market.executor.protect(dec(91))
    await asyncio.sleep(5)
    assert heard() == [(Operation.PROTECT, how, "") for how in ("Ambiguous", "NotFound", "Refused", "")]

    await exits(market)
    assert heard() == [(Operation.EXIT, "", SECOND)]

    story.venue.fates.append(Fate.LOST_AFTER)
    story.venue.deaf = story.venue.unreachable = True
    market.executor.place(proposal())
    await asyncio.sleep(0.12)
    story.venue.unreachable = False
    await asyncio.sleep(2)
    assert heard() == [
        (Operation.ENTRY, "Ambiguous", THIRD),
        *((Operation.ASK, how, THIRD) for how in ("Retryable", "")),
    ]

    story.venue.deaf = False
    story.venue.cancels.extend(["lost", "denied"])
    market.executor.cancel(THIRD)
    await asyncio.sleep(10)
    assert [one for one in heard() if one[0] is Operation.CANCEL] == [
        (Operation.CANCEL, how, THIRD) for how in ("Ambiguous", "NotFound", "")
    ]

    story.disk.dead = True
    market.executor.tell("market.looked_at", Severity.INFO, "ann looks")
    await asyncio.sleep(0.5)
    story.disk.dead = False
    await asyncio.sleep(5)
    assert heard() == [(Operation.JOURNAL, "NeedsHuman", ""), (Operation.JOURNAL, "", "")]
    await market.end()


@told
async def test_exits_and_stops_leave_before_entries_and_none_while_the_venue_wants_to_be_left_alone() -> None:
    """All of them were decided during the pause, the entry first."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(2, kind=OrderKind.MARKET))
    await market.settled()
    market.budget.pause(3 * SECOND_NS)
    market.executor.place(proposal())
    market.executor.protect(dec(90))
    market.executor.place(proposal(purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
    await asyncio.sleep(2.9)
    assert (story.venue.submits, story.venue.stop) == ([FIRST], None)
    await market.settled()
    assert (story.venue.submits, story.venue.stop) == ([FIRST, THIRD, SECOND], dec(90))
    await market.end()


@told
async def test_the_same_question_once_more_waits_for_whoever_asks_for_all() -> None:
    """The first is put at once; while the venue is away for everybody no market finds that out alone again."""
    back = asyncio.Event()

    async def again() -> None:
        await back.wait()

    def asked(client: ClientId) -> int:
        return [name for name, _ in story.venue.asked].count(f"find {client}")

    story = Story(again=again)
    market = await story.live()
    story.venue.fates.append(Fate.LOST_AFTER)
    story.venue.deaf = story.venue.unreachable = True
    market.executor.place(proposal())
    await asyncio.sleep(20)
    assert asked(FIRST) == 1
    back.set()
    await asyncio.sleep(5)
    assert asked(FIRST) > 1
    await market.end()


def bench(kind: InstrumentKind, most: int = 2) -> tuple[FakeVenue, Budget, Errands]:
    """Return the errands of one market, its venue, and a budget of `most` a second."""
    story = Story()
    story.venue.before_submit = None
    clock, windows = story.world.clock, (Window(most=most, span_ns=SECOND_NS),)
    budget = Budget(clock=clock, venue="bybit", windows=windows, transit_ns=TRANSIT_NS)
    errands = Errands(
        instrument=instrument(kind),
        venue=story.venue,
        budget=budget,
        clock=clock,
        tasks=Tasks("errands", lambda _name, _error: None),
        post=lambda _outcome: None,
        timeout_s=1.0,
    )
    return story.venue, budget, errands


async def after_s(budget: Budget, priority: Priority = Priority.ENTRY, keep: str = "") -> float:
    """Return after how long the next request could leave; it stays."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.sleep(0)  # the errand has its turn
    budget.not_sent(await budget.acquire(priority, keep=keep))
    return round(loop.time() - began_s, 6)


@pytest.mark.parametrize(
    ("kind", "order", "kept"),
    [
        (InstrumentKind.SPOT, intent(stop="90"), True),
        (InstrumentKind.SPOT, intent(), False),
        (InstrumentKind.SPOT, intent(stop="90", purpose=Purpose.EXIT), False),
        (InstrumentKind.LINEAR, intent(stop="90"), False),
    ],
)
def test_an_entry_that_its_stop_must_follow_keeps_a_place_for_it(
    kind: InstrumentKind, order: Intent, kept: bool
) -> None:
    """In contracts the stop is in the entry's request. An exit waits for no place that is kept."""

    async def main() -> None:
        _, budget, errands = bench(kind)
        errands.resend(order, lambda: "")
        assert await after_s(budget, Priority.CANCEL_EXIT) == 0
        assert (await after_s(budget) > 0) is kept

    run(main())


@told
async def test_the_place_is_free_once_the_stop_has_its_turn() -> None:
    """Then its request counts itself."""
    venue, budget, errands = bench(InstrumentKind.SPOT, most=3)
    order = intent(stop="90")
    errands.resend(order, lambda: "")
    await asyncio.sleep(venue.answer_s)
    errands.cover(dec(90), dec(1), order.client_id, fresh=True)
    assert await after_s(budget) == 0


@pytest.mark.parametrize(
    ("fate", "reason", "free_s"),
    [
        (Fate.NORMAL, "the kill switch is set", 0),  # it stays here
        (Fate.REFUSED, "", 1.025),  # refused at half the way: now its own place is free, too
        (Fate.NORMAL, "", 1.05),  # it rests: a second after its answer
        (Fate.LOST_AFTER, "", 2),  # it may have been filled
    ],
)
def test_the_place_is_free_where_no_stop_will_follow(fate: Fate, reason: str, free_s: float) -> None:
    """At once where that is known, else in time."""

    async def main() -> None:
        venue, budget, errands = bench(InstrumentKind.SPOT)
        venue.fates.append(fate)
        errands.resend(intent(stop="90"), lambda: reason)
        assert await after_s(budget, keep="another") == free_s

    run(main())


@told
async def test_a_request_counts_from_its_answer_and_one_that_stays_here_does_not_count() -> None:
    """Each kind of request tells the budget that it has arrived: who waits for the next second waits no longer."""
    story, posted = Story(), list[Outcome]()
    story.venue.before_submit = None
    clock, windows = story.world.clock, (Window(most=1, span_ns=SECOND_NS),)
    budget = Budget(clock=clock, venue="bybit", windows=windows, transit_ns=TRANSIT_NS)
    errands = Errands(
        instrument=instrument(),
        venue=story.venue,
        budget=budget,
        clock=clock,
        tasks=Tasks("errands", lambda _name, _error: None),
        post=posted.append,
        timeout_s=1.0,
    )
    order = intent()

    async def next_leaves_s() -> float:
        """Return after how long another request may leave."""
        began_ns = clock.now_ns()
        await asyncio.sleep(0)  # the errand has its turn
        budget.not_sent(await budget.acquire(Priority.CANCEL_EXIT))
        return (clock.now_ns() - began_ns) / SECOND_NS

    errands.resend(order, lambda: "the kill switch is set")
    assert await next_leaves_s() == 0
    errands.resend(order, lambda: "")
    assert await next_leaves_s() == 1 + story.venue.answer_s
    errands.ask(order.client_id, again=False)
    assert await next_leaves_s() == 1 + story.venue.answer_s
    errands.protect(dec(90))
    assert await next_leaves_s() == 1 + story.venue.answer_s
    errands.cancel(order.client_id)
    assert await next_leaves_s() == 1 + story.venue.answer_s
    assert len(posted) == 5
