"""What systemd hears: a real datagram socket in place of its own."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kangbot.machines.service import Phase
from kangbot.runtime.hang import HangGuard
from kangbot.runtime.service import BEAT_S, Keeper, ServiceSocket, beat_s, service_socket
from tests.support.notify import NotifySocket


class Guard(HangGuard):
    """Counts instead of ending the test run."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.beats = 0
        self.shown = 0
        self.threads = True

    def beat(self) -> bool:
        self.beats += 1
        return self.threads

    def show(self) -> None:
        self.shown += 1


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Where the manager listens."""
    return str(tmp_path / "notify")


@pytest.fixture
def manager(address: str) -> Iterator[NotifySocket]:
    """A manager that listens."""
    listening = NotifySocket(Path(address))
    yield listening
    listening.close()


def crashed(name: str, error: BaseException) -> None:
    raise AssertionError(f"{name}: {error!r}")


async def test_a_daemons_life_as_systemd_hears_it(manager: NotifySocket, address: str) -> None:
    """Ready only when told so; the status when it changes; the watchdog on every beat."""
    guard, status = Guard(), "26 of 27 markets live"
    keeper = Keeper(guard, ServiceSocket(address), every_s=0.02, crashed=crashed)
    async with keeper:
        assert manager.heard() == ["EXTEND_TIMEOUT_USEC=60000000", "STATUS=recovering", "WATCHDOG=1"]
        keeper.watch(status=lambda: status, stuck=str)
        keeper.phase(Phase.RUNNING)
        assert manager.heard() == ["READY=1", "STATUS=26 of 27 markets live", "WATCHDOG=1"]
        status, before = "27 of 27 markets live", guard.beats
        while guard.beats < before + 5:
            await asyncio.sleep(0.01)
        heard = manager.heard()
        assert heard.count("STATUS=27 of 27 markets live") == 1
        assert heard.count("WATCHDOG=1") >= 5
        keeper.phase(Phase.STOPPING)
    assert "STOPPING=1" in manager.heard()


async def test_what_is_stuck_is_logged_once_and_postpones_nothing(manager: NotifySocket, address: str) -> None:
    """Neither the watchdog nor the hang guard: one of them ends the process."""
    guard, stuck = Guard(), "journal: 41 s without a commit"
    async with Keeper(guard, ServiceSocket(address), every_s=60, crashed=crashed) as keeper:
        keeper.phase(Phase.RUNNING)
        keeper.watch(status=lambda: "well", stuck=lambda: stuck)
        manager.heard()
        beats = guard.beats
        with capture_logs() as logs:
            keeper.look()
            keeper.look()
            assert (guard.beats, manager.heard()) == (beats, ["STATUS=stuck: journal: 41 s without a commit"])
            stuck = ""
            keeper.look()
        assert manager.heard() == ["STATUS=well", "WATCHDOG=1"]
        assert [entry["event"] for entry in logs] == ["service.stuck", "service.unstuck"]
        assert guard.shown == 1  # the stacks, once


async def test_a_machine_without_threads_does_not_end_the_beat(manager: NotifySocket, address: str) -> None:
    """It is told of once, the watchdog is fed on, and once there are threads again the guard holds."""
    guard = Guard()
    async with Keeper(guard, ServiceSocket(address), every_s=60, crashed=crashed) as keeper:
        keeper.phase(Phase.RUNNING)
        keeper.watch(status=lambda: "well", stuck=str)
        keeper.look()
        manager.heard()
        with capture_logs() as logs:
            guard.threads = False
            keeper.look()
            keeper.look()
            assert manager.heard() == ["WATCHDOG=1", "WATCHDOG=1"]
            guard.threads = True
            keeper.look()
        assert [entry["event"] for entry in logs] == ["service.unguarded", "service.guarded"]


async def test_without_a_manager_only_the_guard_is_held_off() -> None:
    """A terminal, Docker: no socket is made."""
    guard = Guard()
    async with Keeper(guard, None, every_s=0.01, crashed=crashed):
        while guard.beats < 3:
            await asyncio.sleep(0.01)


async def test_a_manager_that_is_gone_is_told_of_once(address: str) -> None:
    """Telling never raises: the daemon trades on."""
    with capture_logs() as logs:
        listening = NotifySocket(Path(address))
        told = ServiceSocket(address)
        told.tell(("WATCHDOG=1",))
        assert listening.heard() == ["WATCHDOG=1"]
        listening.close()
        told.tell(("WATCHDOG=1",))
        told.tell(("WATCHDOG=1",))
        told.close()
    assert [entry["event"] for entry in logs] == ["service.unheard"]


async def test_words_that_are_no_text_are_told_all_the_same(manager: NotifySocket, address: str) -> None:
    """A file's name that is no UTF-8 may stand in the status; it must not end the beat."""
    told = ServiceSocket(address)
    told.tell((r"STATUS=history away: /data/" + "\udcff", "WATCHDOG=1"))
    told.close()
    assert manager.heard() == [r"STATUS=history away: /data/\udcff", "WATCHDOG=1"]


def test_an_abstract_address_begins_with_an_at() -> None:
    """As systemd names it in containers."""
    listening = NotifySocket(Path("\0kangbot-test-notify"))
    told = service_socket({"NOTIFY_SOCKET": "@kangbot-test-notify"})
    assert told is not None
    told.tell(("READY=1", "STATUS=x"))
    assert listening.heard() == ["READY=1", "STATUS=x"]
    told.close()
    listening.close()


@pytest.mark.parametrize("value", [None, "", "@", "relative", "vsock:2:1"])
def test_what_is_no_address_of_ours_is_nobody(value: str | None) -> None:
    """Systemd's other kinds of sockets are for virtual machines."""
    assert service_socket({} if value is None else {"NOTIFY_SOCKET": value}) is None


@pytest.mark.parametrize(
    ("environ", "pace"),
    [
        ({}, BEAT_S),
        ({"WATCHDOG_USEC": "30000000"}, BEAT_S),
        ({"WATCHDOG_USEC": "4000000"}, 2.0),
        ({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "7"}, 2.0),
        ({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "8"}, BEAT_S),
        ({"WATCHDOG_USEC": "0"}, BEAT_S),
        ({"WATCHDOG_USEC": "soon"}, BEAT_S),
    ],
)
def test_the_beat_is_no_slower_than_half_of_what_the_watchdog_waits(environ: dict[str, str], pace: float) -> None:
    """Where it watches this process, 7."""
    assert beat_s(environ, 7) == pace
