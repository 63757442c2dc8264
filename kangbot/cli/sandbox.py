"""`kangbot sandbox`: serve the simulated exchange."""

import sys
from collections.abc import Mapping

from kangbot.cli.answer import answer
from kangbot.sandbox.main import run
from kangbot.sandbox.options import ServeOptions


def serve(*, host: str, port: int, seed: int, as_json: bool) -> int:
    """Serve until SIGTERM or Ctrl-C and return the exit code."""

    def ready(said: Mapping[str, object]) -> None:
        lines = (
            f"the simulated exchange answers on {said['rest_url']}, until Ctrl-C",
            f"prices: {said['ws_public_url']} and {said['ws_spot_url']}",
            f"account: {said['ws_private_url']}, with the key {said['api_key']!r}",
        )
        answer(said, lines, as_json=as_json)
        sys.stdout.flush()

    return run(ServeOptions(host=host, port=port, seed=seed), ready)
