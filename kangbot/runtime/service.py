"""The process and whoever keeps it: what it says to systemd, and that it ends where it would only seem to live.

The decision is `machines/service.py`; here it is carried out on a slow beat of the loop, which is the proof of life.
Where nobody listens (no NOTIFY_SOCKET: a terminal, Docker) no socket is made, and the beat only holds off the hang
guard. The protocol is one datagram of `KEY=value` lines, see sd_notify(3): too little to need a library.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from typing import Self

import structlog

from kangbot.machines.service import Phase, Seen, Service
from kangbot.runtime.hang import HangGuard
from kangbot.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

BEAT_S = 5.0  # what a person waits for a status that has changed; a message costs some ten microseconds


class ServiceSocket:
    """Where the service manager listens. Telling never raises and never waits."""

    def __init__(self, address: str) -> None:
        # An address that begins with @ is in Linux' abstract namespace, where names begin with a zero.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)  # telling never waits
        self._heard = True

    def tell(self, words: tuple[str, ...]) -> None:
        """Send one message. That it was not heard is logged once: a manager that misses enough of them ends us."""
        try:
            self._socket.sendto("\n".join(words).encode(errors="backslashreplace"), self._address)
        except OSError as error:
            if self._heard:
                log.warning("service.unheard", error=error.strerror)
            self._heard = False
        else:
            self._heard = True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def service_socket(environ: Mapping[str, str]) -> ServiceSocket | None:
    """Return where the service manager listens; None where there is none."""
    address = environ.get("NOTIFY_SOCKET", "")
    return ServiceSocket(address) if address[:1] in ("/", "@") and len(address) > 1 else None


def beat_s(environ: Mapping[str, str], pid: int) -> float:
    """Return the pace of the beat: never slower than half of what systemd's watchdog waits, where it watches us."""
    watched = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
    interval_us = environ.get("WATCHDOG_USEC", "")
    if not watched or not interval_us.isdecimal() or int(interval_us) == 0:
        return BEAT_S
    return min(BEAT_S, int(interval_us) / 2 / 1e6)


class Keeper:
    """Beats between `async with` and its end. `phase` and `watch` are for whoever knows how the daemon is."""

    def __init__(
        self,
        guard: HangGuard,
        manager: ServiceSocket | None,
        *,
        every_s: float,
        crashed: Callable[[str, BaseException], None],
    ) -> None:
        self._guard = guard
        self._manager = manager
        self._every_s = every_s
        self._tasks = Tasks("service", crashed)
        self._told = Service()
        self._phase = Phase.RECOVERING
        self._status: Callable[[], str] = lambda: "recovering"
        self._stuck: Callable[[], str] = str
        self._guarded = True

    @classmethod
    def of_process(cls, guard: HangGuard, crashed: Callable[[str, BaseException], None]) -> Self:
        """Return the keeper that this process' environment asks for."""
        return cls(guard, service_socket(os.environ), every_s=beat_s(os.environ, os.getpid()), crashed=crashed)

    async def __aenter__(self) -> Self:
        self.look()
        self._tasks.spawn("beat", self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.aclose()
        self._hold_off()  # what is left to do has the whole bound
        if self._manager is not None:
            self._manager.close()

    def watch(self, *, status: Callable[[], str], stuck: Callable[[], str]) -> None:
        """Ask these from now on: one line for a person, and what is stuck ("" for nothing). Neither raises."""
        self._status, self._stuck = status, stuck

    def phase(self, phase: Phase) -> None:
        """Learn where the daemon is, and tell at once."""
        self._phase = phase
        self.look()

    def look(self) -> None:
        """Look now, and tell what follows."""
        before = self._told
        self._told, answer = before.looked(Seen(phase=self._phase, status=self._status(), stuck=self._stuck()))
        if self._told.stuck and not before.stuck:
            log.critical("service.stuck", what=self._told.stuck)
            self._guard.show()  # the loop lives, so what holds the part up is seen as it is
        elif before.stuck and not self._told.stuck:
            log.warning("service.unstuck", what=before.stuck)
        if answer.alive:
            self._hold_off()
        if answer.words and self._manager is not None:
            self._manager.tell(answer.words)

    def _hold_off(self) -> None:
        """Postpone the end. A machine without a thread to spare is no reason for one, and must not end the beat."""
        guarded = self._guard.beat()
        if not guarded and self._guarded:
            log.warning("service.unguarded", why="the system gives this process no thread")
        elif guarded and not self._guarded:
            log.info("service.guarded")
        self._guarded = guarded

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            self.look()
