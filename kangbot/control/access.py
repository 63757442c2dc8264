"""What a caller may do: a word to everybody, a look with the one token, a command with the other."""

from enum import IntEnum


class Access(IntEnum):
    """Ordered: whoever may command may look."""

    OPEN = 0
    READ = 1
    CONTROL = 2

    @property
    def word(self) -> str:
        """The name as callers read it."""
        return self.name.lower()
