"""When a file that somebody edits is worth reading, told by what its folder says of it.

Looked at by a beat. A file is read once it has been the same for two looks: an editor that writes in pieces, or puts a
new file in the old one's place, is let finish. What cannot be understood is read once more at the next look before
anybody hears of it: it may have been half-written all the same. Where nothing is known of the file itself (no
process could be had to read it, the venue did not answer for it), it is read again, later each time.
"""

from enum import Enum, auto

import msgspec

_FIRST, _MOST = 10, 3600  # looks to let pass before what was postponed is read again: doubled each time

Mark = tuple[int, ...]  # what changes with a file: its inode, size and times; () where it is not there


class Look(Enum):
    """What to do after a look."""

    NOTHING = auto()
    READ = auto()


class Edits(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the file. `judged` has been read and taken, or told of as wrong."""

    judged: Mark
    seen: Mark | None = None
    doubted: Mark | None = None  # it was read once, and not understood
    left: int = 0  # looks to let pass before it is read again
    postponed: int = 0  # times in a row

    def look(self, mark: Mark) -> tuple["Edits", Look]:
        """Take a look."""
        if mark == self.judged:
            return Edits(judged=mark), Look.NOTHING
        if mark != self.seen:
            return msgspec.structs.replace(self, seen=mark, left=0, postponed=0), Look.NOTHING
        if self.left:
            return msgspec.structs.replace(self, left=self.left - 1), Look.NOTHING
        return self, Look.READ

    def understood(self, mark: Mark) -> "Edits":
        """Note that the file, marked so, has been taken, or refused for good."""
        return Edits(judged=mark)

    def put_off(self, mark: Mark) -> "Edits":
        """Note that nothing is known of the file, marked so, yet: what was in the way may pass by itself."""
        left = min(_FIRST << min(self.postponed, 10), _MOST)
        return msgspec.structs.replace(self, seen=mark, doubted=mark, left=left, postponed=self.postponed + 1)

    def misread(self, mark: Mark) -> tuple["Edits", bool]:
        """Note that it was not understood; True where it is to be told: read twice, and the same both times."""
        if mark == self.doubted:
            return Edits(judged=mark), True
        return msgspec.structs.replace(self, doubted=mark), False
