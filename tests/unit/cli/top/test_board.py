"""What the board shows of a daemon, in a terminal of any size."""

import io
from decimal import Decimal

import pytest
from rich.console import Console
from rich.text import Text

from kangbot.cli.top.board import Board, Seen, _row
from kangbot.health.checks import health_of
from kangbot.health.report import BreakerReport, ConfigReport, ErrorReport, Report
from kangbot.model.ids import MarketId, Symbol
from kangbot.settings.health import HealthSettings
from tests.support.reporting import AT_NS, a_market, a_report

MANY = [a_market(f"M{number:02d}") for number in range(27)]

HELD = {
    "net": Decimal(-12345678),
    "unrealised": Decimal("-1234.56"),
    "price": Decimal("0.0000123456"),
    "stop": Decimal("0.00001256"),
    "feed_age_s": 61.0,
}


def lines(report: Report, *, width: int = 80, height: int = 24, board: Board | None = None) -> list[str]:
    """Return the screen as a person reads it."""
    console = Console(width=width, height=height, file=io.StringIO())
    seen = Seen(health=health_of(report, HealthSettings().thresholds), report=report)
    with console.capture() as captured:
        console.print((board or Board()).render(seen, console.size))
    return [line.rstrip() for line in captured.get().splitlines()]


def names(shown: list[str]) -> list[str]:
    """Return the markets that are shown, from above."""
    return list(rows(shown))


def rows(shown: list[str]) -> dict[str, list[str]]:
    """Return the cells of the markets that are shown, by the market's name."""
    return {line.split("/")[0]: line.split() for line in shown if "/USDT " in line and ":" not in line}


def test_the_head_says_how_the_daemon_is() -> None:
    """State, score, equity, memory, loop lag."""
    head = lines(a_report(*MANY, loop_lag_recent_ms={"p99": 0.44}))[:2]
    assert head[0] == "kangbot 0.1.0  sandbox  up 0h 16m  healthy, score 100  27/27 live"
    assert head[1] == "equity 100,000.00 USDT  67 MB  lag 0.4 ms  2.1 % cpu  0 orders"
    assert "  99.5 % cpu  " in lines(a_report(*MANY, cpu_recent_percent=99.5))[1], "what it takes now, not since ever"


@pytest.mark.parametrize("height", [10, 24, 60])
def test_the_screen_is_never_higher_or_wider_than_the_terminal(height: int) -> None:
    """And every figure of a market whose figures are long is whole in 80 columns."""
    market = a_market("PEPE1000", **HELD)
    shown = lines(a_report(*MANY, market), height=height)
    assert len(shown) <= height
    assert max(map(len, shown)) <= 80
    (row,) = (line for line in shown if line.startswith("PEPE1000"))
    assert row.split() == ["PEPE1000/USDT", "live", "0.0000123456", "-12345678", "-1234.56", "0.00001256", "61s"]


def test_a_spot_market_is_told_from_the_perpetual_of_its_pair() -> None:
    """Both may be traded, at different prices."""
    spot = a_market(symbol=Symbol("BTC/USDT"), market=MarketId("bybit:BTC-USDT"))
    shown = [line for line in lines(a_report(a_market(), spot)) if line.startswith("BTC/USDT")]
    assert [line.partition(" live")[0].rstrip() for line in shown] == ["BTC/USDT", "BTC/USDT spot"]


def test_what_needs_a_look_stands_above() -> None:
    """No stop or an open breaker, then errors, then what is held; the rest keeps the order of the file."""
    markets = list(MANY)
    markets[20] = a_market("M20", unprotected="refused")
    markets[10] = a_market("M10", **HELD)
    breaker = BreakerReport(
        market=MANY[15].market, lane="entry", state="open", since_ns=1, until_ns=2, failures=9, trips=1, cause="x"
    )
    error = ErrorReport(kind="x", severity="low", market=MANY[5].market, recent=12, total=30, message="m")
    shown = lines(a_report(*markets, breakers=[breaker], errors=[error]), height=60)
    assert names(shown)[:6] == ["M15", "M20", "M05", "M10", "M00", "M01"]
    assert shown[-1] == "all markets   q ends"
    cells = rows(shown)
    assert cells["M15"][-1] == "en"
    assert cells["M20"][-2] == "NONE"
    assert cells["M05"][-1] == "12"


def test_what_is_wrong_is_told_in_the_head() -> None:
    """The kill switch first, and no more lines than leave room for markets."""
    shown = lines(a_report(*MANY, killed="news", unprotected=1, history_away="refused", stuck="journal for 60 s"))
    assert shown[2] == "THE KILL SWITCH IS SET: news"
    assert any(line.startswith("unprotected: 1 position, without a stop") for line in shown)
    shown = lines(a_report(*MANY, killed="a", waiting="b", unprotected=1, history_away="c", stuck="d"))
    assert shown[5] == "and 2 more: kangbot health"
    shown = lines(a_report(*MANY, banned="until noon"))
    assert [line for line in shown if "until noon" in line] == ["NOTHING IS SENT: until noon"]


def test_a_board_is_turned_and_stays_within_its_markets() -> None:
    """By a line and by a page, as far as there are markets."""
    board, report = Board(), a_report(*MANY)
    first = names(lines(report, board=board))
    assert first[0] == "M00"
    board.turned("down")
    assert names(lines(report, board=board))[0] == "M01"
    board.turned("page down")
    shown = lines(report, board=board)
    assert names(shown)[-1] == "M26"
    assert shown[-1] == f"markets {28 - len(first)} to 27 of 27   ↑ ↓ turns   q ends"
    board.turned("page up")
    board.turned("up")
    assert names(lines(report, board=board)) == first


