"""What libraries say (ccxt, aiohttp, aiomysql, websockets, asyncio), brought into our chain.

They speak through the standard library's logging. Here their lines get the same form and pass the same masks.
"""

import logging
from collections.abc import Callable

Handle = Callable[[str, dict[str, object]], None]


class Bridge(logging.Handler):
    """Hands each record to `handle(level, fields)` as the event `library.said`."""

    def __init__(self, handle: Handle) -> None:
        super().__init__()
        self._handle = handle

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on. Never raises into the library that logs."""
        message: object
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 -- arguments that do not fit their format, or what cannot be put into words
            message = record.msg
        fields: dict[str, object] = {"event": "library.said", "logger": record.name, "message": message}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info
        self._handle(record.levelname.lower(), fields)


def route(handle: Handle, level: int) -> None:
    """Make `handle` the only place where library lines of at least `level` go, warnings included."""
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(Bridge(handle))
    root.setLevel(level)
    logging.captureWarnings(capture=True)
