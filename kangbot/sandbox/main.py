"""The sandbox as a process: serves until SIGTERM or SIGINT; says on one line of JSON where it can be reached."""

import asyncio
import contextlib
import signal
import sys

import msgspec

from kangbot.runtime.leash import on_leash
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve


def run(options: ServeOptions) -> int:
    """Serve until told to stop; returns the process's exit code (0; 1 where the address is taken)."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_main(options))
    except OSError as error:
        print(f"the sandbox cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)  # noqa: T201 -- a command's own words
        return 1
    return 0


async def _main(options: ServeOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends the runner by itself
            loop.add_signal_handler(number, stop.set)
    if options.leash:
        on_leash(stop.set)
    async with await serve(options) as sandbox:
        ready = {
            "ready": True,
            "port": sandbox.port,
            "rest_url": sandbox.rest_url,
            "ws_public_url": sandbox.ws_public_url,
            "ws_spot_url": sandbox.ws_spot_url,
            "ws_private_url": sandbox.ws_private_url,
            "api_key": options.api_key,
        }
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()
        await stop.wait()


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop  # noqa: PLC0415 -- optional: absent on some platforms
    except ImportError:
        return None
    factory: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return factory