def test_a_silent_daemon_is_said_for_as_long_as_it_is() -> None:
    """With the moment it fell silent, whatever is said later."""
    board, report = Board(), a_report(*MANY)
    board.silent("no daemon answers", AT_NS)
    board.silent("another word", AT_NS + 10**12)
    assert lines(report, board=board)[0].startswith("NO ANSWER SINCE 14:13:20 UTC")
    board.answered()
    assert lines(report, board=board)[0].startswith("kangbot")


def test_a_wide_terminal_has_room_for_the_reason() -> None:
    """What is blocked or missing before what was signalled."""
    (row,) = (line for line in lines(a_report(a_market(signal="fast above slow")), width=140) if "/USDT" in line)
    assert row.endswith("fast above slow")
    (row,) = (line for line in lines(a_report(a_market(unprotected="refused")), width=140) if "/USDT" in line)
    assert row.endswith("NO STOP: refused")


def test_what_others_say_moves_no_cursor_of_the_board() -> None:
    """Why the switch was set, and a strategy's signal."""
    said = lines(a_report(a_market("BTC", signal="up\x1b[2J"), killed="because\x1b[2J"), width=200)
    assert any(line.endswith(r"THE KILL SWITCH IS SET: because\x1b[2J") for line in said)
    assert any(line.endswith(r" up\x1b[2J") for line in said)
    assert "\x1b" not in "".join(said)


def test_the_worst_is_told_first_and_nothing_twice() -> None:
    """What the daemon says of itself, with the first line of what is wrong with the file; then what is critical."""
    config = ConfigReport(accepted_ns=1, version=1, problem="a.toml:3: size: is no number.\na.toml:9: mode: is wrong.")
    late = {"loop_lag_recent_ms": {"p99": 500.0}}
    shown = lines(a_report(*MANY, banned="until noon", waiting="until noon", config=config, unprotected=1, **late))
    assert shown[2] == "WAITING FOR THE VENUE: until noon"
    assert shown[3] == "the configuration's file is wrong: a.toml:3: size: is no number."
    assert shown[4].startswith("unprotected: 1 position, without a stop")
    assert sum("until noon" in line for line in shown) == 1
    (lag,) = (number for number, line in enumerate(shown) if "lag" in line and "500" in line and number > 1)
    assert lag == 5, "which only warns"
    shown = lines(a_report(a_market(feed_age_s=20.0), disk_free_mb=50.0))
    assert [line.split()[0] for line in shown[2:4]] == ["disk:", "feeds:"]


def test_a_market_that_failed_stands_above_and_one_whose_errors_are_over_does_not() -> None:
    """Nor does a breaker that lets a probe through count as closed."""
    markets = [*MANY[:4], a_market("M04", state="failed")]
    breaker = BreakerReport(
        market=MANY[3].market, lane="exit", state="half_open", since_ns=1, until_ns=2, failures=9, trips=1, cause="x"
    )
    over = ErrorReport(kind="x", severity="low", market=MANY[2].market, recent=0, total=30, message="m")
    now = ErrorReport(kind="x", severity="low", market=MANY[1].market, recent=2, total=30, message="m")
    shown = lines(a_report(*markets, breakers=[breaker], errors=[over, now], live=4))
    assert names(shown) == ["M03", "M04", "M01", "M00", "M02"]
    assert rows(shown)["M03"][-1] == "ex"
    assert shown[0].endswith("4/5 live")


def test_a_file_has_every_market_and_no_word_of_keys() -> None:
    """Whatever the height of the terminal that it was not shown in."""
    shown = lines(a_report(*MANY), height=10, board=Board(whole=True))
    assert len(names(shown)) == 27
    assert "ends" not in shown[-1]


def test_what_was_turned_too_far_is_not_turned_back_first() -> None:
    """Above the first there is nothing."""
    board, report = Board(), a_report(*MANY)
    for key in ("up", "up", "page up", "down"):
        board.turned(key)
    assert names(lines(report, board=board))[0] == "M01"


def test_a_flat_market_has_no_profit_and_a_price_no_zeros_behind_it() -> None:
    """What is not there is not shown as nothing."""
    (row,) = rows(lines(a_report(a_market("BTC", price=Decimal("64000.500"))))).values()
    assert row == ["BTC/USDT", "live", "64000.5", "0s"]


def test_the_reason_is_what_keeps_an_order_back_before_what_was_wanted() -> None:
    """And of a market that does not decide, what it waits for: its last signal is of another day."""
    said = {"signal": "fast above slow", "reason": "3 of 60 bars"}
    for fields, why in (
        ({"blocked": "the limit of loss"}, "the limit of loss"),
        ({}, "fast above slow"),
        ({"state": "warming"}, "3 of 60 bars"),
    ):
        (row,) = (line for line in lines(a_report(a_market(**said, **fields)), width=140) if "/USDT" in line)
        assert row.endswith(f" {why}")


def test_a_price_that_is_old_is_marked() -> None:
    """From where health warns; nobody compares ages in passing."""
    marked = [_row(a_market(feed_age_s=age_s), "", 0)[6] for age_s in (14.9, 15.0)]
    assert [cell.style for cell in marked if isinstance(cell, Text)] == ["", "bold yellow"]
