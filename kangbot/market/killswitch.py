"""The kill switch: one switch for all markets, with a command, a call and a file that do the same.

Setting it acts first and remembers then: in the very call the ledger of risk admits no entry and every market is told
to look, which withdraws its entries and, where that is wanted, closes its position. What was asked is on disk, in the
journal or at least in the file, before the caller hears that it is done; so it needs neither the database nor the
venue. It stays set until a person releases it, over any number of restarts.

When a market acts on it is `market/desk.py`, what the file means is `machines/killswitch.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol, Self

import msgspec
import structlog

from kangbot.errors import NeedsHuman
from kangbot.machines.killswitch import FILE, Do, FileWatch, Wish, joined, named, read, unread, wish, write
from kangbot.market.promises import on_disk
from kangbot.model.events import Event, KillSwitchReleased, KillSwitchSet, Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.model.money import Quantity
from kangbot.ports import Journal
from kangbot.risk.account import AccountRisk
from kangbot.runtime.there import there
from kangbot.runtime.world import Clock

log = structlog.get_logger(__name__)

_BEAT_S = 1.0
_BY_FILE = "file"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the switch stands: what a caller is answered."""

    killed: str  # why; "" where it is not set
    flatten: bool
    kept: tuple[str, ...]  # where it is on disk: "journal", "file"; a restart finds it in either


class StatePath(Protocol):
    """What the switch needs of a `pathlib.Path`, which is one."""

    @property
    def name(self) -> str:
        """The last part."""

    @property
    def parent(self) -> Self:
        """The folder that it is in."""

    def __truediv__(self, key: str, /) -> Self:
        """Return the path of a file in it."""

    def with_name(self, name: str) -> Self:
        """Return another in the same folder."""

    def stat(self) -> object:
        """Return something where the file is there; FileNotFoundError where it is not."""

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return what the file says."""

    def write_text(self, data: str, encoding: str | None = None) -> int:
        """Write the file anew."""

    def replace(self, target: Any) -> object:
        """Give the file the other's name, in one step."""

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""


async def _as_written(_file: object) -> str:
    """Take what is written for what is on the disk."""
    return ""


