"""The child of `apart.py`: read the configuration named on the command line, answer in JSON on standard output."""

import kangbot.runtime.brief  # noqa: F401 -- before whatever is imported  # isort: skip

import os
import sys
from pathlib import Path

from kangbot.errors import ConfigInvalid
from kangbot.settings.apart import Answer, encode
from kangbot.settings.loading import load


def main() -> int:
    """Answer with the settings or with every mistake; an exit code other than 0 is a fault of ours."""
    pipe = os.dup(1)
    os.dup2(2, 1)  # a strategy of the user's own is loaded here, and may print
    try:
        answer = Answer(settings=load(Path(sys.argv[1]), os.environ))
    except ConfigInvalid as error:
        answer = Answer(problems=error.problems)
    with os.fdopen(pipe, "wb") as out:
        out.write(encode(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
