"""Troubles of topics, told together: what befalls many topics within one turn of the loop is one event, told once.

Its end is told as its beginning was: a topic's own, and that of many once none of the pool is in trouble any more. A
topic that nobody asks for any longer is in none; of one that was told of by itself there is nothing more to say.
"""

import asyncio
from collections.abc import Callable

import structlog

from kangbot.machines.session_words import Trouble
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.ports import Topic

log = structlog.get_logger(__name__)

OnNote = Callable[[str, Severity, MarketId | None, str], None]

_NAMED = 3  # so many topics are told one by one; more are counted, with the first of them as examples


class Bulletin:
    """Gathers what happens to the topics of one pool and tells it at the end of the turn.

    `troubled` says whether any topic of the pool still is.
    """

    def __init__(self, pool: str, note: OnNote, troubled: Callable[[], bool]) -> None:
        self._pool = pool
        self._note = note
        self._troubled = troubled
        self._told: set[str] = set()  # in trouble, and told of by themselves
        self._many = False  # others were told of as many,
        self._let_go = False  # and since then topics were let go
        self._downs: dict[Trouble, list[tuple[Topic, str]]] = {}
        self._ups: list[Topic] = []
        self._gone: list[Topic] = []
        self._due = False

    def down(self, topic: Topic, trouble: Trouble, message: str) -> None:
        """Take a topic that is in trouble."""
        self._downs.setdefault(trouble, []).append((topic, message))
        self._later()

    def up(self, topic: Topic) -> None:
        """Take a topic whose trouble is over."""
        self._ups.append(topic)
        self._later()

    def gone(self, topic: Topic) -> None:
        """Take a topic that nobody asks for any longer, in trouble or not."""
        self._gone.append(topic)
        self._later()

    def _later(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        downs, self._downs = self._downs, {}
        ups, self._ups = self._ups, []
        gone, self._gone = self._gone, []
        self._due = False
        for trouble, troubled in downs.items():
            kind = f"feed.{trouble}"
            if len(troubled) > _NAMED:
                self._tell_many(kind, troubled)
                continue
            for topic, message in troubled:
                log.warning(kind, topic=topic.native, market=topic.market, message=message)
                self._note(kind, Severity.WARNING, topic.market, f"{topic.native}: {message}")
                self._told.add(topic.native)
        if ups:
            log.info("feed.topics_up", pool=self._pool, count=len(ups), topics=_some(ups))
            self._tell_ups(ups)
        self._told.difference_update(topic.native for topic in gone)
        self._let_go = self._many and (self._let_go or bool(gone))
        if self._many and not self._troubled():
            self._tell_end()

    def _tell_ups(self, ups: list[Topic]) -> None:
        for topic in ups:
            if topic.native in self._told:
                self._told.remove(topic.native)
                self._note("feed.topic_up", Severity.INFO, topic.market, f"{topic.native}: data flows again")

    def _tell_end(self) -> None:
        message = "data of every topic flows again"
        if self._let_go:
            message = "no topic is in trouble any more; some are not asked for any longer"
        self._many = self._let_go = False
        self._note("feed.topic_up", Severity.INFO, None, f"{self._pool}: {message}")

    def _tell_many(self, kind: str, troubled: list[tuple[Topic, str]]) -> None:
        count, some = len(troubled), _some([topic for topic, _ in troubled])
        message = troubled[0][1]
        log.warning(kind, pool=self._pool, count=count, topics=some, message=message)
        self._many = True
        self._note(kind, Severity.ERROR, None, f"{self._pool}: {count} topics ({some}): {message}")


def _some(topics: list[Topic]) -> str:
    named = ", ".join(topic.native for topic in topics[:_NAMED])
    return named if len(topics) <= _NAMED else f"{named}, …"
