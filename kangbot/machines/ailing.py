"""Which checks of the health people are told of: one that stays critical, once, and once more when that is over.

A look a minute, and two of them agree: what is critical for a moment, or well for one, is not worth a message.
"""

import msgspec


class Ailing(msgspec.Struct, frozen=True):
    """`last` were critical at the last look; `told` are those that people have been told of."""

    last: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()

    def looked(self, critical: frozenset[str]) -> tuple["Ailing", frozenset[str], frozenset[str]]:
        """Return what holds after a look at what is critical, what is to be told of now, and what of as over."""
        begun = (critical & self.last) - self.told
        over = self.told - critical - self.last
        return Ailing(last=critical, told=(self.told | begun) - over), begun, over
