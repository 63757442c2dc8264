"""The daemon's log in a simulation: nobody reads it, and a fall that it tells of is a broken promise."""

import logging
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

_FALLS = frozenset({"task.crashed", "market.fell", "feed.task_crashed"})


@contextmanager
def hushed(fell: Callable[[str], None]) -> Iterator[None]:
    """Drop what is logged; tell `fell` of tasks that ended by an error of their own."""

    def listen(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["event"] in _FALLS:
            error = event.get("exc_info")
            fell(f"{event['event']} {event.get('task') or event.get('market')}: {error!r}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[listen],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
