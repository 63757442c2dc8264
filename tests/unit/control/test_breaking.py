"""Hands on circuit breakers: what each does, what is journalled, and what is answered."""

import aiohttp

from kangbot.model.events import Lane
from tests.support.control_desk import MARKET, Served

from .conftest import CALLER, got, told


async def test_a_breaker_is_looked_at_probed_reset_and_held_open(served: Served, client: aiohttp.ClientSession) -> None:
    """Each hand on it is in the journal with its caller, and answered with how the market stands."""
    status = {"market": MARKET, "breakers": await got(client, "/circuit-breakers")}
    assert status["breakers"][0]["cause"] == "timeouts"
    assert await got(client, f"/circuit-breaker-status/{MARKET}") == status
    assert await told(client, f"/force-retry/{MARKET}") == status
    assert await told(client, f"/reset-circuit-breaker/{MARKET}") == status
    assert await told(client, f"/reset-circuit-breaker/{MARKET}", {"lane": "exit"}) == status
    assert await told(client, f"/isolate-circuit-breaker/{MARKET}", {"lane": "entry"}) == status
    await told(client, f"/isolate-circuit-breaker/{MARKET}", status=400)
    await told(client, f"/isolate-circuit-breaker/{MARKET}", {"lane": "moon"}, 400)
    await told(client, "/force-retry/v:B", status=404)
    assert served.desk.obeyed == [
        ("retry", MARKET, CALLER),
        ("reset", MARKET, None, CALLER),
        ("reset", MARKET, Lane.EXIT, CALLER),
        ("isolate", MARKET, Lane.ENTRY, CALLER),
    ]
    assert [what for what, _ in served.desk.journal] == [
        f"force-retry {MARKET}",
        f"reset-circuit-breaker {MARKET} all",
        f"reset-circuit-breaker {MARKET} exit",
        f"isolate-circuit-breaker {MARKET} entry",
    ]
