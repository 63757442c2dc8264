"""The real world: the event loop, signals, exit codes, and the one place where the daemon begins and ends.

    python -m kangbot.daemon --config config/kangbot.toml

What is wrong before anything has started is one message on standard error and an exit code; afterwards it is an event
in the log. Exit codes: 0 stopped in order, 1 stopped by a fault, because the loop hung (the stacks of all threads stand
before it: `runtime/hang.py`) or because the clock cannot be right (`runtime/dated.py`), 78 the configuration (or a
thing that only a person can put right) stands in the way: a service manager must not try again.

With `--json` the summary of the run, the report of its last moment, is one line on standard output when it has ended.

The first SIGTERM or SIGINT stops in order: entries first, then what is in flight, then the journal. The second one
hurries: what is unsettled is in the journal and is settled at the next start. Both are bounded in time. SIGQUIT (a
terminal has a key for it) and SIGXCPU (`ulimit -t`) do the same. SIGUSR1 and SIGUSR2, which other programs take for an
order to open their log anew, do nothing but are told of. None of them is to end a daemon without a word.
"""

import kangbot.runtime.dated  # before whatever imports logging  # isort: skip

if __name__ == "__main__":
    import kangbot.runtime.interrupt  # before whatever takes its time, and until the loop has its handlers  # isort: skip

import kangbot.runtime.ending  # whoever stops it does not wait for it  # isort: skip
import kangbot.runtime.lean  # before whatever imports structlog: 3 MB  # isort: skip
import kangbot.runtime.lean_tls  # noqa: F401 -- before whatever imports aiohttp: 2 MB  # isort: skip

import argparse
import asyncio
import contextlib
import faulthandler
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog

from kangbot import logs
from kangbot.app import App
from kangbot.app.parameters import last_words
from kangbot.app.unstarted import tell_wrong
from kangbot.errors import ConfigInvalid, ConfigUnread, NeedsHuman, Retryable, words
from kangbot.health.report import Report
from kangbot.model.plain_json import plain_json
from kangbot.notify.last_words import ended
from kangbot.runtime.dated import out_of_range
from kangbot.runtime.garbage import freeze
from kangbot.runtime.handles import take_handles
from kangbot.runtime.hang import HangGuard, without_waiting
from kangbot.runtime.installation import remember
from kangbot.runtime.leash import on_leash
from kangbot.runtime.service import Keeper
from kangbot.runtime.standard import hold_standard_streams
from kangbot.runtime.switching import let_threads_in
from kangbot.runtime.threads import find_threads
from kangbot.runtime.world import SECOND_NS, World, real_world
from kangbot.settings.file import ConfigFile, Saved
from kangbot.settings.versions import way_back

log = structlog.get_logger(__name__)

