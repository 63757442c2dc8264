"""All looks, one after the other: see `__init__`."""

import kangbot.runtime.lean  # noqa: F401 -- before whatever imports structlog: a tenth of the start  # isort: skip
import kangbot.runtime.lean_tls  # noqa: F401 -- before whatever imports aiohttp  # isort: skip

import logging
from collections.abc import AsyncIterator

import structlog

from kangbot.cli.doctor.database import database, plain_text
from kangbot.cli.doctor.finding import Look
from kangbot.cli.doctor.machine import machine
from kangbot.cli.doctor.orders import orders
from kangbot.cli.doctor.venue import venue
from kangbot.runtime.unawaited import run
from kangbot.runtime.world import World
from kangbot.settings import Settings


def examine(settings: Settings, world: World) -> tuple[Look, ...]:
    """Look at everything. Takes about a second, and at most some twenty where nobody answers.

    What adapters would log meanwhile is said by the looks, so it stays out of what is printed.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    async def looks() -> AsyncIterator[Look]:
        for look in machine(settings, now_ns=world.clock.now_ns()):
            yield look
        for look in orders(settings):
            yield look
        yield await database(settings)
        for look in plain_text(settings):
            yield look
        async for look in venue(settings, world):
            yield look

    async def all_of_them() -> tuple[Look, ...]:
        return tuple([look async for look in looks()])

    return run(all_of_them())
