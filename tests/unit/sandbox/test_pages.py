"""Pages of a list: each goes on where the last one ended."""

from collections.abc import Iterator
from typing import Any

import pytest

from kangbot.sandbox.errors import ApiError
from kangbot.sandbox.pages import page


def paged(items: Iterator[int] | range, **params: Any) -> dict[str, Any]:
    """Return a page of numbers, three as usual and five at most."""
    return page(items, lambda item: {"id": f"n{item}"}, params, "id", category="linear", usual=3, most=5)


def ids(told: dict[str, Any]) -> list[str]:
    """Return what stands on it."""
    return [row["id"] for row in told["list"]]


def test_a_list_is_told_page_by_page_to_its_end() -> None:
    """Each row once; the last page names no cursor, though it be full."""
    seen, cursors, cursor = list[str](), list[str](), ""
    while True:
        told = paged(range(6), cursor=cursor)
        seen += ids(told)
        cursor = told["nextPageCursor"]
        cursors.append(cursor)
        if not cursor:
            break
    assert (seen, cursors) == ([f"n{number}" for number in range(6)], ["n2", ""])
    assert told["category"] == "linear"


def test_a_page_has_as_many_rows_as_were_asked_for_and_no_more_than_there_may_be() -> None:
    """Or as is usual."""
    sizes = [len(ids(paged(range(9), **asked))) for asked in ({}, {"limit": "2"}, {"limit": 99}, {"limit": 0})]
    assert sizes == [3, 2, 5, 1]
    with pytest.raises(ApiError):
        paged(range(9), limit="x")


def test_what_came_since_does_not_shift_what_follows() -> None:
    """The newest stand first, and the cursor is a row."""
    first = paged(range(3, 9))
    assert ids(paged(range(9), cursor=first["nextPageCursor"])) == ["n6", "n7", "n8"]


def test_a_cursor_that_leads_nowhere_ends_the_list() -> None:
    """It does not begin anew."""
    assert paged(range(3), cursor="gone") == {"category": "linear", "list": [], "nextPageCursor": ""}
    assert ids(paged(range(0))) == []


def test_rows_are_made_as_needed() -> None:
    """Of a list of thousands a page makes its own, and one more to know whether there is one."""
    items = iter(range(1000))
    paged(items)
    assert next(items) == 4
