"""Which of the things that happen become a message, and when: nobody reads the tenth of the same hour.

A notice is held for a moment so that what happens together is told together. The same notice is not told again within
`repeat_ns`, unless it is louder by now; how often it came is told with the next one, or by the digest. In the quiet
hours only what is critical is told; the rest waits for their end, and the quietest of it makes room for what is louder.
More than `an_hour` messages are never told within an hour, except critical ones, which have as many again. What is left
out is counted, and the count is in the next message. That something is over is told, however quiet it is, to
whoever was told that it had begun; where it begins anew after that, it is news again. What comes and goes is told once
each way within `repeat_ns`, and its last end when that has passed: the last word is how things stand.

::

    take(notice, now) ─▶ told soon | held by quiet hours or by the limit | kept as a last end | counted for the digest
    deadline(now)     ─▶ when `message` has something to say
    message(now)      ─▶ Message | None
"""

from collections import deque
from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from kangbot.model.events import Severity
from kangbot.model.ids import MarketId

MINUTE_NS = 60 * 1_000_000_000
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
LOUDNESS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2, Severity.CRITICAL: 3}
HELD = 50  # notices that wait for their message, at most: what is more is only counted
REMEMBERED = 500  # kinds and markets whose last telling is known


_Known = tuple[str, MarketId | None, str]  # kind, market, and what it is about


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, as a person would be told of it."""

    kind: str
    severity: Severity
    market: MarketId | None
    text: str
    at_ns: int
    about: str = ""  # tells apart what goes by the same kind: which check, which kind of error
    ends: tuple[str, ...] = ()  # the kinds of what is over by it


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent now. `digest` marks the daily one, which says how things stand even where nothing happened."""

    notices: tuple[Notice, ...]
    left_out: int  # notices since the last message that are in none
    digest: bool = False

    @property
    def severity(self) -> Severity:
        """The loudest of the notices; INFO without any."""
        return self.loudest.severity if self.notices else Severity.INFO

    @property
    def loudest(self) -> Notice:
        """The first of the loudest of them. ValueError without any."""
        return max(self.notices, key=_loudness)


class NoticeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator wants to hear. Minutes are of the day, UTC."""

    least: Severity = Severity.WARNING
    always: tuple[str, ...] = ()  # patterns over a notice's kind, as a shell has them: told whatever `least` says
    never: tuple[str, ...] = ()  # not told, whatever its severity, unless `always` matches too
    quiet: tuple[int, int] | None = None  # from, until; over midnight where from > until
    digest: int | None = None
    an_hour: int = 12
    gather_ns: int = 3_000_000_000
    repeat_ns: int = HOUR_NS

    def wants(self, notice: Notice, *, begun: bool = False) -> bool:
        """Whether the operator wants to hear of it at all; `begun`: was told of what is over by it."""
        if _matches(notice.kind, self.always):
            return True
        loud = begun or LOUDNESS[notice.severity] >= LOUDNESS[self.least]
        return loud and not _matches(notice.kind, self.never)


class Notices:
    """Large, hence mutable; one writer: the notifier. `left` is what an earlier life was to tell: it waits here."""

    def __init__(self, terms: NoticeTerms, now_ns: int, left: Sequence[Notice] = ()) -> None:
        self._terms = terms
        self._waiting = list(left[:HELD])
        self._told: dict[_Known, tuple[int, int]] = {  # when and how loud, oldest first
            _known(notice): (now_ns, _loudness(notice)) for notice in self._waiting
        }
        self._last_ends: dict[_Known, Notice] = {}  # of what comes and goes: told when they are no repetition any more
        self._sent: deque[int] = deque(maxlen=max(1, 2 * terms.an_hour))  # when messages were made, of the last hour
        self._left_out = 0
        self._digest_ns = None if terms.digest is None else _next_minute(now_ns, terms.digest)

    @property
    def waiting(self) -> Sequence[Notice]:
        """What is to be told and is in no message yet."""
        return tuple(self._waiting)

    def take(self, notice: Notice, now_ns: int) -> None:
        """Take what happened; it is told, held, or counted."""
        known, over = _known(notice), _over(notice)
        self._last_ends = {key: end for key, end in self._last_ends.items() if known not in _over(end)}
        begun = any(one in self._told for one in over)
        if not self._terms.wants(notice, begun=begun):
            return
        told_ns, loudness = self._told.get(known, (0, -1))
        repeated = loudness >= _loudness(notice) and now_ns - told_ns < self._terms.repeat_ns
        if repeated and begun:
            self._last_ends[known] = notice
            return
        if repeated or (len(self._waiting) >= HELD and not self._makes_room(notice)):
            self._left_out += 1
            return
        for gone in (known, *over):
            self._told.pop(gone, None)
        self._told[known] = (now_ns, _loudness(notice))
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        self._waiting.append(notice)

    def _makes_room(self, notice: Notice) -> bool:
        """Leave out the quietest of what waits, where it is quieter than this."""
        quietest = min(self._waiting, key=_loudness)
        if _loudness(quietest) >= _loudness(notice):
            return False
        self._waiting.remove(quietest)
        self._told.pop(_known(quietest), None)  # nobody was told of it
        self._left_out += 1
        return True

    def deadline_ns(self, now_ns: int) -> int | None:
        """Return when `message` has something to say; None where only a notice can bring that about."""
        due = [at_ns for at_ns in (self._digest_ns, self._due_ns(now_ns)) if at_ns is not None]
        return min(due + [self._news_ns(known) for known in self._last_ends], default=None)

    def message(self, now_ns: int) -> Message | None:
        """Return what is to be sent now, once; None where nothing is due."""
        for known, end in tuple(self._last_ends.items()):
            if self._news_ns(known) <= now_ns:
                del self._last_ends[known]
                self.take(end, now_ns)
        digest = self._digest_ns is not None and now_ns >= self._digest_ns
        due_ns = self._due_ns(now_ns)
        if not digest and (due_ns is None or now_ns < due_ns):
            return None
        if digest and self._terms.digest is not None:
            self._digest_ns = _next_minute(now_ns, self._terms.digest)
        message = Message(notices=tuple(self._waiting), left_out=self._left_out, digest=digest)
        self._waiting.clear()
        self._left_out = 0
        self._sent.append(now_ns)
        return message

    def _news_ns(self, known: _Known) -> int:
        """Return from when on it is no repetition."""
        told_ns, _ = self._told.get(known, (0, -1))
        return told_ns + self._terms.repeat_ns

    def _due_ns(self, now_ns: int) -> int | None:
        """Return when the notices that wait may leave."""
        if not self._waiting:
            return None
        at_ns = self._waiting[0].at_ns + self._terms.gather_ns
        critical = any(notice.severity is Severity.CRITICAL for notice in self._waiting)
        while self._sent and self._sent[0] <= now_ns - HOUR_NS:
            self._sent.popleft()
        room = self._terms.an_hour * (2 if critical else 1)
        if len(self._sent) >= room:
            at_ns = max(at_ns, self._sent[-room] + HOUR_NS)
        if not critical and self._terms.quiet is not None:
            at_ns = max(at_ns, _after_quiet(max(at_ns, now_ns), self._terms.quiet))
        return at_ns


def _known(notice: Notice) -> _Known:
    return (notice.kind, notice.market, notice.about)


def _over(notice: Notice) -> tuple[_Known, ...]:
    return tuple((kind, notice.market, notice.about) for kind in notice.ends)


def _loudness(notice: Notice) -> int:
    return LOUDNESS[notice.severity]


def _matches(kind: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in patterns)


def _after_quiet(at_ns: int, quiet: tuple[int, int]) -> int:
    """Return `at_ns`, or the end of the quiet hours it lies in."""
    start, end = quiet
    minute = at_ns // MINUTE_NS % 1440
    inside = start <= minute < end if start < end else minute >= start or minute < end
    return _next_minute(at_ns, end) if inside else at_ns


def _next_minute(now_ns: int, minute: int) -> int:
    """Return when the day's `minute` comes next, after `now_ns`."""
    at_ns = now_ns // DAY_NS * DAY_NS + minute * MINUTE_NS
    return at_ns if at_ns > now_ns else at_ns + DAY_NS
