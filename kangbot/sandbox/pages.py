"""Pages of a list: `limit` rows at a time, continued by the cursor that the last page named."""

from collections.abc import Iterable
from typing import Any

from kangbot.sandbox.params import Params, text, whole
from kangbot.sim.orders import SimOrder

Rows = list[dict[str, Any]]


def page(rows: Rows, category: str, params: Params, key: str, *, high: int, default: int = 20) -> dict[str, Any]:
    """Return one page of `rows`; the cursor is the `key` of the last row that was shown."""
    limit = whole(params, "limit", default if high <= 50 else 50, high=high)
    after = text(params, "cursor", "")
    if after:
        position = next((index for index, row in enumerate(rows) if row[key] == after), len(rows))
        rows = rows[position + 1 :]
    shown = rows[:limit]
    cursor = shown[-1][key] if len(rows) > limit else ""
    return {"category": category, "list": shown, "nextPageCursor": cursor}


def newest_first(orders: Iterable[SimOrder]) -> list[SimOrder]:
    """Return the orders by creation, newest first."""
    return sorted(orders, key=lambda order: order.created_ns, reverse=True)
