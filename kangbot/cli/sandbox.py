"""`kangbot sandbox`: serve the simulated exchange."""

from kangbot.sandbox.main import run
from kangbot.sandbox.options import ServeOptions


def serve(*, host: str, port: int, seed: int) -> int:
    """Serve until SIGTERM or Ctrl-C and return the exit code."""
    return run(ServeOptions(host=host, port=port, seed=seed))
