"""The settings of feeds, with the reason for each default: how long silence may last, how long a dial waits."""

from collections.abc import Mapping

import msgspec

from kangbot.feed.failure import FailureKind
from kangbot.machines.session_words import SessionRules, Terms
from kangbot.machines.watchdog import Patience
from kangbot.ports import Channel
from kangbot.runtime.world import SECOND_NS


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """The waits after failures of one kind: the first, and where doubling ends, in seconds."""

    first_s: float
    most_s: float


def _waits() -> Mapping[FailureKind, Wait]:
    return {
        FailureKind.TIMEOUT: Wait(first_s=4.0, most_s=30.0),
        FailureKind.POLICY: Wait(first_s=5.0, most_s=30.0),
        FailureKind.REJECTED: Wait(first_s=15.0, most_s=60.0),  # a wrong address does not heal by itself
        FailureKind.LOGIN: Wait(first_s=60.0, most_s=300.0),  # a person is called; more tries look like an attack
    }


class StreamRules(msgspec.Struct, frozen=True, kw_only=True):
    """The limits and waits of one stream; `session` are the clocks of its connection."""

    session: SessionRules = msgspec.field(default_factory=SessionRules)
    waits: Mapping[FailureKind, Wait] = msgspec.field(default_factory=_waits)
    others: Wait = msgspec.field(default_factory=lambda: Wait(first_s=1.0, most_s=15.0))  # for kinds that `waits` lacks
    settle_s: float = 60.0  # data must have flowed for so long before failures are forgiven
    open_s: float = 10.0
    close_s: float = 2.0
    transport_ping_s: float = 20.0  # the websocket protocol's own ping, and the time for its answer
    max_bytes: int = 4 << 20  # the largest snapshot of the supported venues is far below; more is closed with 1009

    def wait(self, kind: FailureKind) -> Wait:
        """Return the waits after a failure of that kind."""
        return self.waits.get(kind, self.others)


def terms(first_s: float, least_s: float, most_s: float, *, witness: bool = True) -> Terms:
    """Return how much silence is allowed: at first, and at least and at most once the usual is known, in seconds."""
    first_ns = round(first_s * SECOND_NS)
    patience = Patience(
        least_ns=round(least_s * SECOND_NS),
        most_ns=round(most_s * SECOND_NS),
        early_ns=first_ns,  # who was to speak so soon at first may be expected to speak as soon again
    )
    return Terms(patience=patience, first_ns=first_ns, witness=witness)


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """How much silence each channel is allowed, and how soon its first data must come.

    The latter is also what is allowed while the usual gap is unknown, in the first twenty events of a topic.
    """

    # A quote comes as a snapshot at once, and stale quotes are what must be noticed in seconds.
    quote: Terms = msgspec.field(default_factory=lambda: terms(10.0, 4.0, 30.0))
    # A quiet market may have no trade for a long while; what is usual for it is learned, and it accuses nobody.
    trade: Terms = msgspec.field(default_factory=lambda: terms(300.0, 60.0, 900.0, witness=False))
    # A bar's topic speaks at the latest when its bar closes; venues send the close with some delay.
    bar_grace_s: float = 30.0
    # An account without orders is silent by right: acknowledged is live.
    account: Terms = msgspec.field(default_factory=lambda: Terms(patience=None))

    def of(self, channel: Channel, timeframe_s: int | None) -> Terms:
        """Return the terms of a topic; `timeframe_s` for bars."""
        match channel:
            case Channel.QUOTE:
                return self.quote
            case Channel.TRADE:
                return self.trade
            case Channel.ACCOUNT:
                return self.account
            case Channel.BAR:
                frame_s = timeframe_s or 60
                return terms(frame_s + self.bar_grace_s, frame_s + self.bar_grace_s, 2 * frame_s + self.bar_grace_s)
