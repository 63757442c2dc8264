"""The container's health check: a process of its own against a real server on a real Unix socket."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

from kangbot.control import alive
from kangbot.control.server import ControlServer
from kangbot.runtime.world import Clock
from tests.support.control_desk import Desk

PROGRAM = (sys.executable, "-m", "kangbot.control.alive")
MEMORY_KB = 30 * 1024
PROCESSOR_S = 0.1

# The kernel counts to a child what the process took that began it, and a test run is large: so a small one begins it.
COST = """
import os
import sys

for _ in range(3):
    pid = os.posix_spawn(sys.executable, (sys.executable, "-m", "kangbot.control.alive"), os.environ)
    _, status, used = os.wait4(pid, 0)
    print(os.waitstatus_to_exitcode(status), used.ru_maxrss, used.ru_utime + used.ru_stime)
"""


def asked(path: Path | None, program: tuple[str, ...] = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Run the check as Docker would."""
    environ = {name: value for name, value in os.environ.items() if name != "KANGBOT_CONTROL__SOCKET"}
    if path is not None:
        environ["KANGBOT_CONTROL__SOCKET"] = str(path)
    return subprocess.run(program, env=environ, capture_output=True, text=True, timeout=300, check=False)


async def test_a_daemon_whose_loop_serves_is_alive(tmp_path: Path) -> None:
    """Exit code 0, and not a word."""
    path = tmp_path / "control.sock"
    server = ControlServer(Desk(), path, clock=Clock())
    await server.start()
    done = await asyncio.get_running_loop().run_in_executor(None, asked, path)
    await server.aclose()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_it_costs_next_to_nothing(tmp_path: Path) -> None:
    """It runs twice a minute for months beside the daemon: by the kernel's count, the best of three."""
    path = tmp_path / "control.sock"
    server = ControlServer(Desk(), path, clock=Clock())
    await server.start()
    done = await asyncio.get_running_loop().run_in_executor(None, asked, path, (sys.executable, "-c", COST))
    await server.aclose()
    codes, memory_kb, processor_s = zip(*(line.split() for line in done.stdout.splitlines()), strict=True)
    assert codes == ("0", "0", "0"), done
    assert min(map(int, memory_kb)) < MEMORY_KB
    assert min(map(float, processor_s)) < PROCESSOR_S


def test_where_nobody_answers_it_is_not_alive_and_says_why(tmp_path: Path) -> None:
    """Docker keeps what stands on standard output."""
    done = asked(tmp_path / "nobody.sock")
    assert done.returncode == 1
    assert "no daemon answers on" in done.stdout
    assert done.stderr == ""


def test_a_loop_that_hangs_is_not_alive(tmp_path: Path) -> None:
    """The kernel takes the connection and nobody answers: the check gives up, and before Docker does."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(path))
        hung.listen()
        done = asked(path)
    assert done.returncode == 1
    assert "no daemon answers on" in done.stdout
    assert alive._TIMEOUT_S < 5.0  # docker-compose.yml's; how long a process takes to start is the machine's


def test_without_a_socket_named_it_says_so() -> None:
    """A check that was set up wrongly is not a healthy daemon."""
    done = asked(None)
    assert done.returncode == 1
    assert "KANGBOT_CONTROL__SOCKET is not set" in done.stdout


def test_it_imports_no_library() -> None:
    """That is why it costs a tenth of what the daemon does."""
    code = (
        "import sys; import kangbot.control.alive\n"
        "print(sorted({'asyncio', 'msgspec', 'aiohttp', 'structlog', 'http.client', 'json'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
