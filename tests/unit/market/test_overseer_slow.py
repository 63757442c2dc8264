"""A floor of one market whose strategy takes its time: real threads, and a clock that is in a hurry."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median

import msgspec
import pytest

from kangbot.machines.slowness import MILLISECOND_NS, SECOND_NS, Bounds
from kangbot.market.inbox import Inbox
from kangbot.market.roster import Command
from kangbot.model.data import Bar
from kangbot.model.events import Noted, RunState, RunStateChanged
from kangbot.model.money import ZERO
from kangbot.model.orders import Side
from kangbot.model.target import Target
from kangbot.runtime.alarm import Alarm
from tests.support.floor_story import LOOKBACK, MINUTE_NS, Closes, Steered, Story, bar_at, spec
from tests.support.hurried import PACE, HurriedStory, hurry
from tests.support.trade_words import MARKET

BOUNDS = Bounds(slow_ns=100 * MILLISECOND_NS, block_ns=20 * SECOND_NS, times=4)
SHORT = msgspec.structs.replace(BOUNDS, block_ns=500 * MILLISECOND_NS)
DAY_NS = 86_400 * SECOND_NS  # for the machine may be busy
ON_THE_LOOP = "MainThread"


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """As the daemon's: at twice what is slow."""
    made = Alarm(0.2)
    yield made
    made.close()


class Witness:
    """What a strategy does with its time: sleeps, or waits for the test; and in which thread that was."""

    def __init__(self, *, sleeps_s: float = 0.0, takes: Callable[[], object] = lambda: None) -> None:
        self.sleeps_s = sleeps_s
        self.takes = takes
        self.threads: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self) -> None:
        self.threads.append(threading.current_thread().name)
        time.sleep(self.sleeps_s)
        self.takes()
        self.go.wait()


class Stopwatch:
    """In place of the counter of performance, for whom no call takes longer than it says, whatever the machine does."""

    def __init__(self) -> None:
        self._now_ns = 0

    def __call__(self) -> int:
        return self._now_ns

    def forty_ms(self) -> None:
        """Let that time pass."""
        self._now_ns += 40 * MILLISECOND_NS


def noted(told: Story, kind: str) -> list[str]:
    """Return what the journal says under that name."""
    return [event.message for event in told.disk.events if isinstance(event, Noted) and event.kind == kind]


async def hold(told: HurriedStory, bounds: Bounds = BOUNDS) -> None:
    """Go live and enter."""
    told.decisions = bounds
    await told.live()
    told.strategy.want(1)
    await told.bar()
    await told.until(lambda: told.venue.net == 2)


async def slow(told: HurriedStory, bounds: Bounds = BOUNDS) -> Witness:
    """Go live, enter, and be slow from then on."""
    await hold(told, bounds)
    witness = told.strategy.busy = Witness(sleeps_s=0.12)
    await told.bar()
    await told.until(lambda: told.task.overseer.aside)
    witness.sleeps_s = 0.0
    return witness


def test_a_slow_strategy_is_named_once_and_asked_aside() -> None:
    """Its first slow call was made on the loop, all that follow are not; what it wants is done all the same."""

    async def story(told: HurriedStory) -> None:
        witness = await slow(told)
        witness.sleeps_s = 0.12
        told.strategy.want(0)
        decisions, measured = told.task.strategist.decisions, told.floor.orders.count
        await told.bar()
        await told.until(lambda: told.task.strategist.decisions > decisions)
        assert told.task.desk.executor.orders or told.venue.net == 0, "in the turn that hears of it"
        await told.until(lambda: told.venue.net == 0)
        assert told.floor.orders.count == measured + 1, "how long it took is measured from the frame that led to it"
        assert len(noted(told, "strategy.slow")) == 1
        assert witness.threads == [ON_THE_LOOP, f"strategy {MARKET}"]
        assert told.state is RunState.LIVE
        assert told.task.strategist.aside
        assert told.task.overseer.longest_ms >= 120
        assert told.task.supervisor.falls == 0

    hurry(story)


