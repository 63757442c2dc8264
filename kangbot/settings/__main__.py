"""The child of `apart.py`: read the configuration named on the command line, answer in JSON on standard output."""

import os
import sys
from pathlib import Path

from kangbot.errors import ConfigInvalid
from kangbot.settings.apart import Answer, encode
from kangbot.settings.loading import load


def main() -> int:
    """Answer with the settings or with every mistake; an exit code other than 0 is a fault of ours."""
    try:
        answer = Answer(settings=load(Path(sys.argv[1]), os.environ))
    except ConfigInvalid as error:
        answer = Answer(problems=error.problems)
    sys.stdout.buffer.write(encode(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
