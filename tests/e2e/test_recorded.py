"""What Binance USD-M once said, consumed by the daemon itself: live data as recorded, simulated fills.

The bars that are expected are computed here from the recording, by `Decimal` alone.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kangbot.cli.demo.ledger import orders_in, positions_in
from kangbot.health.report import Report
from kangbot.model.orders import OrderStatus
from tests.support.processes import Life
from tests.wire.recorded import four_markets, four_markets_listing
from tests.wire.reel import Reel
from tests.wire.reel_venue import ReelVenue, on_loopback

pytestmark = [pytest.mark.process, pytest.mark.recorded]

SECONDS = ("AKRO", "CTK", "SUSHI")  # on bars of a second, built from trades
MINUTES = "KEEP"  # on the venue's own candles
MARKETS = (*SECONDS, MINUTES)

CONFIG = """
mode = "paper"
[defaults]
venue = "binance_usdm"
strategy = "ema_cross"
timeframe = "1s"
size = 500
[defaults.parameters]
fast = 2
slow = 5
[risk]
market_notional = 1000
total_notional = 5000
daily_loss = 5000
[start]
interval_s = 0.05
jitter_s = 0.02
[shutdown]
grace_s = 90
""" + "".join(
    f'[[markets]]\nsymbol = "{base}/USDT:USDT"\n' + ('timeframe = "1m"\n' if base == MINUTES else "")
    for base in MARKETS
)


@pytest.fixture
def reel() -> Reel:
    return Reel(four_markets())


@pytest.fixture
def venue(reel: Reel) -> Iterator[ReelVenue]:
    with on_loopback(reel, four_markets_listing()) as served:
        yield served


@pytest.fixture
def life(venue: ReelVenue, tmp_path: Path) -> Iterator[Life]:
    addresses = {
        "KANGBOT_VENUES__BINANCE_USDM__REST_URL": venue.rest_url,
        "KANGBOT_VENUES__BINANCE_USDM__WS_PUBLIC_URL": venue.ws_url,
    }
    made = Life(tmp_path, CONFIG, len(MARKETS), addresses)
    yield made
    made.close()


def fills_in(state: Path) -> dict[str, Decimal]:
    """Return the sum of the fills by market, from the history; markets that came out even are absent."""
    held: dict[str, Decimal] = {}
    with closing(sqlite3.connect(state / "history.sqlite")) as database:
        for market, side, quantity in database.execute("SELECT market, side, quantity FROM fills"):
            held[market] = held.get(market, Decimal(0)) + Decimal(quantity) * (1 if side == "buy" else -1)
    return {market: net for market, net in held.items() if net}


def bars_in(state: Path, market: str) -> list[tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Return the history's bars of seconds in which there was a trade: second, open, high, low, close, volume."""
    question = (
        "SELECT CAST(strftime('%s', opened_at) AS INTEGER), open, high, low, close, volume FROM bars WHERE market = ?"
    )
    with closing(sqlite3.connect(state / "history.sqlite")) as database:
        rows = [(row[0], *map(Decimal, row[1:])) for row in database.execute(question, (market,))]
    return [row for row in rows if row[5]]


def traded(reel: Reel, symbol: str, since_s: int, until_ms: int) -> list[dict[str, Any]]:
    """Return the venue's trades of that time, however long the daemon took for what was waited for."""
    most = 1000
    while (found := reel.trades(symbol, until_ms, most))[0]["T"] >= since_s * 1000:
        most *= 2
    return found


def seconds(trades: list[dict[str, Any]]) -> Mapping[int, tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Return the bars of seconds of the venue's trades."""
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in trades:
        groups.setdefault(row["T"] // 1000, []).append(row)
    return {
        second: (
            Decimal(rows[0]["p"]),
            max(Decimal(row["p"]) for row in rows),
            min(Decimal(row["p"]) for row in rows),
            Decimal(rows[-1]["p"]),
            sum((Decimal(row["q"]) for row in rows), Decimal(0)),
        )
        for second, rows in groups.items()
    }


def test_the_daemon_trades_on_what_a_real_venue_once_said(life: Life, venue: ReelVenue, reel: Reel) -> None:
    """Live markets, no garbled frame, bars as the recording has them, paper orders, a clean end, books that agree."""
    life.start()
    life.live()
    report = life.until(
        lambda now: now.orders.filled > 5 and now.bars > 36 and all(market.ticks for market in now.markets)
    )
    assert (report.mode, report.reconnects) == ("paper", 0)
    assert all(market.price and not market.falls for market in report.markets)
    assert all(market.decisions for market in report.markets if market.timeframe == "1s")
    assert life.daemon.stop() == 0, life.daemon.last_lines()

    # What was asked of the venue: public data on the paths that serve it, and nothing of an account.
    assert venue.strange == []
    assert venue.asked.keys() == {"exchangeInfo", "time", "klines", "aggTrades"}
    natives = [f"{base.lower()}usdt" for base in MARKETS]
    assert venue.subscribed["public"] == {f"{native}@bookTicker" for native in natives}
    trades = {f"{native}@aggTrade" for native in natives}  # the paper account listens to every market's
    assert venue.subscribed["market"] == trades | {f"{MINUTES.lower()}usdt@kline_1m"}

    # What was heard: every frame told is a frame sent, and none was beyond understanding.
    last = msgspec.json.decode((life.state / "last_run.json").read_bytes(), type=Report)
    log = (life.folder / "daemon.log").read_text()
    sent = venue.sent.total() + venue.answers
    assert sent * 0.8 < last.frames <= sent
    assert "feed.garbled" not in log
    assert "task.crashed" not in log

    # What was built: seconds as the recording's trades make them. A late frame may miss its bar, never falsify it.
    whole: list[bool] = []
    for base in SECONDS:
        bars = bars_in(life.state, f"binance_usdm:{base}-USDT:USDT")
        truth = seconds(traded(reel, f"{base}USDT", min(bar[0] for bar in bars), last.at_ns // 1_000_000))
        for second, *shape in bars:
            _, high, low, _, volume = shape
            assert truth[second][2] <= low <= high <= truth[second][1]
            assert volume <= truth[second][4]
            whole.append(tuple(shape) == truth[second])
    assert len(whole) > 8
    assert sum(whole) > len(whole) / 2

    # What was done: the report, the history and the sum of the fills are one account.
    orders = orders_in(life.state)
    assert sum(orders.values()) == last.orders.sent
    assert orders[OrderStatus.FILLED] == last.orders.filled
    assert last.orders.unknown == last.history_backlog == 0
    net = {str(market.market): market.net for market in last.markets if market.net}
    assert net == positions_in(life.state) == fills_in(life.state)


def test_what_binance_cannot_do_is_told_before_anything_starts(life: Life, venue: ReelVenue) -> None:
    """One mistake with its remedy, exit code 78, and no question to the venue."""
    life.environment["KANGBOT_MODE"] = "testnet"
    with pytest.raises(Exception, match="ended with status 78"):
        life.start()
    said = (life.folder / "daemon.log").read_text()
    assert 'Write mode = "paper"' in said
    assert "Traceback" not in said
    assert not venue.asked
