"""`kangbot` and `python -m kangbot`: the command line, with every error of ours as one message and an exit code."""

import os
import sys

from kangbot.cli import exit_codes
from kangbot.cli.main import app
from kangbot.errors import KangbotError, NeedsHuman, Retryable


def main() -> int:
    """Run the command that was typed and return its exit code; see `cli/exit_codes.py`."""
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else exit_codes.OK
    except KangbotError as error:
        return _tell(error)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone: `kangbot status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OK
    return exit_codes.OK


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
