"""What a session is told and what it answers: rules, reasons, effects. How it decides is in `machines/session.py`.

Topics are named by the venue's own word (`native`), requests by the number we gave them. Frames are the shell's
business: an effect says what to do, the dialect says in which bytes.
"""

from collections.abc import Sequence
from enum import Enum, StrEnum

import msgspec

from kangbot.machines.watchdog import Patience

SECOND_NS = 1_000_000_000


class TopicState(StrEnum):
    """Where a topic stands on its connection; the table is in `machines/session.py`."""

    WANTED = "wanted"  # nothing sent, or no longer believed
    REQUESTED = "requested"  # subscribe frame sent, no answer yet
    ACKED = "acked"  # the venue said yes, no data yet
    LIVE = "live"  # acknowledged, and data came
    STALE = "stale"  # was live, silent beyond its budget; asked for again when it may be
    DENIED = "denied"  # the venue said no; asked for again after a long rest


class Trouble(StrEnum):
    """Why a topic is down; each is counted by itself, for each has another cause."""

    UNACKNOWLEDGED = "unacknowledged"  # no answer to the subscription in time
    DENIED = "denied"  # a definitive no
    MUTE = "mute"  # acknowledged, but no first data in time
    SILENT = "silent"  # was live, nothing comes any more
    STUCK = "stuck"  # data comes, its venue time stands still
    GAP = "gap"  # data comes, and some of it is missing by the venue's numbering
    CLOSED = "closed"  # the connection ended


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of one topic.

    `patience` is its budget of silence; None where silence means nothing (an account without orders), and then the
    topic is live by its acknowledgement alone. `first_ns` is how soon after that the first data must come; sooner where
    the topic's usual gap is known. `witness` False: its silence says little (a market without trades), so it is asked
    for again, but neither moved nor held against its connection.
    """

    patience: Patience | None
    first_ns: int = 10 * SECOND_NS
    witness: bool = True


class SessionRules(msgspec.Struct, frozen=True, kw_only=True):
    """The clocks and limits of one connection."""

    topics_a_request: int = 10
    ping_ns: int = 20 * SECOND_NS  # a heartbeat is asked for at least this often
    messages: int = 4  # at most so many messages in `messages_span_ns` (Binance closes at 10 a second, spot at 5)
    messages_span_ns: int = SECOND_NS
    login_ns: int = 10 * SECOND_NS
    ack_ns: int = 8 * SECOND_NS
    probe_ns: int = 3 * SECOND_NS  # nothing at all was heard for so long: ask for a heartbeat now
    pong_ns: int = 5 * SECOND_NS  # still nothing at all so long after asking: the socket is dead
    tick_ns: int = SECOND_NS // 2
    late_ns: int = SECOND_NS  # a tick later than this says that we were away, not the venue
    steady_ns: int = 60 * SECOND_NS  # live for so long, a topic's failures are forgiven
    attempts: int = 3  # failures in a row before a topic is given up here
    rest_first_ns: int = 2 * SECOND_NS  # from the second failure on a topic rests; it doubles
    rest_most_ns: int = 300 * SECOND_NS
    denied_ns: int = 300 * SECOND_NS  # the rest of a topic that was refused
    idle_ns: int = 30 * SECOND_NS  # nothing wanted for so long: the connection is not needed


class Stage(Enum):
    """Where the connection stands."""

    CLOSED = "closed"
    LOGIN = "login"
    READY = "ready"
    CLOSING = "closing"  # we asked for the close; nothing is said any more


class TopicLife(msgspec.Struct, kw_only=True):
    """What a session knows of one topic; changed by the session alone."""

    native: str
    terms: Terms
    state: TopicState = TopicState.WANTED
    due_ns: int = 0  # WANTED, STALE, DENIED: not to be sent before; REQUESTED, ACKED: its time is up
    request: str = ""
    dirty: bool = False  # the venue may hold a subscription: unsubscribe before asking again
    alone: bool = False  # to be asked for in a request of its own
    sole: bool = False  # its request named nobody else
    heard: bool = False  # data came before the answer,
    stamp: int = 0  # and that was the venue time of the last of them
    failures: int = 0  # in a row
    live_ns: int = 0


# ------------------------------------------------------------------------------------------------------------ effects
class Subscribe(msgspec.Struct, frozen=True):
    """Send the frame that subscribes `natives` under `request`."""

    request: str
    natives: Sequence[str]


class Unsubscribe(msgspec.Struct, frozen=True):
    """Send the frame that ends `natives`; its answer is of no interest."""

    request: str
    natives: Sequence[str]


class Ping(msgspec.Struct, frozen=True):
    """Send the heartbeat: the venue's own where it has one, else the transport's."""

    request: str


class Reply(msgspec.Struct, frozen=True):
    """Send `frame` as it is: the venue asked for a heartbeat."""

    frame: str


class TopicAcked(msgspec.Struct, frozen=True):
    """The venue said yes to the topic."""

    native: str


class TopicLive(msgspec.Struct, frozen=True):
    """The topic is acknowledged and its data flows."""

    native: str


class TopicDown(msgspec.Struct, frozen=True):
    """The topic cannot be relied on; it is being healed."""

    native: str
    trouble: Trouble
    message: str


class TopicGivenUp(msgspec.Struct, frozen=True):
    """The topic failed `attempts` times here while its neighbours are well: try it on another connection."""

    native: str
    trouble: Trouble


class CloseKind(StrEnum):
    """Why we close: the wait before the next dial differs."""

    DEAF = "deaf"  # the socket or most of its topics say nothing
    LOGIN = "login"  # login refused or unanswered
    IDLE = "idle"  # nothing is wanted any more


class Close(msgspec.Struct, frozen=True):
    """Close the connection, then tell the session that it is closed."""

    kind: CloseKind
    reason: str


Effect = Subscribe | Unsubscribe | Ping | Reply | TopicAcked | TopicLive | TopicDown | TopicGivenUp | Close