_OWNER_ALONE = 0o077  # whatever the shell has: what the daemon makes is its user's to read and write, and nobody else's


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until it is told to stop, and return its exit code."""
    remember()
    hold_standard_streams()
    os.umask(_OWNER_ALONE)
    parser = argparse.ArgumentParser(prog="kangbot run", description="Run the trading daemon.")
    parser.add_argument("--config", type=Path, required=True, help="the TOML file")
    parser.add_argument("--json", action="store_true", help="print the summary of the run when it has ended")
    parser.add_argument("--leash", action="store_true", help="stop in order when standard input, a pipe, ends")
    arguments = parser.parse_args(argv)
    world = real_world()
    if wrong := out_of_range(world.clock.now_ns() / SECOND_NS):
        sys.stderr.write(f"{wrong}\n")
        return 1
    try:
        file = ConfigFile(arguments.config, os.environ)
        saved = file.read()
    except ConfigUnread as error:  # the same file may be read a moment later, and nobody else would try
        sys.stderr.write(f"{error.message}\n")
        return 1
    except ConfigInvalid as error:
        sys.stderr.write(f"{error.message}\n{way_back(arguments.config, os.environ, world.clock.now_ns())}")
        tell_wrong(arguments.config, os.environ, error, world.clock)
        return os.EX_CONFIG
    masker = logs.configure(saved.settings, world.clock)
    freeze()
    let_threads_in()
    faulthandler.enable(
        without_waiting(sys.stderr)
    )  # the stacks, too, where a service manager or the interpreter itself ends us by a signal
    guard = HangGuard(sys.stderr)
    try:
        take_handles()
        find_threads()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            code, summary = runner.run(_serve(file, saved, world, guard, masker, leash=arguments.leash))
    except (Retryable, ConfigUnread) as error:  # of the start: the same one may succeed later
        log.critical("daemon.died", error=error.message)
        return 1
    except NeedsHuman as error:
        log.critical("daemon.needs_human", what=error.message, remedy=error.remedy)
        return os.EX_CONFIG
    finally:
        guard.release()
    if arguments.json and summary is not None:
        with contextlib.suppress(OSError):  # nobody reads it any more
            sys.stdout.write(f"{plain_json(summary).decode()}\n")
            sys.stdout.flush()
    return code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 -- absent on some systems: the standard loop then
    except ImportError:
        return None
    # It asks what a signal's handler is by what Python 3.14 deprecates, which nobody who reads the log can help.
    warnings.filterwarnings("ignore", "'asyncio.iscoroutinefunction' is deprecated", DeprecationWarning)
    return uvloop.new_event_loop


class _Signals:
    """The first signal asks to stop, the second to hurry.

    Until `begun` the first one ends the beginning where it is: a journal may take minutes to read, and nothing is in
    flight.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self._beginning = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGXCPU):
            loop.add_signal_handler(number, self.asked, number.name)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            loop.add_signal_handler(number, partial(log.warning, "daemon.signal_unknown", signal=number.name))
        self.on_hangup(lambda: None)  # before there is a daemon that could read its file again

    def on_hangup(self, act: Callable[[], None]) -> None:
        """Have SIGHUP read the configuration's file again; in a terminal that is closed it stops."""
        if sys.stdin is not None and sys.stdin.isatty():
            act = partial(self.asked, "the end of its terminal")
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, act)

    def begun(self) -> None:
        """Leave it to `stop` from now on to end in order."""
        self._beginning = None

    def asked(self, by: str) -> None:
        """Stop, or hurry where it stops already."""
        if self.hurry.is_set():
            return
        if self.stop.is_set():
            log.warning("daemon.hurrying", by=by)
            self.hurry.set()
        else:
            log.info("daemon.stopping", by=by)
            self.stop.set()
            if self._beginning is not None:
                self._beginning.cancel()


async def _serve(
    file: ConfigFile, saved: Saved, world: World, guard: HangGuard, masker: logs.Masker, *, leash: bool
) -> tuple[int, Report | None]:
    """Trade until told to stop; return the exit code and the summary, where there was trading to sum up."""
    signals, summary, left = _Signals(), None, None
    if leash:
        on_leash(partial(signals.asked, "the end of whoever started it"))
    try:
        async with Keeper.of_process(guard, _crashed) as keeper:
            app = App(file, saved, world, keeper.phase, masker)
            keeper.watch(status=app.begins, stuck=str)
            async with app:
                signals.begun()
                keeper.watch(status=app.answers.headline, stuck=app.answers.stuck)
                signals.on_hangup(partial(app.answers.reload_soon, "SIGHUP"))
                try:
                    await app.run(stop=signals.stop, hurry=signals.hurry)
                finally:
                    summary, left = app.summary, app.left
    except asyncio.CancelledError:
        if not signals.stop.is_set():
            raise
    except NeedsHuman as error:
        log.critical("daemon.needs_human", what=error.message, remedy=error.remedy)
        await _tell(saved, world, masker, "daemon.needs_human", f"{error.message}; {error.remedy}")
        return os.EX_CONFIG, summary
    except Exception as error:
        log.critical("daemon.died", exc_info=True)
        await _tell(saved, world, masker, "daemon.died", words(error))
        return 1, summary
    if left is not None:
        await _tell(saved, world, masker, left.kind, left.message)
    log.info("daemon.stopped")
    return os.EX_OK, summary


async def _tell(saved: Saved, world: World, masker: logs.Masker, kind: str, what: str) -> None:
    """Tell people that it has ended: nobody else may look."""
    await last_words(saved.settings, ended(kind, masker.text(what), world.clock.now_ns()))


def _crashed(name: str, error: BaseException) -> None:
    """Learn that the beat itself fell. Nothing holds the hang guard off any longer: the process ends by it."""
    log.critical("task.crashed", task=name, exc_info=error)


if __name__ == "__main__":
    sys.exit(main())
