"""`python -m kangbot.sandbox`: the sandbox exchange by itself."""

import kangbot.runtime.ending  # noqa: F401 -- whoever stops it does not wait for it  # isort: skip
import kangbot.runtime.lean  # noqa: F401 -- before whatever imports structlog: a tenth of the start  # isort: skip
import kangbot.runtime.lean_tls  # noqa: F401 -- before whatever imports aiohttp  # isort: skip

import argparse
import sys
from decimal import Decimal

from kangbot.runtime.standard import hold_standard_streams
from kangbot.sandbox.main import run
from kangbot.sandbox.options import ServeOptions


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and serve."""
    hold_standard_streams()
    defaults = ServeOptions()
    parser = argparse.ArgumentParser(prog="kangbot.sandbox", description=__doc__)
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=defaults.port, help="0 lets the system choose")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--symbols", type=_names, default=defaults.symbols, help="BTCUSDT,ETHUSDT,…")
    parser.add_argument("--spot-symbols", type=_names, default=defaults.spot_symbols)
    parser.add_argument("--rate", type=float, default=defaults.rate, help="frames per second and market")
    parser.add_argument("--balance", type=Decimal, default=defaults.balance, help="USDT")
    parser.add_argument("--history-minutes", type=int, default=defaults.history_minutes)
    parser.add_argument(
        "--funding-interval-s", type=int, default=defaults.funding_interval_s, help="between two payments"
    )
    parser.add_argument("--clock-skew-s", type=float, default=defaults.clock_skew_s, help="its clock is so far ahead")
    parser.add_argument("--api-key", default=defaults.api_key)
    parser.add_argument("--api-secret", default=defaults.api_secret)
    parser.add_argument("--key-withdraws", action="store_true", help="the key is one that may withdraw")
    parser.add_argument("--no-limits", dest="enforce_limits", action="store_false", help="no budget of requests")
    parser.add_argument("--latency-s", type=float, default=defaults.latency_s, help="distance of the venue")
    parser.add_argument("--leash", action="store_true", help="end when standard input, a pipe, ends")
    return run(ServeOptions(**vars(parser.parse_args(arguments))))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


if __name__ == "__main__":
    sys.exit(main())
