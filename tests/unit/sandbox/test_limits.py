"""The budgets of requests."""

import pytest

from kangbot.sandbox.limits import Limits
from tests.support.sandbox_client import Client


def test_a_rolling_second_holds_so_many_requests() -> None:
    """One too many is not counted, and is told when the oldest leaves the window."""
    limits = Limits()
    assert [limits.take("a", 2, now).left for now in (0, 400)] == [1, 0]
    over = limits.take("a", 2, 900)
    assert (over.left, over.reset_ms, over.headers()["X-Bapi-Limit-Status"]) == (-1, 1000, "0")
    assert limits.take("b", 2, 900).left == 1
    assert limits.take("a", 2, 1000).left == 0
    assert limits.take("a", 2, 1001).left == -1


@pytest.mark.usefixtures("long_second")
async def test_the_eleventh_order_of_a_second_is_refused(client: Client) -> None:
    """10006 with the time of reset, and nothing is ordered."""
    answers = [await client.buy() for _ in range(14)]
    codes = [answer["retCode"] for _, answer, _ in answers]
    assert set(codes) == {0, 10006}
    assert (await client.truth())["orders"]["total"] == codes.count(0)
    refused = next(headers for _, answer, headers in answers if answer["retCode"] == 10006)
    assert (refused["X-Bapi-Limit"], refused["X-Bapi-Limit-Status"]) == ("10", "0")
