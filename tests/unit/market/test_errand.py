"""What a slow strategy is handed: bars in their order, then a decision, and whatever came of it as an answer."""

from decimal import Decimal, getcontext, localcontext
from typing import Any

import pytest

from kangbot.market.errand import Errand
from kangbot.model.data import Bar
from kangbot.model.position import Position
from kangbot.model.target import Target
from kangbot.strategy.base import View
from tests.support.floor_story import MINUTE_NS, Closes, Steered, bar_at
from tests.support.trade_words import MARKET, instrument

LONG = Target(exposure=Decimal(1), stop=Decimal(90), reason="the test wants it")


class Looking(Steered):
    """Keeps what it was shown as it decided."""

    __slots__ = ("views",)

    def __init__(self) -> None:
        super().__init__()
        self.views: list[View[Closes]] = []
        self.target = LONG

    def decide(self, view: View[Closes]) -> Target | None:
        self.views.append(view)
        return super().decide(view)


def errand(strategy: Steered, *, bars: int = 2, decides: bool = True, **fields: Any) -> Errand:
    """Return one of so many bars of one minute after the other."""
    view: View[Any] = View(
        instrument=instrument(),
        now_ns=0,
        bars=(bar_at(0),),
        quote=None,
        position=Position(market=MARKET),
        target=None,
        indicators=None,
    )
    usual: dict[str, Any] = {
        "attempt": 7,
        "strategy": strategy,
        "indicators": Closes(),
        "unmade": False,
        "bars": tuple(bar_at(number * MINUTE_NS) for number in range(bars)),
        "view": view if decides else None,
        "received_ns": 0,
    }
    return Errand(**{**usual, **fields})


def test_it_is_shown_its_bars_in_their_order_and_decides_after_the_last() -> None:
    """With indicators that have taken all of them in; the answer bears the attempt that it belongs to."""
    strategy = Looking()
    asked = errand(strategy, bars=3)
    answered = asked.run()
    (view,) = strategy.views
    assert view.indicators is answered.indicators is asked.indicators
    assert view.indicators.opened == [0, MINUTE_NS, 2 * MINUTE_NS]
    assert (answered.attempt, answered.target, answered.error) == (7, LONG, None)


def test_without_a_view_nothing_is_decided() -> None:
    """It only takes in what closed."""
    strategy = Looking()
    answered = errand(strategy, decides=False).run()
    assert (strategy.views, answered.target, answered.indicators.opened) == ([], None, [0, MINUTE_NS])


@pytest.mark.parametrize("unmade", [True, False])
def test_indicators_that_are_still_to_be_made_are_made_first(unmade: bool) -> None:
    """And those that are there are used."""
    strategy, given = Looking(), Closes()
    answered = errand(strategy, indicators=given, unmade=unmade).run()
    assert (answered.indicators is given, len(strategy.made)) == (not unmade, int(unmade))
    assert answered.indicators.opened == [0, MINUTE_NS]


class LibraryPanic(BaseException):
    """What libraries written in Rust raise where they give up: no `Exception`."""


@pytest.mark.parametrize("raised", [ZeroDivisionError("a fault"), SystemExit(1), LibraryPanic("gave up")])
def test_whatever_it_raises_is_the_answer(raised: BaseException) -> None:
    """A thread that ended without one would be waited for. What would end the loop is an error in words."""
    strategy = Looking()

    def leave() -> None:
        raise raised

    strategy.busy = leave
    answered = errand(strategy).run()
    assert answered.target is None
    if isinstance(raised, Exception):
        assert answered.error is raised
    else:
        assert isinstance(answered.error, RuntimeError)
        assert str(answered.error).startswith(f"its strategy raised {type(raised).__name__}")


def test_indicators_that_raise_are_asked_no_more() -> None:
    """Not for the bars after it, nor for a decision; what they came to is given back all the same."""
    strategy, indicators = Looking(), Closes()

    def leave() -> None:
        raise ZeroDivisionError

    indicators.busy = leave
    answered = errand(strategy, indicators=indicators).run()
    assert isinstance(answered.error, ZeroDivisionError)
    assert (strategy.views, indicators.opened, answered.indicators is indicators) == ([], [0], True)


class Stopwatch:
    """In place of the counter of performance: time passes as the test says."""

    def __init__(self) -> None:
        self.now_ns = 1

    def __call__(self) -> int:
        return self.now_ns


@pytest.mark.parametrize(("making", "bar", "deciding"), [(50, 20, 20), (20, 50, 20), (20, 20, 50)])
def test_its_longest_call_is_told_whichever_that_was(
    monkeypatch: pytest.MonkeyPatch, making: int, bar: int, deciding: int
) -> None:
    """Of many, not their sum. When the call began that is under way is known, for it may be one that never returns."""
    watch = Stopwatch()
    monkeypatch.setattr("kangbot.market.errand.perf_counter_ns", watch)
    under_way: list[int] = []

    def take(ns: int) -> None:
        under_way.append(watch.now_ns - asked.began_ns)
        watch.now_ns += ns

    class Busy(Looking):
        __slots__ = ()

        def indicators(self) -> Closes:
            take(making)
            return super().indicators()

    strategy = Busy()
    strategy.busy, strategy.busy_closes = (lambda: take(deciding)), (lambda: take(bar))
    asked = errand(strategy, bars=3, unmade=True)
    watch.now_ns += 1_000  # it waited for its thread
    assert asked.run().longest_ns == 50
    assert under_way == [0] * 5


def test_a_call_that_raises_is_measured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have taken long to fail."""
    watch = Stopwatch()
    monkeypatch.setattr("kangbot.market.errand.perf_counter_ns", watch)
    strategy = Looking()

    def fail_late() -> None:
        watch.now_ns += 50
        raise ZeroDivisionError

    strategy.busy = fail_late
    assert errand(strategy).run().longest_ns == 50


def test_how_it_computes_aside_is_its_own_each_time() -> None:
    """Its thread is asked again and again: the same view leads to the same target there too."""
    precisions = []

    class Telling(Closes):
        def update(self, bar: Bar) -> None:
            super().update(bar)
            precisions.append(getcontext().prec)
            getcontext().prec = 4

    with localcontext(prec=28):
        for number in range(2):
            errand = Errand(
                attempt=1,
                strategy=Looking(),
                indicators=Telling(),
                unmade=False,
                bars=(bar_at(number * MINUTE_NS),),
                view=None,
                received_ns=0,
            )
            assert errand.run().error is None
    assert precisions == [28, 28]
