"""Commands to a running daemon: real processes against a real server on a real socket."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from kangbot.cli import exit_codes
from kangbot.cli.online import table
from kangbot.control.kept import KEPT_S
from kangbot.market.roster import Command
from tests.support.control_desk import MARKET, RECOUNT, Served, serving
from tests.support.typed import typed, unread


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A daemon of one market."""
    async with serving(tmp_path) as it:
        yield it


@asynccontextmanager
async def answering(path: Path, said: bytes) -> AsyncIterator[None]:
    """Something that answers everything alike."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_unix_server(serve, path):
        yield


async def test_a_market_is_commanded_and_its_place_is_told(served: Served) -> None:
    """By the socket, so without a token."""
    code, out, err = await typed("pause", MARKET, "--socket", str(served.socket))
    assert (code, out, err) == (exit_codes.OK, f"{MARKET}: now stopped (not started), wanted stopped\n", "")
    assert served.desk.obeyed == [(MARKET, Command.PAUSE, "control socket")]


async def test_a_market_that_is_stopped_is_not_resumed_and_that_is_said(served: Served) -> None:
    """Stopped and paused look alike from afar; only a start has it trade."""
    code, out, err = await typed("resume", MARKET, "--socket", str(served.socket))
    assert (code, err) == (exit_codes.OK, "")
    assert out.splitlines()[1] == f"it is stopped, not paused; what starts it: kangbot start {MARKET}"


async def test_lists_are_tables_for_a_person_and_json_for_a_script(served: Served) -> None:
    """The same answer."""
    at = ("--socket", str(served.socket))
    code, out, _ = await typed("breakers", *at)
    assert code == exit_codes.OK
    assert out.splitlines()[0].split() == ["market", "lane", "state", "failures", "trips", "cause"]
    assert out.splitlines()[1].split() == [MARKET, "entry", "open", "10", "1", "timeouts"]
    _, out, _ = await typed("positions", *at)
    assert out.splitlines()[0].split() == ["market", "net", "entry", "price", "stop", "unrealised"]  # each has its stop
    _, out, _ = await typed("positions", "--json", *at)
    assert json.loads(out)[0]["net"] == "2"


@pytest.mark.parametrize("command", [("positions",), ("orders", "--json"), ("status",), ("top",)])
async def test_a_reader_that_has_gone_ends_a_command_quietly(served: Served, command: tuple[str, ...]) -> None:
    """`kangbot positions | head -0`; whether typer prints or rich."""
    assert await unread(*command, "--socket", str(served.socket)) == (exit_codes.NO_READER, "")


async def test_health_is_told_check_by_check_and_fails_where_it_is_critical(served: Served) -> None:
    """The worst first; a daemon whose only market cannot enter is critical, one that is well is not."""
    at = ("--socket", str(served.socket))
    code, out, err = await typed("health", *at)
    assert (code, err) == (exit_codes.FAILURE, "")
    assert out.startswith("critical, score")
    assert "breakers" in out.splitlines()[1]
    served.desk.broken = False
    await asyncio.sleep(KEPT_S)  # for so long the answer stands
    code, out, _ = await typed("health", *at)
    assert (code, out.partition(",")[0]) == (exit_codes.OK, "healthy")
    code, out, _ = await typed("health", "--json", *at)
    assert json.loads(out)["status"] == "healthy"


async def test_the_kill_switch_is_told_and_answers_a_script(served: Served) -> None:
    """The daemon has taken it, so no file is named; what is released is."""
    at = ("--socket", str(served.socket), "--json")
    code, out, _ = await typed("kill", "--reason", "news", "--flatten", *at)
    assert (code, json.loads(out)) == (exit_codes.OK, {"killed": "news", "flatten": True, "file": ""})
    code, out, _ = await typed("release", MARKET, "--socket", str(served.socket))
    assert (code, out) == (exit_codes.OK, f"no quarantine holds {MARKET} any more\n")  # and the switch is still set
    code, out, _ = await typed("release", *at)
    assert (code, json.loads(out)) == (exit_codes.OK, {"released": "kill switch"})


async def test_a_drawdown_is_reset_from_what_to_what(served: Served) -> None:
    """And what holds entries all the same is said; for a script the daemon's own answer."""
    at = ("--socket", str(served.socket))
    code, out, err = await typed("reset-drawdown", *at)
    assert (code, err) == (exit_codes.OK, "")
    assert out.splitlines() == [
        "the drawdown is counted from 874.50 USDT now, no longer from 1,000.00: it was 12.55 %",
        "no loss keeps entries back",
    ]
    served.desk.recount = structs.replace(RECOUNT, held=("the day has lost 125.50, the limit is 100",))
    code, out, _ = await typed("reset-drawdown", *at)
    assert out.splitlines()[1:] == ["nothing enters all the same: the day has lost 125.50, the limit is 100"]
    code, out, _ = await typed("reset-drawdown", "--json", *at)
    assert (code, json.loads(out)["equity"]) == (exit_codes.OK, "874.5")


@pytest.mark.parametrize(
    ("equity", "words"),
    [
        (Decimal(1000), "nothing to reset: the equity of 1,000.00 USDT is not below its highest"),
        (None, "nothing to reset: the account's equity is not known yet"),
    ],
)
async def test_a_drawdown_that_is_none_is_said_to_be(served: Served, equity: Decimal | None, words: str) -> None:
    """It is no failure: nothing is wrong."""
    served.desk.recount = structs.replace(RECOUNT, reset=False, highest=None, equity=equity)
    code, out, err = await typed("reset-drawdown", "--socket", str(served.socket))
    assert (code, out.splitlines()[0], err) == (exit_codes.OK, words, "")