def test_another_strategy_is_not_held_to_what_the_one_before_it_took() -> None:
    """It is asked on the loop from its first bar on, until it is slow itself."""

    async def story(told: HurriedStory) -> None:
        await slow(told)
        other = Steered()
        witness = other.busy = Witness()
        told.floor.change(joins=(), leaves=(), changes=[spec(other)], caller="edit")
        await told.bar()
        await told.until(lambda: bool(witness.threads))
        assert witness.threads[0] == ON_THE_LOOP
        assert not told.task.strategist.aside

    hurry(story)


def test_a_strategy_that_is_quick_again_is_asked_on_the_loop() -> None:
    """After a while without a slow call, and once it has taken in what waited."""

    async def story(told: HurriedStory) -> None:
        witness = await slow(told, msgspec.structs.replace(BOUNDS, within_ns=150 * SECOND_NS))
        for _ in range(3):
            await told.bar()
        await told.until(lambda: bool(noted(told, "strategy.quick")))
        assert not told.task.strategist.aside
        await told.bar()
        assert witness.threads[-1] == ON_THE_LOOP

    hurry(story)


def test_what_closes_meanwhile_is_shown_in_order_and_the_newest_is_decided_on() -> None:
    """A decision about what is past would come too late, and a bar left out would be a hole."""

    async def story(told: HurriedStory) -> None:
        witness = await slow(told)
        witness.go.clear()
        await told.bar()
        await told.until(lambda: len(witness.threads) == 2)
        decided = told.task.strategist.decisions
        for _ in range(3):
            await told.bar()
        assert len(witness.threads) == 2  # one errand at a time
        # The newest alone wants out: a fill while it decides would have it asked anew.
        newest = told.strategy.busy = Witness(takes=lambda: told.strategy.want(0))
        witness.go.set()
        await told.until(lambda: told.venue.net == 0)
        assert told.task.strategist.decisions == decided + 2
        opened = told.strategy.made[-1].opened
        assert opened == list(range(opened[0], opened[-1] + MINUTE_NS, MINUTE_NS))
        assert told.task.strategist.shown == len(opened)
        assert (len(witness.threads), len(newest.threads)) == (2, 1)

    hurry(story)


def test_an_answer_about_a_position_that_is_gone_is_not_acted_on() -> None:
    """While it decides somebody sells: it is asked anew, and not held to what it would have liked to hold."""

    async def story(told: HurriedStory) -> None:
        witness = await slow(told)
        witness.go.clear()
        await told.bar()
        await told.until(lambda: len(witness.threads) == 2)
        told.venue.by_hand("2", side=Side.SELL)
        await told.until(lambda: told.task.desk.position.net == 0)
        assert told.task.desk.target is None
        decided = told.task.strategist.decisions
        told.strategy.target = None
        witness.go.set()
        await told.until(lambda: told.task.strategist.decisions > decided)
        assert len(witness.threads) == 3
        assert told.task.desk.target is None

    hurry(story)


@pytest.mark.parametrize("command", [Command.STOP, None])
def test_an_answer_to_a_market_that_was_stopped_or_fell_is_not_used(command: Command | None) -> None:
    """It is left in the middle of its call, and what comes of it is nothing; begun anew it is asked aside at once."""

    async def story(told: HurriedStory) -> None:
        witness = await slow(told)
        witness.go.clear()
        await told.bar()
        await told.until(lambda: len(witness.threads) == 2)
        made, decided = len(told.strategy.made), told.task.strategist.decisions
        told.strategy.target, told.strategy.busy = None, (anew := Witness())
        if command is not None:
            told.roster.command(MARKET, command, "test")
            await told.reach(RunState.STOPPED)
            told.roster.command(MARKET, Command.START, "test")
        else:
            told.task.inbox.put(object())  # nobody takes that
        await told.until(lambda: told.task.strategist.decisions > decided)
        assert told.task.supervisor.falls == (command is None)
        assert anew.threads == [ON_THE_LOOP if command is not None else f"strategy {MARKET}"]  # a start forgives
        told.strategy.want(1)
        witness.go.set()  # what it was asked before has an answer only now
        await asyncio.sleep(20)
        assert told.task.desk.target is None
        assert len(told.strategy.made) == made + 1
        assert len(told.strategy.made[-1].opened) == told.task.strategist.shown >= LOOKBACK

    hurry(story)


