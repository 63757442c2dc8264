"""The configuration's file of a session, in memory: what is saved there, and what its daemon needs to read it.

The daemon's own editor (`kangbot/editing.py`) reads it and applies what is different; a process that starts later reads
what was saved last.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kangbot.errors import ConfigInvalid
from kangbot.machines.edits import Mark
from kangbot.settings import Settings
from kangbot.settings.file import ConfigFile, Saved
from kangbot.settings.versions import Version, Versions

T = TypeVar("T")
_TAKES_S = 0.3  # to read a file in a process of its own, or to load strategies


class SavedFile(ConfigFile):
    """The file. `wrong`, where it is not None, is what whoever reads it finds instead of what was saved last."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(Path("/config/kangbot.toml"), {})
        self.settings = settings
        self.wrong: ConfigInvalid | None = None
        self._writes = 0

    def save(self, settings: Settings, wrong: ConfigInvalid | None = None) -> None:
        """Write it anew."""
        self.settings, self.wrong = settings, wrong
        self._writes += 1

    def mend(self) -> None:
        """Put it right, where it is wrong."""
        if self.wrong is not None:
            self.save(self.settings)

    def mark(self) -> Mark:
        """Return what changes when it is written."""
        return (self._writes,)

    def read(self) -> Saved:
        """Return what it says. ConfigInvalid where it is wrong."""
        if self.wrong is not None:
            raise self.wrong
        return Saved(settings=self.settings, text=b"# %d" % self._writes, mark=self.mark())


class NoVersions(Versions):
    """Versions that nobody will go back to."""

    def keep(self, text: bytes, cause: str, now_ns: int) -> Version:  # noqa: ARG002 -- as it is called
        """Return a version that is nowhere."""
        return Version(number=1, at="", cause=cause, path=Path("/config/kangbot.toml"))

    def set_aside(self, text: bytes, name: str, now_ns: int) -> Path | None:  # noqa: ARG002 -- as it is called
        """Keep no copy."""
        return None


class Bench:
    """What a thread is to the real daemon: work takes its time there, and the loop goes on."""

    def __init__(self, name: str) -> None:
        """Have a place of that name."""

    async def run(self, call: Callable[[], T]) -> T:
        """Return what the call returns, a while later."""
        await asyncio.sleep(_TAKES_S)
        return call()

    async def aclose(self, timeout_s: float) -> bool:  # noqa: ARG002 -- as it is called
        """End: nothing is under way."""
        return True
