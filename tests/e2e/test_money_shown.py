"""What the daemon says it has earned, held against the exchange's own books and against sums over the history."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kangbot.health.report import LAST_RUN, Report
from tests.support.processes import CONFIG, World

pytestmark = pytest.mark.process

SCALES = Path(__file__).parents[1] / "support" / "strategies" / "scales.py"
BALANCE = Decimal(100_000)
NEAR = Decimal("0.000001")  # open profit is told to the eighth decimal


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An exchange with funding every two seconds, and a daemon whose positions are hardly ever closed as a whole."""
    made = World(tmp_path, seed=7, options=("--funding-interval-s", "2"))
    shutil.copy(SCALES, tmp_path)
    config = CONFIG.replace('"ema_cross"', '"scales.py"').replace("[defaults.parameters]\nfast = 2\nslow = 5\n", "")
    made.config.write_text(config.replace("size = 500", "size = 3000"))
    yield made
    made.close()


def by_hand(state: Path, market: str, price: Decimal) -> tuple[Decimal, Decimal]:
    """Return what the market's trades have brought by now, were the rest closed at that price, and its funding."""
    with closing(sqlite3.connect(f"{(state / 'history.sqlite').as_uri()}?mode=ro", uri=True)) as history:
        rows = history.execute("SELECT side, quantity, price, fee FROM fills WHERE market = ?", (market,))
        fills = [(1 if side == "buy" else -1, *map(Decimal, amounts)) for side, *amounts in rows]
        flows = history.execute("SELECT amount FROM cash_flows WHERE market = ?", (market,))
        funding = sum((Decimal(amount) for (amount,) in flows), Decimal(0))
    return sum((sign * quantity * (price - paid) - fee for sign, quantity, paid, fee in fills), Decimal(0)), funding


def agrees(state: Path, report: Report) -> bool:
    """Whether each market is told to have brought what its rows say: funding comes in between, so not at once."""
    for one in report.markets:
        assert one.price is not None
        brought, funding = by_hand(state, one.market, one.price)
        if abs(one.profit + one.unrealised - brought) > NEAR or one.funding != funding:
            return False
    return True


def test_what_is_shown_as_earned_is_what_the_exchange_has_paid(world: World) -> None:
    """Over a `kill -9`, with positions that are partly closed, and to the last digit once all of them are closed."""
    world.start()
    world.orders(more_than=20)
    world.daemon.kill()
    world.start()
    world.orders(more_than=20)
    world.sandbox.pause()
    world.client.tell("/stop-all")
    world.until(lambda report: all(one.state == "stopped" for one in report.markets))
    report = world.until(lambda report: agrees(world.state, report))
    assert any(one.net for one in report.markets)
    world.client.tell("/kill", {"reason": "the end", "flatten": True})
    world.until(lambda report: not any(one.net for one in report.markets))
    truth = world.stop()
    last = msgspec.json.decode((world.state / LAST_RUN).read_bytes(), type=Report)
    assert truth["positions"] == {}
    assert sum(one.fees for one in last.markets) == Decimal(truth["fees"])
    assert any(one.funding for one in last.markets)
    shown = sum((one.profit + one.funding for one in last.markets), BALANCE)
    assert abs(shown - Decimal(truth["wallet"])) < NEAR