def test_a_strategy_that_raises_aside_has_its_market_fall() -> None:
    """As one that raises on the loop: it begins anew."""

    async def story(told: HurriedStory) -> None:
        await slow(told)
        told.strategy.error, told.strategy.once = ValueError("a fault of the strategy"), True
        await told.bar()
        await told.until(lambda: told.task.supervisor.falls == 1)
        await told.reach(RunState.LIVE)

    hurry(story)


class LibraryPanic(BaseException):
    """What libraries written in Rust raise where they give up: no `Exception`."""


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, LibraryPanic])
@pytest.mark.parametrize("prepare", [hold, slow])
def test_a_strategy_that_ends_the_process_only_falls(
    prepare: Callable[[HurriedStory], Awaitable[object]], raised: type[BaseException]
) -> None:
    """On the loop it would be obeyed, or end the task; on a thread it would end that, and its market wait for ever."""

    async def story(told: HurriedStory) -> None:
        def leave() -> None:
            told.strategy.busy = None
            raise raised

        await prepare(told)
        told.strategy.busy = leave
        await told.bar()
        await told.until(lambda: told.task.supervisor.falls == 1)
        await told.reach(RunState.LIVE)

    hurry(story)


class WordlessError(Exception):
    """One whose words are a fault themselves, as of a library that formats what it has not got."""

    def __str__(self) -> str:
        raise KeyError("words")


class TalkativeError(Exception):
    """One that says all that it was given."""

    def __str__(self) -> str:
        return "x" * 1_000_000


@pytest.mark.parametrize("raised", [WordlessError, TalkativeError])
@pytest.mark.parametrize("prepare", [hold, slow])
def test_an_error_of_a_strategy_is_told_whatever_its_words(
    prepare: Callable[[HurriedStory], Awaitable[object]], raised: type[Exception]
) -> None:
    """Words that fail ended the daemon; words without end would stand in the journal and in every report."""

    async def story(told: HurriedStory) -> None:
        await prepare(told)
        told.strategy.error, told.strategy.once = raised(), True
        await told.bar()
        await told.until(lambda: told.task.supervisor.falls == 1)
        fell = next(
            e.reason for e in told.disk.events if isinstance(e, RunStateChanged) and raised.__name__ in e.reason
        )
        assert len(fell) < 1100
        await told.reach(RunState.LIVE)

    hurry(story)


def test_a_strategy_that_takes_too_long_is_stopped_and_its_position_stays_protected() -> None:
    """The market alone is FAILED, with the reason; its stop is seen to, its books are kept; a start forgives."""

    async def story(told: HurriedStory) -> None:
        await hold(told, SHORT)
        told.strategy.busy = lambda: time.sleep(0.6)
        told.strategy.want(0)
        await told.bar()
        await told.reach(RunState.FAILED)
        assert "for a bar; 500 ms are the most" in told.roster[MARKET].reason
        assert len(noted(told, "strategy.stopped")) == 1
        assert told.venue.net == 2  # what it wanted last is not done
        told.venue.stop = None
        told.venue.push(told.venue.position())
        await told.until(lambda: told.venue.position().stop is not None)
        told.strategy.busy = None
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        assert not told.task.overseer.why

    hurry(story)


def test_a_strategy_that_never_returns_is_interrupted_twice(alarm: Alarm) -> None:
    """On the loop after a moment, so that the others go on; aside once its own market has waited long enough."""
    threads = []

    def spin() -> None:
        threads.append(threading.current_thread())
        while True:
            pass

    async def story(told: HurriedStory) -> None:
        told.alarm = alarm
        await hold(told, SHORT)
        told.strategy.busy = spin
        await told.bar()
        await told.reach(RunState.FAILED)
        assert told.roster[MARKET].reason == "its strategy did not return within 500 ms"
        assert [thread.name for thread in threads] == [ON_THE_LOOP, f"strategy {MARKET}"]
        await told.until(lambda: not threads[1].is_alive())
        assert not noted(told, "strategy.lingers")

    hurry(story)