class KillSwitch:
    """One daemon's switch. `changed` has every market look again.

    `synced` has the file on the disk, so that a power cut finds it, and tells why it is not; asked where the journal
    has not got what stands.
    `risk` has heard what the journal remembers, and does not hear what is written to `journal` here: a release counts
    once it is on disk, not before.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        risk: AccountRisk,
        folder: StatePath,
        changed: Callable[[], None],
        synced: Callable[[Any], Awaitable[str]] = _as_written,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._risk = risk
        self._file = folder / FILE
        self._changed = changed
        self._synced = synced
        self._unsynced = ""  # why the file, which is there, may not be on the disk
        self._watch = FileWatch()
        self._writing = asyncio.Lock()  # one caller, or the beat, at a time with file and journal
        self._journalled = self._standing  # what the journal says
        self._put_failed = False
        self._refused = ""  # why the journal has not got what stands
        self._releases = 0  # that are under way
        self._since: tuple[Wish, str] | None = None  # somebody's wish since they were asked for, and whose it is
        self.looks = 0  # of the beat: what the watchdog reads

    @property
    def _standing(self) -> Wish | None:
        return Wish(reason=self._risk.killed, flatten=self._risk.flatten) if self._risk.killed else None

    # ------------------------------------------------------------------------------------------------------- by caller
    async def kill(self, reason: str, caller: str, *, flatten: bool = False) -> Standing:
        """Set the switch, or add the wish to flatten to one that is set.

        It is set from the call on. NeedsHuman where it could be kept nowhere: a restart would forget it.
        """
        self._set(wish(reason, flatten=flatten), caller)
        async with self._writing:
            await self._keep(caller)
            if not self._kept:
                until = "; until then no exit leaves either: close positions at the exchange" if flatten else ""
                raise NeedsHuman(
                    "the kill switch is set, but no disk took it: a restart would forget it",
                    remedy=f"make room on the disk of {self._file.parent}, and set it again{until}",
                )
            return self._answer()

    async def release(self, caller: str) -> Standing:
        """Let entries through again. NeedsHuman where the disk does not take it; the switch is set then as before.

        What stood when it was asked for is released: whoever sets it while the disk is being written has it set.
        """
        with self._releasing():
            async with self._writing:
                if self._standing is not None:
                    await self._release(caller)
                return self._answer()

    @contextmanager
    def _releasing(self) -> Iterator[None]:
        self._releases += 1
        try:
            yield
        finally:
            self._releases -= 1
            if not self._releases:
                self._since = None

    async def _release(self, caller: str) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise NeedsHuman(
                f"the kill switch stays set: {self._file} cannot be removed: {error.strerror}",
                remedy="remove the file by hand",
            ) from None
        self._watch = FileWatch()  # a release that the journal does not take gets its file back at the next beat
        if self._journalled is not None:
            await self._write(KillSwitchReleased(caller=caller, at_ns=self._clock.now_ns()))
            self._journalled = None
        self._refused = ""
        self._risk.release()
        log.warning("kill_switch.released", caller=caller)
        if self._since is not None:
            self._set(*self._since)  # in the same breath: no market has looked in between
        self._changed()

    # --------------------------------------------------------------------------------------------------------- by file
    async def look(self) -> None:
        """Look for the file once, and do what it asks for."""
        if self._standing is None and self._found() is None:  # nearly always
            self._watch = FileWatch()
            return
        async with self._writing:
            self._watch, action = self._watch.seen(self._found(), self._standing)
            if isinstance(action, Wish):
                self._set(action, _BY_FILE)
            if isinstance(action, Wish) or action is Do.PUT:
                await self._keep(_BY_FILE)
            elif action is Do.RELEASE:
                try:
                    with self._releasing():
                        await self._release(_BY_FILE)
                except NeedsHuman as error:
                    log.critical("kill_switch.not_released", error=error.message)
                    what = f"its file was removed, and it stays set: {error.message}; {error.remedy}, then release it"
                    self._note("kill_switch.not_released", Severity.ERROR, what)

    async def run(self) -> None:
        """Look every second, for ever. One system call a second where there is no file."""
        while True:
            await self.look()
            self.looks += 1
            await asyncio.sleep(_BEAT_S)

    def _found(self) -> Wish | None:
        try:
            return read(self._file.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            return None
        except OSError as error:
            if not self._there():  # no handle to open it by, and nothing to open
                return None
            return unread(self._file, error.strerror or str(error))

    def _there(self) -> bool:
        try:
            return there(self._file)
        except OSError:  # its folder may not be looked into: in doubt nobody enters
            return True

    # --------------------------------------------------------------------------------------------------------- private
    @property
    def _kept(self) -> tuple[str, ...]:
        places = (("journal", self._journalled == self._standing), ("file", self._watch.there and not self._unsynced))
        return tuple(place for place, there in places if there)

    def _answer(self) -> Standing:
        killed = self._risk.killed
        return Standing(killed=killed, flatten=self._risk.flatten, kept=self._kept if killed else ())

    def _set(self, wanted: Wish, caller: str) -> None:
        """Act on the wish at once. Without an await: no entry can come in between."""
        standing = self._standing
        after = joined(standing, wanted)
        if self._releases:
            self._since = (joined(self._since[0] if self._since else None, wanted), caller)
        if after == standing:
            return
        self._risk.kill(after.reason, flatten=after.flatten)
        log.critical("kill_switch.set", reason=after.reason, flatten=after.flatten, caller=caller)
        self._changed()

    async def _keep(self, caller: str) -> None:
        """Bring what stands to the disk, to each place that does not have it."""
        standing = self._standing
        if standing is None:
            return  # released by another caller while this one waited
        if self._journalled != standing:
            event = KillSwitchSet(
                reason=standing.reason, flatten=standing.flatten, caller=caller, at_ns=self._clock.now_ns()
            )
            try:
                await self._write(event)
            except NeedsHuman as error:
                if error.message != self._refused:  # tried again every second, for as long as the disk takes nothing
                    log.critical("kill_switch.not_journalled", error=error.message)
                    what = f"it is set, but {error.message}; {error.remedy}"
                    self._note("kill_switch.not_journalled", Severity.ERROR, what)
                self._refused = error.message
            else:
                if self._refused:
                    self._note("kill_switch.journalled", Severity.INFO, "the journal has it now")
                self._journalled, self._refused = standing, ""
        self._put(standing)
        self._unsynced = ""
        if self._watch.there and self._journalled != standing and (why := await self._synced(self._file)):
            self._unsynced = why
            log.warning("kill_switch.not_synced", file=str(self._file), error=why)

    def _note(self, kind: str, severity: Severity, message: str) -> None:
        """Tell people: the journal may refuse the very words, whoever listens hears them all the same."""
        self._journal.append(
            Noted(kind=kind, severity=severity, market=None, message=message, at_ns=self._clock.now_ns())
        )

    async def _write(self, event: Event) -> None:
        """Have the event on disk. NeedsHuman where it is not, or not within a few seconds."""
        if why := await on_disk(self._journal.append(event, reserve=True)):
            raise NeedsHuman(f"the journal did not take it: {why}", remedy="look after the disk")

    def _put(self, standing: Wish) -> None:
        """Write the file, where it does not say what stands."""
        if self._found() == standing:
            self._watch = FileWatch(there=True)
            return
        fresh = self._file.with_name(f".{self._file.name}.new")
        try:
            fresh.write_text(write(standing), encoding="utf-8")
            fresh.replace(self._file)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)  # a full disk keeps no half of it
            if not self._put_failed:
                log.warning("kill_switch.no_file", file=str(self._file), error=error.strerror)
            self._put_failed = True
            return
        self._put_failed = False
        self._watch = FileWatch(there=True)


def not_flat(left: Mapping[MarketId, Quantity], now_ns: int) -> Noted:
    """Return the note on positions, signed, that the kill switch has not closed by the daemon's end."""
    do = "start the daemon, which goes on closing it, or close it by hand"
    return Noted(
        kind="kill_switch.not_flat",
        severity=Severity.CRITICAL,
        market=None,
        message=f"what it was to close is open; {do}: {named(left)}",
        at_ns=now_ns,
    )
