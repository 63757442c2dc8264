"""A strategy at work: what it is shown, what it may look at, and what of its answer stays."""

from decimal import Decimal, getcontext, localcontext
from typing import ClassVar, cast

from kangbot.market.roster import Command
from kangbot.model.events import RunState, RunStateChanged
from kangbot.model.target import Target
from kangbot.strategy.base import Strategy, View
from tests.support.floor_story import LOOKBACK, MINUTE_NS, Closes, Nothing, Story, play, spec
from tests.support.trade_words import MARKET

LONG = Target(exposure=Decimal(1), stop=Decimal(90), reason="the test wants it")


class Looking(Strategy[Nothing, Closes]):
    """Keeps what it may look at, and wants what the test says."""

    name = "looking"
    parameters_type = Nothing
    bars_kept: ClassVar[int] = 2
    __slots__ = ("answer", "views")

    def __init__(self) -> None:
        super().__init__(Nothing())
        self.views: list[View[Closes]] = []
        self.answer: Target | None = None

    @property
    def lookback(self) -> int:
        return LOOKBACK

    def indicators(self) -> Closes:
        return Closes()

    def decide(self, view: View[Closes]) -> Target | None:
        self.views.append(view)
        return self.answer


def looked(told: Story) -> Looking:
    """Have the market traded by a strategy that keeps what it saw."""
    looking = Looking()
    told.specs = [spec(looking)]
    return looking


def test_it_may_look_at_the_bars_that_it_asks_for() -> None:
    """The newest ones, oldest first; its indicators have seen every bar, those of history among them."""

    async def story(told: Story) -> None:
        looking = looked(told)
        await told.live()
        await told.bar()
        view, strategist = looking.views[-1], told.task.strategist
        first, second = view.bars
        assert (second.open_ns - first.open_ns, view.bar) == (MINUTE_NS, second)
        opened = view.indicators.opened
        assert opened == sorted(set(opened))
        assert opened[-2:] == [first.open_ns, second.open_ns]
        assert strategist.warm
        assert strategist.shown == len(opened)
        assert (strategist.bars_seen, strategist.decisions) == (1, 2)  # it decides as it goes live, and on the bar

    play(story)


def test_what_it_wants_stays_until_it_wants_something_else() -> None:
    """None says nothing: the target is shown to it again, with the position that it led to."""

    async def story(told: Story) -> None:
        looking = looked(told)
        await told.live()
        first = looking.views[-1]
        assert first.target is None
        looking.answer = LONG
        await told.bar()
        looking.answer = None
        await told.bar()
        last = looking.views[-1]
        assert last.target == told.task.desk.target == LONG
        assert last.position.net == 2

    play(story)


def test_an_answer_that_is_no_target_falls_in_words_about_it() -> None:
    """Not by what somebody misses in it later on; and it never stands where a target is looked for."""

    async def story(told: Story) -> None:
        looking = looked(told)
        await told.live()
        looking.answer = cast("Target", Decimal(1))
        await told.bar()
        assert told.task.supervisor.falls == 1
        assert told.task.desk.target is None
        why = "TypeError: its strategy answered Decimal('1'): `decide` returns a Target, or None"
        assert why in [event.reason for event in told.disk.events if isinstance(event, RunStateChanged)]

    play(story)


class Rounding(Looking):
    """Computes with few digits, and does not put that back."""

    def decide(self, view: View[Closes]) -> Target | None:
        getcontext().prec = 4
        return super().decide(view)


def test_how_it_computes_is_its_own() -> None:
    """On the loop every sum of every market would be rounded to its digits from then on."""

    async def story(told: Story) -> None:
        rounding = Rounding()
        told.specs = [spec(rounding)]
        with localcontext(prec=28):
            await told.live()
            await told.bar()
            assert rounding.views
            assert getcontext().prec == 28

    play(story)


def test_a_stop_has_it_forget_everything() -> None:
    """What it saw and what it wanted; a start shows it the bars anew, to indicators that have seen nothing."""

    async def story(told: Story) -> None:
        looking = looked(told)
        looking.answer = LONG
        await told.live()
        await told.bar()
        before = looking.views[-1].indicators
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        strategist = told.task.strategist
        assert (strategist.shown, strategist.warm, told.task.desk.target) == (0, False, None)
        looking.answer = None
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        view = looking.views[-1]
        assert view.target is None
        assert view.indicators is not before
        assert len(view.indicators.opened) == strategist.shown >= LOOKBACK

    play(story)


def test_time_is_measured_from_a_frame_that_led_to_a_decision() -> None:
    """A decision that no frame led to counts as one, and has no latency."""

    async def story(told: Story) -> None:
        looked(told)
        await told.live()
        await told.bar()
        strategist, measured = told.task.strategist, told.floor.decisions.count
        assert measured
        decided = strategist.decisions
        strategist.decide(0)
        assert (strategist.decisions, told.floor.decisions.count) == (decided + 1, measured)
        assert sum(strategist.latency.counts) == measured > 0

    play(story)
