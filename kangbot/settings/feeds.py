"""The section about data: how long silence may last."""

from dataclasses import dataclass
from typing import Annotated

from kangbot.settings.kinds import DAY_S, SECTION, Between


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """`[feeds]`: how much silence of a topic is too much; then it is subscribed anew, and nothing is entered on it.

    What is usual for a topic is learned, and silence is judged by that: never sooner than `least`, never later than
    `most`. `first` is what its first data may take, and what is allowed while the usual is unknown. All in seconds.
    """

    __pydantic_config__ = SECTION

    quote_first_s: Annotated[float, Between(1, DAY_S)] = 10.0
    """A quote comes as a snapshot at once."""

    quote_least_s: Annotated[float, Between(1, DAY_S)] = 4.0
    """Stale quotes are what must be noticed in seconds."""

    quote_most_s: Annotated[float, Between(1, DAY_S)] = 30.0
    """More for markets whose quotes stand still for longer by right."""

    trade_first_s: Annotated[float, Between(1, DAY_S)] = 300.0
    """A quiet market may have no trade for a long while."""

    trade_least_s: Annotated[float, Between(1, DAY_S)] = 60.0
    """The same once the usual is known."""

    trade_most_s: Annotated[float, Between(1, DAY_S)] = 900.0
    """Trades that are silent for longer are asked for again, however seldom they are."""

    bar_grace_s: Annotated[float, Between(1, DAY_S)] = 30.0
    """A bar's topic speaks at the latest when its bar closes; venues send the close so much later at most."""
