"""When a question that failed may be put once more, where nobody asks for all."""

import pytest

from kangbot.execution.again import at_once


def test_where_nobody_asks_for_all_it_may_be_put_at_once() -> None:
    """Nothing is awaited: not even one turn of the loop goes by."""
    waiting = at_once()
    with pytest.raises(StopIteration):
        waiting.__await__().send(None)
