"""What a strategy is: a pure function from a view of its market to the target it wants.

A strategy answers with a target and never with orders. It holds no state of its own: what it remembers of the past is
in its indicators, which are a function of the closed bars, and in the view. So deciding twice on the same view gives
the same target, and after a restart it converges to what it wanted before. How the target becomes orders is left to
`machines/plan.py`; how many bars arrive before the first decision, to the market's warm-up.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

import msgspec

from kangbot.model.data import Bar, Quote
from kangbot.model.market import Instrument
from kangbot.model.position import Position, RoundTrip
from kangbot.model.target import Target
from kangbot.strategy.parameters import Parameters

__all__ = ["Indicators", "Parameters", "Strategy", "Target", "View"]


class Indicators(Protocol):
    """What a strategy remembers of the closed bars: constant work a bar, bounded memory."""

    def update(self, bar: Bar) -> None:
        """Take in one closed bar; each comes once, oldest first."""


Ind = TypeVar("Ind", bound=Indicators)
Par = TypeVar("Par", bound=Parameters)


class View(msgspec.Struct, Generic[Ind], frozen=True, kw_only=True):
    """Everything a decision may look at."""

    instrument: Instrument
    now_ns: int
    bars: Sequence[Bar]  # the newest closed bars, oldest first; as many as `Strategy.bars_kept`, at least one
    quote: Quote | None  # the newest top of book; None before the first
    position: Position  # the sum of our own fills; flat where what is left of it is less than any order
    target: Target | None  # what is wanted at present; None after a start
    last_trip: RoundTrip | None = None  # the newest closed round trip of this market
    indicators: Ind  # updated with every bar up to and including the newest

    @property
    def bar(self) -> Bar:
        """The newest closed bar."""
        return self.bars[-1]


class Strategy(ABC, Generic[Par, Ind]):
    """Base of all strategies. A subclass names itself, declares its parameters and decides.

    One instance may serve many markets: what belongs to a market is in its indicators.
    """

    name: ClassVar[str]
    parameters_type: ClassVar[type[Parameters]]
    bars_kept: ClassVar[int] = 1  # how many closed bars `View.bars` holds; a bar costs about 700 bytes a market
    decides_on_quotes: ClassVar[bool] = False  # whether to decide on each new quote too, not only on closed bars

    __slots__ = ("parameters",)

    def __init__(self, parameters: Par) -> None:
        self.parameters = parameters

    @property
    @abstractmethod
    def lookback(self) -> int:
        """How many closed bars the indicators need before the first decision."""

    @abstractmethod
    def indicators(self) -> Ind:
        """Return fresh indicators for one market."""

    @abstractmethod
    def decide(self, view: View[Ind]) -> Target | None:
        """Return what is wanted of the market now; None where there is nothing to say, and the target stays."""