async def test_a_drawdown_is_not_reset_where_no_daemon_runs(tmp_path: Path) -> None:
    """Said with what to do."""
    code, out, err = await typed("reset-drawdown", "--socket", str(tmp_path / "control.sock"))
    assert (code, out) == (exit_codes.NO_DAEMON, "")
    assert "no daemon answers" in err
    assert "kangbot run" in err


@pytest.mark.parametrize("reason", ["\xfc", b"\xff"])
@pytest.mark.parametrize("running", [True, False])
async def test_no_letter_keeps_the_kill_switch_from_being_set(
    served: Served, tmp_path: Path, reason: str | bytes, *, running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a locale without UTF-8, by the daemon and by the file; what is no letter becomes a mark."""
    for name, value in (("LC_ALL", "POSIX"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    socket = served.socket if running else tmp_path / "nobody.sock"
    code, _, err = await typed("kill", "--reason", reason, "--socket", str(socket))
    assert (code, err) == (exit_codes.OK, "")
    if not running:
        assert (tmp_path / "KILL").read_text() == ("\xfc\n" if reason == "\xfc" else "\N{REPLACEMENT CHARACTER}\n")


async def test_a_lane_is_held_open_by_hand(served: Served) -> None:
    """The one that is named, or that of entries."""
    at = ("--socket", str(served.socket))
    code, _, _ = await typed("isolate", MARKET, "--lane", "data", *at)
    assert code == exit_codes.OK
    await typed("isolate", MARKET, *at)
    assert [what for what, _ in served.desk.journal] == [
        f"isolate-circuit-breaker {MARKET} data",
        f"isolate-circuit-breaker {MARKET} entry",
    ]


async def test_what_the_daemon_refuses_is_said_in_its_words(served: Served) -> None:
    """An unknown market, a name that is none; a lane that is none does not reach it."""
    at = ("--socket", str(served.socket))
    code, _, err = await typed("retry", "v:B", *at)
    assert (code, err) == (
        exit_codes.FAILURE,
        "no market 'v:B' runs here; `kangbot status` lists those that there are\n",
    )
    code, _, err = await typed("orders", "--market", "a b&limit=9", *at)
    assert (code, err.partition(":")[0]) == (exit_codes.FAILURE, "the query is not what /orders takes")
    for wrong in (("reset", MARKET, "--lane", "moon"), ("start", "")):
        code, _, err = await typed(*wrong, *at)
        assert code == exit_codes.USAGE
        assert "Invalid value" in err
    assert served.desk.obeyed == []


@pytest.mark.parametrize("command", [("start", MARKET), ("stop-all",), ("orders",), ("events",), ("positions",)])
async def test_where_no_daemon_answers_each_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    """With an exit code of its own."""
    code, out, err = await typed(*command, "--socket", str(tmp_path / "nobody.sock"))
    assert (code, out) == (exit_codes.NO_DAEMON, "")
    assert "no daemon answers" in err


@pytest.mark.parametrize(
    "command",
    [
        ("positions",),
        ("orders",),
        ("events",),
        ("breakers",),
        ("health",),
        ("status",),
        ("top",),
        ("start-all",),
        ("start", "BTC"),
        ("resume", "BTC"),
        ("retry", "BTC"),
        ("release", "BTC"),
        ("reset-drawdown",),
    ],
)
@pytest.mark.parametrize("said", [b'{"items": [{}], "ok": true}', b"<p>"])
async def test_an_answer_of_another_version_is_said_to_be_one(
    tmp_path: Path, command: tuple[str, ...], said: bytes
) -> None:
    """The package was replaced under a daemon that runs: what this version shows may not be there."""
    async with answering(tmp_path / "it.sock", said):
        code, out, err = await typed(*command, "--socket", str(tmp_path / "it.sock"))
    assert (code, out) == (exit_codes.FAILURE, "")
    assert "is it of another version?" in err
    assert len(err.splitlines()) == 1


async def test_a_kill_whose_answer_cannot_be_read_is_left_as_a_file(tmp_path: Path) -> None:
    """It may be set or not: the file is heeded by any version."""
    async with answering(tmp_path / "it.sock", b'{"ok": true}'):
        code, out, err = await typed("kill", "--reason", "news", "--socket", str(tmp_path / "it.sock"))
    assert (code, err) == (exit_codes.OK, "")
    assert "is it of another version?" in out
    assert (tmp_path / "KILL").read_text() == "news\n"


async def test_a_history_that_is_away_is_a_thing_of_later(served: Served) -> None:
    """As it is for `kangbot report`: a script that tries again may succeed."""
    served.desk.away = True
    code, out, err = await typed("orders", "--socket", str(served.socket))
    assert (code, out, err) == (exit_codes.TEMPORARY, "", "the history is away\n")


def test_no_cell_of_a_table_ends_its_line() -> None:
    """What opened a breaker are the words of whoever answered."""
    rows = [{"market": "bybit:BTC-USDT:USDT", "cause": "HTTP 502: <p>\n\x1b[2J"}]
    assert table(rows, ("market", "cause"), "none").splitlines()[1].endswith(r"HTTP 502: <p>\n\x1b[2J")
