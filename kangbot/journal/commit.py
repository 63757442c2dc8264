"""What goes into one commit, and who may still write when the disk is full. Blocking: used on the journal's thread."""

import contextlib
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from kangbot.errors import NeedsHuman
from kangbot.journal.file import JournalFile
from kangbot.journal.reserve import Reserve
from kangbot.journal.ticket import Ticket


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

    `full` tells that the disk took no more at the last commit.
    """

    def __init__(self, file: JournalFile, reserve: Reserve) -> None:
        self._file = file
        self._reserve = reserve
        self.full = not reserve.take()

    def store(self, groups: Sequence[Group]) -> list[Outcome]:
        """Store all groups in one commit where there is room, else those of the reserve. Never raises."""
        cause: sqlite3.Error | None = None
        if self._room():
            try:
                return self._write(groups)
            except sqlite3.Error as error:
                cause = error
                self._reserve.release()
                self._bound(self._reserve.size)
                self.full = True
        refused = _refused(cause)
        outcomes = [Outcome(group, 0, refused) for group in groups if not group.reserve]
        if exits := [group for group in groups if group.reserve]:
            try:
                outcomes += self._write(exits)
            except sqlite3.Error as error:
                refused = _refused(error)
                outcomes += [Outcome(group, 0, refused) for group in exits]
        return outcomes

    def _room(self) -> bool:
        """Whether there is room beyond the reserve; takes the reserve again as soon as the disk has it."""
        if self.full:
            self.full = not self._reserve.take()
            if not self.full:
                self._bound(0)
        return not self.full

    def _bound(self, beyond_bytes: int) -> None:
        with contextlib.suppress(sqlite3.Error):  # a disk that answers nothing: the next write has its words
            self._file.limit_pages(beyond_bytes)

    def _write(self, groups: Sequence[Group]) -> list[Outcome]:
        sequence = self._file.last
        self._file.insert([event for group in groups for event in group.events])
        outcomes = []
        for group in groups:
            sequence += len(group.events)
            outcomes.append(Outcome(group, sequence))
        return outcomes


def _refused(error: sqlite3.Error | None) -> NeedsHuman:
    reason = "only its reserve is left" if error is None else str(error)
    return NeedsHuman(
        f"the journal cannot be written: {reason}",
        remedy="make room on the disk of the state folder; entries resume by themselves",
        code=getattr(error, "sqlite_errorname", None),
    )
