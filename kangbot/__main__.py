"""`kangbot` and `python -m kangbot`: the command line, with every error of ours as one message and an exit code."""

import errno
import io
import os
import sys

from kangbot.cli import exit_codes
from kangbot.cli.main import app
from kangbot.errors import KangbotError, NeedsHuman, Retryable


def main() -> int:
    """Run the command that was typed and return its exit code; see `cli/exit_codes.py`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that the terminal's letters do not have is no fault
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else exit_codes.OK
    except KangbotError as error:
        return _tell(error)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone: `kangbot status | head`
        _close_output()
        return exit_codes.OK
    except OSError as error:  # the disk, or a file that a command did not expect to be refused: the system has words
        return _tell_system(error)
    return exit_codes.OK


def _close_output() -> None:
    """Have what is still to be printed go nowhere: the interpreter would try once more, and say so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_system(error: OSError) -> int:
    """Say what the system refused, with the file or for want of room; anything else is a fault of ours, and raised."""
    if error.filename is None and error.errno != errno.ENOSPC:
        raise error
    if error.filename is None:
        _close_output()
    sys.stderr.write(f"{error.filename or 'the output cannot be written'}: {error.strerror}\n")
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
