"""Pages of a list: `limit` rows at a time, continued by the cursor that the last page named."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from kangbot.sandbox.params import Params, text, whole

T = TypeVar("T")
Row = dict[str, Any]


def page(
    items: Iterable[T], row: Callable[[T], Row], params: Params, key: str, *, category: str, usual: int, most: int
) -> Row:
    """Return one page of `items` as rows; the cursor is the `key` of the last row shown. Rows are made as needed."""
    rows = map(row, items)
    after = text(params, "cursor", "")
    if after:
        for skipped in rows:
            if skipped[key] == after:
                break
    limit = whole(params, "limit", usual, high=most)
    shown = list(islice(rows, limit + 1))
    cursor = shown[limit - 1][key] if len(shown) > limit else ""
    return {"category": category, "list": shown[:limit], "nextPageCursor": cursor}