def test_a_call_that_cannot_be_ended_is_named_and_keeps_its_market_from_starting() -> None:
    """A wait of the system hears nothing. Once it is over the market may start."""
    go = threading.Event()

    def wait() -> None:
        go.wait()

    async def story(told: HurriedStory) -> None:
        await slow(told, SHORT)
        told.strategy.busy = wait
        await told.bar()
        await told.until(lambda: bool(noted(told, "strategy.lingers")))
        told.roster.command(MARKET, Command.START, "test")
        await told.until(lambda: "has not ended" in told.roster[MARKET].reason)
        assert told.state is RunState.FAILED
        go.set()
        await told.until(lambda: bool(noted(told, "strategy.ended")))
        told.strategy.busy = None
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)

    hurry(story)


def test_indicators_that_were_interrupted_are_not_used(alarm: Alarm) -> None:
    """They may have taken in half a bar: the market begins anew, aside from its first bar, and has not fallen."""
    witness = Witness()

    async def story(told: HurriedStory) -> None:
        told.alarm = alarm
        told.strategy.busy_closes = witness
        await hold(told)
        begun, made = len(witness.threads), len(told.strategy.made)
        witness.sleeps_s = 0.3
        await told.bar()
        witness.sleeps_s = 0.0
        await told.until(lambda: len(told.strategy.made) == made + 1)
        await told.reach(RunState.LIVE)
        await told.bar()
        after = witness.threads[begun + 1 :]
        assert witness.threads[begun] == ON_THE_LOOP
        assert after
        assert set(after) == {f"strategy {MARKET}"}
        assert told.task.supervisor.falls == 0
        assert told.venue.net == 2

    hurry(story)


def test_indicators_that_take_long_to_make_are_made_aside(alarm: Alarm) -> None:
    """A model that is read from a file, say."""

    class Heavy(Closes):
        def __init__(self) -> None:
            super().__init__()
            threads.append(threading.current_thread().name)
            time.sleep(0.3)

    threads: list[str] = []

    async def story(told: HurriedStory) -> None:
        told.alarm = alarm
        told.decisions = BOUNDS
        told.strategy.closes = Heavy
        await told.live()
        assert threads == [ON_THE_LOOP, f"strategy {MARKET}"]
        assert told.task.strategist.shown >= LOOKBACK

    hurry(story)


