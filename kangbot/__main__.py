"""`kangbot` and `python -m kangbot`: the command line, with every error of ours as one message and an exit code."""

import kangbot.runtime.dated  # noqa: F401 -- before whatever imports logging  # isort: skip
import kangbot.runtime.ending  # noqa: F401 -- whoever types does not wait for it  # isort: skip
import kangbot.runtime.hangup  # noqa: F401 -- before whatever takes its time  # isort: skip
from kangbot.runtime.interrupt import hear_interrupts  # the same  # isort: skip

import errno
import io
import os
import signal
import sys
from types import FrameType

from kangbot.cli import exit_codes
from kangbot.cli.main import app
from kangbot.errors import KangbotError, NeedsHuman, Retryable
from kangbot.runtime.standard import hold_standard_streams

hear_interrupts()  # what is typed has words for it, and maybe something to put in order

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a disk, of this user on it, of one file (`ulimit -f`)


def main() -> int:
    """Run the command that was typed and return its exit code; see `cli/exit_codes.py`."""
    hold_standard_streams()
    _end_in_order()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that the terminal's letters do not have is no fault
    try:
        code = _typed()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.flush()  # the interpreter would do so at its end, and have words of its own for what goes wrong
    except BrokenPipeError:  # whoever read our output has gone: `kangbot orders | head -1`
        _close_output()
        return exit_codes.NO_READER
    except OSError as error:  # the disk, or a file that a command did not expect to be refused: the system has words
        return _tell_system(error)
    return code


def _end_in_order() -> None:
    """Have SIGTERM, SIGQUIT and the end of the terminal end a command as Ctrl-C does: nothing half-made is left.

    A second one ends it at once. `nohup` is obeyed, as is `runtime/hangup.py`; what serves on (`sandbox`, `demo`) has
    handlers of its own.
    """
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _ended)


def _ended(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise SystemExit(128 + number)


def _typed() -> int:
    try:
        app()
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # typer, and rich, make an ordinary failure of it
            raise ended.__context__ from None
        return ended.code if isinstance(ended.code, int) else exit_codes.OK
    except KangbotError as error:
        return _tell(error)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    return exit_codes.OK


def _close_output() -> None:
    """Have what is still to be printed go nowhere: the interpreter would try once more, and say so."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:  # else it was closed from the beginning, and its number may be another file's
            os.dup2(nowhere, stream.fileno())
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # typer puts its own around them, also around none


def _tell_system(error: OSError) -> int:
    """Say what the system refused, with the file or for want of room; anything else is a fault of ours, and raised."""
    if error.filename is None and error.errno not in _NO_ROOM:
        raise error
    sys.stderr.write(f"{error.filename or 'the output cannot be written'}: {error.strerror}\n")
    if error.filename is None:
        _close_output()
    return exit_codes.FAILURE


def _tell(error: KangbotError) -> int:
    match error:
        case NeedsHuman():
            sys.stderr.write(f"{error.message}\n{error.remedy[:1].upper()}{error.remedy[1:]}.\n")
            return exit_codes.CONFIG
        case Retryable():
            sys.stderr.write(f"{error.message}\n")
            return exit_codes.TEMPORARY
        case _:
            sys.stderr.write(f"{error.message}\n")
            return exit_codes.FAILURE


if __name__ == "__main__":
    sys.exit(main())
