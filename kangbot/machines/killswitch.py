"""The kill switch's file: what it says, and what follows when it comes and goes.

The switch has three handles that do the same: a command, a call, and a file in the state folder that exists while the
switch is set. The journal is its memory, the file its handle. A file that appears sets the switch; one that was there
and is gone releases it, since only a person removes it. A switch that is set without a file (the disk was full, the
file was removed while the daemon was down) stays set and gets its file back: in doubt nobody enters.

Reading and writing the file, and everything that follows from the switch, is left to `market/killswitch.py`.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import TypeAlias

import msgspec

from kangbot.model.ids import MarketId
from kangbot.model.money import Quantity

FILE = "KILL"  # its name in the state folder
FLATTEN = "flatten"  # the line that asks for every position to be closed
NO_REASON = "no reason given"
_GONE_BEATS = 2  # an editor that replaces the file takes it away for a moment
_LONGEST = 500  # characters of a reason
# An editor may begin a file with a mark, and PowerShell writes two bytes a letter, behind a mark of two that are no
# UTF-8. A line `flatten` is to close every position all the same.
_NO_LETTERS = re.compile("[\x00\ufeff]")
_TWO_A_LETTER = re.compile(r"^(?:\s*\ufffd\ufffd)+")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of the switch."""

    reason: str
    flatten: bool = False


class Do(Enum):
    """What the file's being there or not asks for, besides a `Wish`."""

    NOTHING = auto()
    RELEASE = auto()  # a person took the file away
    PUT = auto()  # the switch is set and its file is missing


Action: TypeAlias = Wish | Do


def read(text: str) -> Wish:
    """Return what a file with this content wants: a line `flatten`, and the rest is the reason."""
    lines = [line.strip() for line in _letters(text).splitlines()]
    reason = " ".join(line for line in lines if line.lower() != FLATTEN)
    return wish(reason, flatten=any(line.lower() == FLATTEN for line in lines))


def unread(file: object, why: str) -> Wish:
    """Return what a file stands for that is there and cannot be read: no entry. It is not worth a position."""
    return wish(f"the file {file} cannot be read: {why}", flatten=False)


def _letters(text: str) -> str:
    return _TWO_A_LETTER.sub("", _NO_LETTERS.sub("", text))


def write(wanted: Wish) -> str:
    """Return the content of a file that wants this; `read` gives it back."""
    return f"{wanted.reason}\n{FLATTEN}\n" if wanted.flatten else f"{wanted.reason}\n"


def wish(reason: str, *, flatten: bool) -> Wish:
    """Return the wish on one line, of a bounded length, with a reason in any case."""
    words = " ".join(_letters(reason).split())[:_LONGEST]
    return Wish(reason=NO_REASON if not words or words.lower() == FLATTEN else words, flatten=flatten)


def joined(standing: Wish | None, wanted: Wish) -> Wish:
    """Return what stands after `wanted`: the first reason stays, and a wish to flatten is added, never taken away."""
    if standing is None:
        return wanted
    return Wish(reason=standing.reason, flatten=standing.flatten or wanted.flatten)


class FileWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the file, beat by beat; returns its successor."""

    there: bool = False  # it was seen or written, and not seen gone since
    gone: int = 0  # beats in a row without it

    def seen(self, found: Wish | None, standing: Wish | None) -> tuple["FileWatch", Action]:
        """Take one look: `found` is what the file says, None where there is none; `standing` how the switch stands."""
        if found is not None:
            return FileWatch(there=True), Do.NOTHING if joined(standing, found) == standing else found
        if standing is None:
            return FileWatch(), Do.NOTHING
        if not self.there:
            return self, Do.PUT
        gone = self.gone + 1
        return (FileWatch(), Do.RELEASE) if gone >= _GONE_BEATS else (FileWatch(there=True, gone=gone), Do.NOTHING)


def named(left: Mapping[MarketId, Quantity]) -> str:
    """Return positions, signed, in words."""
    return ", ".join(f"{market} {'long' if net > 0 else 'short'} {abs(net):f}" for market, net in left.items())
