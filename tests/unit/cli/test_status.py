"""`kangbot status`: what a market's line says."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from kangbot.cli import exit_codes, status
from kangbot.cli.status import _head, _table
from kangbot.cli.top import board
from kangbot.health.report import ConfigReport, MarketReport, StreamReport
from kangbot.model.ids import MarketId, Symbol
from kangbot.settings.paths import shipped_config
from tests.support.reporting import a_market, a_report
from tests.support.typed import kangbot

SHIPPED = str(shipped_config("kangbot.toml"))


@pytest.mark.parametrize("line", [status._why, board._why], ids=["status", "top"])
def test_a_strategy_that_is_asked_aside_is_said_to_be_slow_with_its_longest_call(
    line: Callable[[MarketReport], str],
) -> None:
    """Before its last signal, while it decides; one that warms up is asked aside by right."""
    slow: dict[str, Any] = {"aside": True, "longest_call_ms": 123.4, "signal": "EMA 5 crossed above EMA 20"}
    assert line(a_market(**slow)).endswith("slow strategy, 123 ms: EMA 5 crossed above EMA 20")
    assert "slow" not in line(a_market(**slow, state="warming"))
    assert "slow" not in line(a_market(longest_call_ms=3.0))


def test_a_journal_that_takes_only_exits_is_said_above_the_markets() -> None:
    """Each market would say of its own orders that they came to nothing, and none why."""
    assert "NOTHING ENTERS: the journal takes nothing, exits neither: locked\n" in _head(
        a_report(journal_hindered="takes nothing, exits neither: locked")
    )


def test_a_stream_that_is_down_and_a_network_that_is_are_said_above_the_markets() -> None:
    """Prices that stand still look like prices; why they do is nobody's market's."""
    told: dict[str, Any] = {"state": "waiting", "topics": 2, "live": 0, "dials": 9, "reconnects": 0, "frames": 7}
    down = StreamReport(name="bybit.linear.public.1", **told, garbled=0, troubles={}, down="venue.test: it is full")
    head = _head(a_report(streams=[down, structs.replace(down, name="bybit.private.1", down="")], local_fault_ns=1))
    assert "\nDOWN, dialled again and again: bybit.linear.public.1: venue.test: it is full\n" in head
    assert "bybit.private.1" not in head
    assert "\nNOTHING ENTERS: most markets fail together" in head
    assert "NOTHING ENTERS" not in _head(a_report())


def test_a_pause_is_said_with_the_command_that_ends_it() -> None:
    """As it can be typed: it wants a market."""
    told = status._why(a_market("BTC", paused="no money", paused_until_ns=5_000_000_000))
    assert told == "NO ENTRIES until 00:00:05 UTC, or kangbot resume BTC/USDT:USDT: no money"


@pytest.mark.parametrize("line", [status._why, board._why], ids=["status", "top"])
def test_a_market_whose_data_cannot_be_relied_on_says_so_before_its_last_signal(
    line: Callable[[MarketReport], str],
) -> None:
    """What the strategy wanted last is of yesterday."""
    assert line(a_market(stale="quotes: closed", signal="EMA 5 crossed above EMA 20")).endswith("quotes: closed")


@pytest.mark.parametrize("line", [status._why, board._why], ids=["status", "top"])
def test_a_market_that_a_person_must_release_says_so_before_all_but_a_missing_stop(
    line: Callable[[MarketReport], str],
) -> None:
    """Whatever became of its last order, and in whatever state: it enters nothing before somebody has looked."""
    held: dict[str, Any] = {"quarantine": "we count 1, the venue says 0", "blocked": "refused", "paused": "no money"}
    told = "QUARANTINED until kangbot release BTC/USDT:USDT: we count 1, the venue says 0"
    assert line(a_market("BTC", **held)) == told
    assert line(a_market("BTC", **held, state="paused", stale="quotes: closed")) == told
    assert line(a_market("BTC", **held, unprotected="none rests")) == "NO STOP: none rests"


def test_a_limit_of_loss_that_is_reached_is_said_above_the_markets() -> None:
    """A market without a signal says nothing of it in its line."""
    assert "NOTHING ENTERS" not in _head(a_report(a_market()))
    assert "\nNOTHING ENTERS: the day has lost 25.00\n" in _head(a_report(losses=["the day has lost 25.00"]))


@pytest.mark.parametrize(("offset_ms", "side"), [(300_000.0, "BEHIND"), (-300_000.0, "AHEAD OF")])
def test_a_clock_that_is_minutes_wrong_is_said_above_the_markets(offset_ms: float, side: str) -> None:
    """Every time that is shown is wrong by it, and no figure of a market says so."""
    head = _head(a_report(clock={"offset": offset_ms, "uncertainty": 4.0}))
    assert f"\nOUR CLOCK IS 300.0 s {side} THE VENUE'S: " in head
    assert head.strip().endswith("Set this machine's clock, then restart the daemon")
    for near in ({"offset": offset_ms / 1000}, {"offset": None}, {}):
        assert "CLOCK" not in _head(a_report(clock=near))


def test_what_lies_in_a_market_that_is_not_configured_any_more_is_said_above_the_others() -> None:
    """It has no line of its own, and nobody looks after it."""
    assert "LEFT BEHIND" not in _head(a_report(a_market()))
    left = {MarketId("bybit:ETH-USDT:USDT"): "it stands still, and 2 is held without a stop"}
    head = _head(a_report(a_market(), left_behind=left))
    assert "\nLEFT BEHIND: bybit:ETH-USDT:USDT: it stands still, and 2 is held without a stop\n" in head


def test_a_market_that_the_venue_does_not_list_is_said_above_the_others() -> None:
    """It has no line of its own, and the count of the markets has it."""
    config = ConfigReport(accepted_ns=0, version=1, unlisted=[Symbol("SOL/USDT")])
    assert "\nNOT TRADED, the venue does not list it: SOL/USDT\n" in _head(a_report(a_market(), config=config))
    assert "NOT TRADED" not in _head(a_report(a_market()))


def test_a_margin_mode_that_a_stop_may_be_too_far_for_is_said() -> None:
    """Cross margin is what an account begins with."""
    assert "\nmargin is isolated, for the whole account\n" in _head(a_report(margin="isolated"))
    assert not any("margin" in _head(a_report(margin=mode)) for mode in ("", "cross"))


def test_what_the_kill_switch_has_to_close_is_named_where_no_market_has_a_line_yet() -> None:
    """The venue has not answered the start, and somebody asks what is open."""
    held: dict[str, Any] = {
        "killed": "news",
        "flatten": True,
        "unflattened": {MarketId("bybit:BTC-USDT:USDT"): Decimal("0.5"), MarketId("bybit:ETH-USDT:USDT"): Decimal(-2)},
    }
    waiting = _head(a_report(**held, waiting="the venue is away"))
    assert ": bybit:BTC-USDT:USDT long 0.5, bybit:ETH-USDT:USDT short 2\n" in waiting
    assert "bybit:" not in _head(a_report(a_market(net=Decimal("0.5")), **held))


def test_a_venue_that_wants_to_be_left_alone_is_said_once() -> None:
    """At a start with what it keeps from beginning."""
    assert "\nNOTHING IS SENT, not even exits; stops rest at the venue: until noon\n" in _head(
        a_report(banned="until noon")
    )
    head = _head(a_report(waiting="until noon", banned="until noon"))
    assert head.count("until noon") == 1
    assert "\nWAITING FOR THE VENUE, before which no market begins: until noon\n" in head


def test_a_file_that_is_not_taken_is_said_above_the_markets_and_so_is_what_waits_for_a_restart() -> None:
    """Whoever has saved an edit looks here for what became of it."""
    assert "configuration" not in _head(a_report())
    wrong = ConfigReport(accepted_ns=1, version=1, problem="a.toml:3: size: is no number.\na.toml:9: mode: is wrong.")
    head = _head(a_report(config=wrong))
    assert "\nthe configuration's file is not taken: a.toml:3: size: is no number.\n" in head
    assert "\nthe configuration's file is not taken: a.toml:9: mode: is wrong.\n" in head
    waits = ConfigReport(accepted_ns=1, version=1, restart=["control.port: 8787 → 8788"])
    assert "\nthe configuration's file waits for a restart: control.port: 8787 → 8788\n" in _head(
        a_report(config=waits)
    )


def test_the_figures_of_every_market_fit_a_terminal_of_80_columns() -> None:
    """A line that is broken among its figures cannot be read; one that is broken in its reason can."""
    markets = [
        a_market(symbol="1000PEPE/USDT:USDT", net=Decimal(-1234567), price=Decimal("0.0123456")),
        a_market(symbol="BTC/USDT:USDT", net=Decimal("0.001"), price=Decimal("98102.85")),
    ]
    names, *_ = _table(markets)
    assert len(names) <= 80


def test_columns_stand_beneath_their_names_whatever_is_in_them() -> None:
    """The longest names and figures that venues have, beside short ones."""
    long = a_market(
        symbol="1000000BABYDOGE/USDT:USDT", price=Decimal("1.2345E-7"), net=Decimal("313853493.5000"), signal="long"
    )
    huge = a_market(price=Decimal(1_250_000), unrealised=Decimal("-49024852.90"), signal="short")
    names, *lines = _table([long, huge])
    assert [line.split()[2:5] for line in lines] == [
        ["0.00000012345", "313853493.5000", f"{long.unrealised:.2f}"],
        ["1250000", f"{huge.net:f}", "-49024852.90"],
    ]
    for column in ("price", "position", "open", "profit", "orders"):
        end = names.index(column) + len(column)
        assert {line[end] for line in lines} == {" "}
        assert " " not in {line[end - 1] for line in lines}
    assert [line.index(line.split()[-1]) for line in lines] == [names.index("why")] * 2


def test_what_others_say_ends_no_line_and_moves_no_cursor() -> None:
    """The signal of a strategy, whose author wrote it, in its market's own line."""
    *_, line = _table([a_market("BTC", signal="up\n\x1b[2Jflat")])
    assert line.endswith(r"  up\n\x1b[2Jflat")


def test_status_says_that_no_daemon_answers(tmp_path: Path) -> None:
    """With an exit code of its own, by configuration and by socket."""
    for arguments in (["--config", SHIPPED], ["--socket", str(tmp_path / "none.sock")]):
        done = kangbot("status", *arguments, KANGBOT_STATE_DIR=str(tmp_path))
        assert done.returncode == exit_codes.NO_DAEMON
        assert "no daemon answers" in done.stderr