def test_many_quick_calls_in_one_turn_are_not_all_made_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long history is as long as one slow call: the rest of it is taken in aside, and nobody is blamed."""
    watch = Stopwatch()
    for measures in ("overseer", "errand", "strategist", "standstill"):
        monkeypatch.setattr(f"kangbot.market.{measures}.perf_counter_ns", watch)
    witness = Witness(takes=watch.forty_ms)

    async def story(told: HurriedStory) -> None:
        told.decisions = BOUNDS
        told.strategy.busy_closes = witness
        await told.live()
        ours = f"strategy {MARKET}"
        first = witness.threads.index(ours)
        assert witness.threads[:first] == [ON_THE_LOOP] * first
        assert 0 < first <= 3
        assert set(witness.threads[first:]) == {ours}
        witness.takes = lambda: None
        await told.bar()
        assert witness.threads[-1] == ON_THE_LOOP
        opened = told.strategy.made[-1].opened
        assert opened == list(range(opened[0], opened[-1] + MINUTE_NS, MINUTE_NS))
        assert not noted(told, "strategy.slow")

    hurry(story)


async def held_up(told: HurriedStory) -> tuple[Witness, int]:
    """Have the strategy be in the middle of a call aside; return when the next bar opens as well."""
    witness = await slow(told)
    await told.bar()
    witness.go.clear()
    await told.bar()
    await told.until(lambda: len(witness.threads) == 3)
    return witness, told.strategy.made[-1].opened[-1] + MINUTE_NS


def test_a_strategy_that_does_not_keep_up_is_stopped() -> None:
    """Its bars wait in order, and not without end."""

    async def story(told: HurriedStory) -> None:
        witness, first_ns = await held_up(told)
        for number in range(61):
            told.task.inbox.offer(bar_at(first_ns + number * MINUTE_NS), 1)
        await told.reach(RunState.FAILED)
        assert told.roster[MARKET].reason == "its strategy does not keep up with its bars: 61 wait for it"
        witness.go.set()

    hurry(story)


def test_a_hole_that_history_closes_is_no_sign_that_it_does_not_keep_up() -> None:
    """Hours of candles come in one piece."""

    async def story(told: HurriedStory) -> None:
        witness, first_ns = await held_up(told)
        for number in range(100):
            told.task.strategist.show(bar_at(first_ns + number * MINUTE_NS), fetched=True)
        witness.go.set()
        told.strategy.want(0)
        await told.bar()
        await told.until(lambda: told.venue.net == 0)
        assert told.state is RunState.LIVE

    hurry(story)


def test_a_library_that_keeps_the_interpreter_is_named_and_in_the_end_stopped() -> None:
    """From a thread as well it holds up the loop, and nothing interrupts it."""

    def compute() -> None:
        sum(range(25_000_000))  # one call into C

    async def story(told: HurriedStory) -> None:
        await slow(told, msgspec.structs.replace(BOUNDS, within_ns=DAY_NS))
        told.strategy.busy = compute
        for _ in range(20):
            await told.bar()
            if told.state is RunState.FAILED:
                break
        await told.reach(RunState.FAILED)
        assert "keeps the interpreter to itself, more than 100 ms 4 times within 86400 s" in told.roster[MARKET].reason
        assert len(noted(told, "strategy.holds")) == 1

    hurry(story)


def test_while_one_strategy_computes_another_market_decides_in_time() -> None:
    """On the one loop, in Python: it waits for a small part of what the slow one takes for a bar.

    Both by the processor's time, of which a machine that stands still takes nothing.
    """
    busy_s, soon_s = 0.3, 0.02
    began, offered, decided = list[float](), list[float](), list[tuple[int, float]]()

    def spin() -> None:
        began.append(time.process_time())
        while time.process_time() < began[-1] + busy_s:
            pass

    def offer(inbox: Inbox, bar: Bar) -> None:
        offered.append(time.process_time())
        inbox.offer(bar, 1)

    async def story(told: HurriedStory) -> None:
        (other,) = told.beside
        for one in (told, other):
            one.decisions = BOUNDS
            await one.live()
        told.strategy.busy = spin
        await told.bar()  # the last one on the loop
        other.strategy.busy = lambda: decided.append((other.strategy.made[-1].opened[-1], time.process_time()))
        waited = []
        for number in range(8):
            before, calls = told.task.strategist.decisions, len(began)
            # Without an order nothing moves on while it computes, for which it would be asked once more.
            told.strategy.target = Target(exposure=ZERO, stop=None, reason=f"{number}")
            told.task.inbox.offer(bar_at(told.strategy.made[-1].opened[-1] + MINUTE_NS), 1)
            await told.until(lambda: len(began) > calls)  # noqa: B023 -- in this turn of the loop
            bar = bar_at(other.strategy.made[-1].opened[-1] + MINUTE_NS)
            asyncio.get_running_loop().call_later(soon_s * PACE, offer, other.task.inbox, bar)
            await told.until(lambda: len(offered) > number)  # noqa: B023 -- likewise
            await told.until(lambda: bool(decided) and decided[-1][0] >= bar.open_ns)  # noqa: B023 -- likewise
            waited.append(next(at for opened, at in decided if opened >= bar.open_ns) - offered[-1])
            await told.until(lambda: told.task.strategist.decisions > before)  # noqa: B023 -- likewise
            assert told.task.desk.target == told.strategy.target
        assert median(waited) < busy_s / 3
        assert told.state is other.state is RunState.LIVE

    hurry(story, others=1)
