"""Logs: one chain for our events and for the libraries' lines, to standard error, without a secret in it.

    logs.configure(settings, world.clock)                     once, in a process' beginning
    log = structlog.get_logger(__name__)                      in each module
    log.warning("feed.silent", market=market, for_s=12.5)     a dotted event with fields, when something changed

`chain` puts it together, `masking` takes the secrets out, `rendering` writes for a person or for a machine, `bridge`
brings in what libraries say through the standard library's logging. What is bound with `structlog.contextvars` (a
market's task binds its market) stands in every event of that task.
"""

from kangbot.logs.chain import LogOptions, configure, set_up
from kangbot.logs.masking import Masker

__all__ = ["LogOptions", "Masker", "configure", "set_up"]
