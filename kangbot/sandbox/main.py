"""The sandbox as a process: serves until SIGTERM or SIGINT; says where it can be reached."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping

import msgspec

from kangbot.runtime.leash import on_leash
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve


def on_one_line(said: Mapping[str, object]) -> None:
    """Print it for whoever has started the process."""
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    sys.stdout.flush()


def run(options: ServeOptions, ready: Callable[[Mapping[str, object]], None] = on_one_line) -> int:
    """Serve until told to stop; returns the process's exit code (0; 1 where the address is taken).

    `ready` is told the addresses and the key once they answer.
    """
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_main(options, ready))
    except OSError as error:
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else error.strerror or error  # asyncio has words of its own around it
        sys.stderr.write(f"the sandbox cannot listen on {options.host}:{options.port}: {why}. Name another --port\n")
        return 1
    return 0


async def _main(options: ServeOptions, ready: Callable[[Mapping[str, object]], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends the runner by itself
            loop.add_signal_handler(number, stop.set)
    if options.leash:
        on_leash(stop.set)
    async with await serve(options) as sandbox:
        said = {
            "ready": True,
            "port": sandbox.port,
            "rest_url": sandbox.rest_url,
            "ws_public_url": sandbox.ws_public_url,
            "ws_spot_url": sandbox.ws_spot_url,
            "ws_private_url": sandbox.ws_private_url,
            "api_key": options.api_key,
        }
        ready(said)
        await stop.wait()


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop  # noqa: PLC0415 -- optional: absent on some platforms
    except ImportError:
        return None
    factory: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return factory
