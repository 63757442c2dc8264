"""`kangbot journal …`: the daemon's memory on the local disk."""

import kangbot.runtime.lean  # noqa: F401 -- before whatever imports structlog: a tenth of the start  # isort: skip

import asyncio
from pathlib import Path

from kangbot.app import parameters
from kangbot.app.remembered import Remembered
from kangbot.cli.answer import answer
from kangbot.cli.offline import given_to_its_owner, settings_of
from kangbot.journal.rebuild import Rebuilt
from kangbot.journal.rebuild import rebuild as rebuilt_from
from kangbot.model.ids import LOST_AT_MOST
from kangbot.runtime.world import real_world
from kangbot.settings import Settings


def rebuild(config: Path, tag: str | None, *, as_json: bool = False) -> int:
    """Make the lost journal anew, and say what it remembers. Raises what `journal.rebuild` raises."""
    settings = settings_of(config)
    with given_to_its_owner(settings.state_dir):
        made = asyncio.run(_rebuild(settings, tag))
    markets, last = made.memory.markets.values(), made.memory.last_sequence
    held = {str(market.market): market.position.net for market in markets if market.position.net}
    open_orders = sum(not order.settled for market in markets for order in market.orders)
    lines = (
        f"journal {made.tag} is rebuilt up to record {last}",
        f"positions  {', '.join(f'{market} {net:f}' for market, net in held.items()) or 'none'}",
        f"orders     {open_orders} to be asked about; numbers go on {LOST_AT_MOST:,} later",
        "At its start the daemon asks the exchange for what came after, and cancels orders that nobody knows.",
    )
    said = {"journal": made.tag, "last_sequence": last, "positions": held, "open_orders": open_orders}
    return answer(said, lines, as_json=as_json)


async def _rebuild(settings: Settings, tag: str | None) -> Rebuilt:
    _, history = parameters.history(settings, real_world())
    others = Remembered.new(settings, settings.risk.limits).by_name()
    try:
        return await rebuilt_from(settings.state_dir, history, tag=tag, others=others)
    finally:
        await history.aclose()
