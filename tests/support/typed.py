"""The command line in a process of its own, beside a server on the test's loop."""

import asyncio
import sys


async def typed(*arguments: str | bytes) -> tuple[int | None, str, str]:
    """Return exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kangbot", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()
