"""What goes into one commit, and who may still write when the disk is full. Blocking: used on the journal's thread."""

import contextlib
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from kangbot.errors import NeedsHuman
from kangbot.journal.file import FAILURES, JournalFile
from kangbot.journal.reserve import Reserve
from kangbot.journal.ticket import Ticket

_MAKE_ROOM = "make room on the disk of the state folder, or put the folder back; entries resume by themselves"
_CLOSE_IT = "close the program that has the journal open for writing; all resumes by itself"
_GIVE_MEMORY = "see what takes the memory: kangbot health; all resumes by itself"


class Group(NamedTuple):
    """What one `append` was given: stored whole or not at all."""

    events: Sequence[str]
    reserve: bool  # may use the room that is kept for exits
    ticket: Ticket


class Outcome(NamedTuple):
    """What became of a group: the sequence of its last event, or why it is not in the journal."""

    group: Group
    sequence: int
    error: NeedsHuman | None = None


class Committer:
    """Writes groups; on a full disk gives the reserve back and writes only what may use it.

    `full` tells that the disk took no more at the last commit, `why` in which words ("" where it took all), and whether
    exits pass. A file that somebody has removed is full, too, and one without its log: what it takes may be lost at the
    next start, so only what cannot wait is written there.
    """

    def __init__(self, file: JournalFile, reserve: Reserve) -> None:
        self._file = file
        self._reserve = reserve
        self._stored: Sequence[Outcome] = ()  # by this commit
        self.full = not reserve.take()
        self._refuses_exits = ""  # where it is full: why the last of them did not pass; "" where it did
        self.why = self._in_all(self._only_reserve) if self.full else ""

    @property
    def refuses_exits(self) -> bool:
        """Whether the last of them did not pass."""
        return bool(self._refuses_exits)

    @property
    def _only_reserve(self) -> str:
        return f"only its reserve is left: {self._reserve.why}"

    def store(self, groups: Sequence[Group]) -> list[Outcome]:
        """Store all groups in one commit where there is room, else those of the reserve. Never raises.

        Memory may run out in the middle of it. What is on disk by then is not told to be refused: that is given again,
        and a fill that is there twice would count twice.
        """
        self._stored = list[Outcome]()
        try:
            return self._store(groups)
        except MemoryError as error:
            self.full, self.why = True, self._in_words(error)
            refused = _refused(self.why, error)
            stored = {id(outcome.group) for outcome in self._stored}
            return [*self._stored, *[Outcome(group, 0, refused) for group in groups if id(group) not in stored]]

    def _store(self, groups: Sequence[Group]) -> list[Outcome]:
        cause: Exception | None = None
        why = self._hindered()
        if not why:
            try:
                outcomes = self._write(groups)
            except FAILURES as error:
                cause, why = error, self._in_words(error)
            else:
                self.why = self._refuses_exits = ""
                return outcomes
        self.full = True
        refused = _refused(why, cause)
        if _busy(cause):  # no room would help, and who writes now has been waited for
            self._refuses_exits = why
            outcomes = [Outcome(group, 0, refused) for group in groups]
        else:
            outcomes = [Outcome(group, 0, refused) for group in groups if not group.reserve]
            outcomes += self._store_exits([group for group in groups if group.reserve], give_back=cause is not None)
        self.why = self._in_all(why)
        return outcomes

    def _store_exits(self, groups: Sequence[Group], *, give_back: bool) -> list[Outcome]:
        if give_back:
            self._reserve.release()
            self._bound(self._reserve.size)
        if not groups:
            return []
        try:
            outcomes = self._write(groups)
        except FAILURES as error:
            self._refuses_exits = self._in_words(error)
            refused = _refused(self._refuses_exits, error)
            return [Outcome(group, 0, refused) for group in groups]
        self._refuses_exits = ""
        return outcomes

    def _in_all(self, why: str) -> str:
        if self._refuses_exits:
            return f"takes nothing, exits neither: {self._refuses_exits}"
        return f"takes only exits: {why}"

    def _hindered(self) -> str:
        """Return why only the reserve may be used, "" where all may; takes the reserve again once the disk has room."""
        if lost := self._file.lost():
            return lost
        if self.full:
            if not self._reserve.take():
                return self._only_reserve
            self.full = False
            self._bound(0)
        return ""

    def _bound(self, beyond_bytes: int) -> None:
        with contextlib.suppress(*FAILURES):  # a disk that answers nothing: the next write has its words
            self._file.limit_pages(beyond_bytes)

    def _in_words(self, error: Exception) -> str:
        if isinstance(error, MemoryError):
            return "this process is given no more memory"
        if _busy(error):
            return f"{error} by another program, such as sqlite3"
        if _code(error) == sqlite3.SQLITE_IOERR and (system := self._reserve.ails()):
            return f"{error}: {system}"  # SQLite keeps to itself what it was told
        return str(error)

    def _write(self, groups: Sequence[Group]) -> list[Outcome]:
        sequence, outcomes = self._file.last, list[Outcome]()
        for group in groups:
            sequence += len(group.events)
            outcomes.append(Outcome(group, sequence))
        self._file.insert([event for group in groups for event in group.events])
        self._stored = outcomes  # nothing is asked of the memory from the moment on that it is there
        return outcomes


def _busy(error: Exception | None) -> bool:
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: Exception | None) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _refused(why: str, error: Exception | None) -> NeedsHuman:
    remedy = _GIVE_MEMORY if isinstance(error, MemoryError) else _CLOSE_IT if _busy(error) else _MAKE_ROOM
    return NeedsHuman(
        f"the journal cannot be written: {why}",
        remedy=remedy,
        code=getattr(error, "sqlite_errorname", None),
    )
