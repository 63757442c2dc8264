"""The command line in a process of its own, also beside a server on the test's loop."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

NO_VENUE = {"KANGBOT_VENUES__BYBIT__SANDBOX_URL": "http://127.0.0.1:1"}  # whatever runs on this machine


def kangbot(*arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Return what came of the command, where no exchange answers and nothing is on this loop."""
    return subprocess.run(
        [sys.executable, "-m", "kangbot", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=cwd,
        env={**os.environ, **NO_VENUE, **environ},
    )


async def typed(*arguments: str | bytes) -> tuple[int | None, str, str]:
    """Return exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kangbot", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def unread(*arguments: str, messages: bool = False) -> tuple[int | None, str]:
    """Return exit code and messages of a command whose output (and messages, then "") nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kangbot", *arguments),
            stdout=writer,
            stderr=writer if messages else asyncio.subprocess.PIPE,
        )
    finally:
        os.close(writer)
    _, err = await process.communicate()
    return process.returncode, (err or b"").decode()
