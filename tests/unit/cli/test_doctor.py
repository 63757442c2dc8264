"""`kangbot check` as a person meets it: a real process, beside exchanges that answer, are away, or say too much."""

import asyncio
import http.server
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from kangbot.cli import exit_codes
from kangbot.cli.doctor.database import database, plain_text
from kangbot.cli.doctor.finding import Look, Mark
from kangbot.cli.doctor.machine import machine
from kangbot.cli.doctor.orders import orders
from kangbot.cli.doctor.venue import beside_ours
from kangbot.journal.replay import checkpoint_of
from kangbot.journal.writer import JournalWriter
from kangbot.machines.memory import Memory
from kangbot.modes.past import Past
from kangbot.modes.past import noted as noted_mode
from kangbot.runtime.world import Clock, World
from kangbot.settings import Settings, load
from kangbot.settings.daemon import Database
from kangbot.settings.kinds import Secret
from kangbot.storage.migrate import upgrade
from kangbot.storage.url import SqliteUrl
from tests.support.binance_rest import contract, listing
from tests.support.impostor import Impostor
from tests.support.records import noted
from tests.support.sandbox_process import KEY, SECRET, Running, sandbox_process

pytestmark = pytest.mark.process
CONFIG = 'mode = "testnet"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that needs a key, as one for money would."""
    path = tmp_path / "kangbot.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where connections are made and nothing is ever said."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


class Data(http.server.BaseHTTPRequestHandler):
    """Binance's clock and its list of contracts, and nothing else of it."""

    def do_GET(self) -> None:
        answers = {
            "/fapi/v1/time": {"serverTime": time.time_ns() // 1_000_000},
            "/fapi/v1/exchangeInfo": listing(contract()),
        }
        self.send_response(200 if self.path in answers else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answers.get(self.path, {})).encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing on standard error."""


def checked(config: Path, rest_url: str, *, as_json: bool = True, **environ: str) -> tuple[int, Any]:
    """Return the exit code, and the looks by name; the whole text where it is not JSON."""
    key = {"KANGBOT_VENUES__BYBIT__KEY": KEY, "KANGBOT_VENUES__BYBIT__SECRET": SECRET}
    done = subprocess.run(
        [sys.executable, "-m", "kangbot", "check", "--config", str(config), *(["--json"] if as_json else [])],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **key, "KANGBOT_VENUES__BYBIT__REST_URL": rest_url, **environ},
    )
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
    if not as_json:
        return done.returncode, done.stdout
    said = json.loads(done.stdout)
    assert said["ok"] == (done.returncode == exit_codes.OK)
    return done.returncode, {look["name"]: look for look in said["looks"]}


@pytest.fixture(scope="module")
def exchange() -> Iterator[Running]:
    """An exchange whose key may trade and not withdraw."""
    with sandbox_process() as it:
        yield it


def test_what_is_well_is_marked_with_its_figure(config: Path, exchange: Running) -> None:
    """Machine, database, venue, clock and key; nothing is made and nothing is traded."""
    code, looks = checked(config, exchange.rest_url)
    assert code == exit_codes.OK
    assert list(looks) == [
        *("folder", "disk", "memory", "clock", "database", "venue", "venue_clock", "markets"),
        *("key", "withdrawal", "key_address", "key_expiry"),
    ]
    assert {name for name, look in looks.items() if look["mark"] != "ok"} <= {"key_address", "disk", "memory"}
    assert looks["key"]["says"] == "may trade contracts and spot"
    assert looks["disk"]["figure"] > 0
    assert abs(looks["venue_clock"]["figure"]) < 1000
    assert looks["key_address"]["remedy"] == "bind it to this server's address, at the venue"
    assert not (config.parent / "state").exists()
    assert exchange.truth()["orders"]["total"] == 0


def test_a_person_reads_lines_with_marks(config: Path, exchange: Running) -> None:
    """And what to do stands below what is not well."""
    code, text = checked(config, exchange.rest_url, as_json=False)
    assert code == exit_codes.OK
    assert "✓ withdrawal   the key may not withdraw or move money\n" in text
    assert "! key_address  the key works from every address\n               → bind it to" in text


def test_a_symbol_that_the_venue_does_not_list_is_named(config: Path, exchange: Running) -> None:
    """The daemon trades the others; where it finds none at all, it does not start."""
    config.write_text(CONFIG + '[[markets]]\nsymbol = "NOPE/USDT:USDT"\n[[markets]]\nsymbol = "SOL/USDT"\n')
    code, looks = checked(config, exchange.rest_url)
    assert (code, looks["markets"]["mark"]) == (exit_codes.OK, "warning")
    assert looks["markets"]["says"] == "bybit does not trade NOPE/USDT:USDT, SOL/USDT"
    assert "correct the symbols" in looks["markets"]["remedy"]
    config.write_text(CONFIG.replace("BTC", "BCT"))
    code, looks = checked(config, exchange.rest_url)
    assert (code, looks["markets"]["mark"]) == (exit_codes.CONFIG, "wrong")


def test_a_key_that_may_withdraw_is_wrong(config: Path) -> None:
    """Whatever else is well; trying again changes nothing."""
    with sandbox_process("--key-withdraws") as exchange:
        code, looks = checked(config, exchange.rest_url)
    assert code == exit_codes.CONFIG
    assert looks["withdrawal"]["mark"] == "wrong"
    assert "MAY WITHDRAW" in looks["withdrawal"]["says"]
    assert "delete this one" in looks["withdrawal"]["remedy"]


def test_a_key_that_the_venue_does_not_know_is_wrong(config: Path, exchange: Running) -> None:
    """With the venue's remedy."""
    code, looks = checked(config, exchange.rest_url, KANGBOT_VENUES__BYBIT__KEY="another-key")
    assert (code, looks["key"]["mark"]) == (exit_codes.CONFIG, "wrong")
    assert looks["key"]["remedy"]
    assert "withdrawal" not in looks


def test_a_clock_that_is_far_from_the_venue_s_is_told(config: Path) -> None:
    """It is corrected for, so it is a warning."""
    with sandbox_process("--clock-skew-s", "3") as exchange:
        code, looks = checked(config, exchange.rest_url)
    assert (code, looks["venue_clock"]["mark"]) == (exit_codes.OK, "warning")
    assert looks["venue_clock"]["figure"] == pytest.approx(3000, abs=500)
    assert looks["key"]["mark"] == "ok"


def test_a_clock_is_ahead_or_behind_and_never_ahead_by_less_than_nothing() -> None:
    """By the sign of the offset."""
    assert beside_ours(0.3, 1.5) == "ahead of ours by 0.3 ms, give or take 1.5"
    assert beside_ours(-2.4, 3.8) == "behind ours by 2.4 ms, give or take 3.8"


def test_a_venue_that_is_away_may_come_back(config: Path) -> None:
    """Nothing further is asked of it; all else is looked at."""
    code, looks = checked(config, "http://127.0.0.1:1")
    assert (code, looks["venue"]["mark"]) == (exit_codes.TEMPORARY, "away")
    assert "does not answer" in looks["venue"]["says"]
    assert "venue_clock" not in looks
    assert looks["database"]["mark"] == "ok"


def test_a_venue_that_is_silent_is_waited_for_until_its_time_is_up(config: Path, silent: str) -> None:
    """Not for ever."""
    began = time.monotonic()
    code, looks = checked(config, silent)
    assert (code, looks["venue"]["mark"]) == (exit_codes.TEMPORARY, "away")
    waited = re.search(rf"{silent.removeprefix('http://')}: no answer in (\d+\.\d) s", looks["venue"]["says"])
    assert waited is not None
    assert float(waited[1]) >= 7.9
    assert time.monotonic() - began < 90  # eight seconds, and the start of a process on a busy machine


def test_the_simulated_exchange_is_started_by_a_person(config: Path) -> None:
    """So that it does not run yet is no failure; the remedy is the command."""
    code, looks = checked(config, "http://127.0.0.1:1", KANGBOT_MODE="sandbox")
    assert (code, looks["venue"]["mark"]) == (exit_codes.OK, "warning")
    assert looks["venue"]["remedy"] == "serve it with: kangbot sandbox"


def test_what_is_not_served_by_a_command_is_away_in_mode_sandbox_too(config: Path, exchange: Running) -> None:
    """A simulated exchange behind TLS, or on another machine, is somebody's; nobody is told to start one here."""
    for url in (exchange.rest_url.replace("http:", "https:"), "http://kangbot.invalid:8790"):
        code, looks = checked(config, url, KANGBOT_MODE="sandbox")
        assert (code, looks["venue"]["mark"]) == (exit_codes.TEMPORARY, "away")
        assert "see that this machine reaches it" in looks["venue"]["remedy"]


def test_on_paper_no_key_is_asked_about(config: Path, exchange: Running) -> None:
    """Whatever key there is: it is not used."""
    code, looks = checked(config, exchange.rest_url, KANGBOT_MODE="paper")
    assert code == exit_codes.OK
    assert looks["venue_clock"]["mark"] == "ok"
    assert not looks.keys() & {"key", "withdrawal", "key_address", "key_expiry"}


def test_a_venue_that_gives_data_only_is_asked_for_its_time(config: Path) -> None:
    """It has no account, so there is no key either."""
    config.write_text('mode = "paper"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\nvenue = "binance_usdm"\n')
    server = http.server.HTTPServer(("127.0.0.1", 0), Data)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        code, looks = checked(config, url, KANGBOT_VENUES__BINANCE_USDM__REST_URL=url)
    finally:
        server.shutdown()
        server.server_close()
    assert code == exit_codes.OK
    assert looks["venue"]["says"].startswith(f"{url} answers in ")
    assert abs(looks["venue_clock"]["figure"]) < 1000
    assert looks["markets"]["says"] == "binance_usdm trades every one of them"
    assert "key" not in looks


def test_a_database_that_is_away_may_come_back(config: Path, exchange: Running) -> None:
    """Its password is not shown, and the venue is asked all the same."""
    code, looks = checked(config, exchange.rest_url, KANGBOT_DATABASE__URL="mysql://u:canary-9f3c@127.0.0.1:1/kangbot")
    assert (code, looks["database"]["mark"]) == (exit_codes.TEMPORARY, "away")
    assert looks["database"]["says"].startswith("mysql://u@127.0.0.1:1/kangbot: ")
    assert "canary" not in str(looks)
    assert looks["withdrawal"]["mark"] == "ok"


def with_database(url: str) -> Settings:
    """Settings with this address and nothing else."""
    return Settings(database=Database(url=Secret(url)))


async def test_a_database_without_the_tls_that_is_asked_for_is_wrong() -> None:
    """A person must decide; the password has stayed here."""
    with Impostor(tls=False) as there:
        look = await database(with_database(f"mysql://u:canary-9f3c@127.0.0.1:{there.port}/k?ssl-mode=REQUIRED"))
        assert await asyncio.to_thread(there.heard) == b""
    assert look.mark is Mark.WRONG
    assert "the server offers none" in look.says
    assert "switch TLS on in the server" in look.remedy


@pytest.mark.parametrize(
    ("options", "warned"), [("", True), ("?ssl-mode=REQUIRED", False), ("?ssl-mode=DISABLED", False)]
)
def test_a_database_in_plain_text_across_a_network_is_a_warning(options: str, warned: bool) -> None:
    """Until the address says that it is encrypted, or that it is meant so. What it costs to say nothing is shown."""
    looks = list(plain_text(with_database(f"mysql://u:canary-9f3c@db.example/k{options}")))
    assert [look.mark for look in looks] == [Mark.WARNING] * warned
    for look in looks:
        assert "the login and every row cross the network in plain text" in look.says
        assert "ssl-mode=VERIFY_IDENTITY" in look.remedy
        assert "canary" not in str(look)
    assert not list(plain_text(Settings()))


def test_limit_entries_of_coins_are_a_warning(tmp_path: Path) -> None:
    """One, that names all it concerns: a contract's stop rides with its entry, and a disabled market enters nothing."""
    path = tmp_path / "kangbot.toml"
    markets = [("BTC/USDT", "limit", True), ("ETH/USDT", "market", True), ("SOL/USDT", "limit", False)]
    markets += [("XRP/USDT:USDT", "limit", True), ("XRP/USDT", "limit", True)]
    tables = [
        f'[[markets]]\nsymbol = "{symbol}"\nentry_order = "{order}"\nenabled = {str(enabled).lower()}\n'
        for symbol, order, enabled in markets
    ]
    path.write_text('mode = "sandbox"\n' + "".join(tables))
    (look,) = orders(load(path, {}))
    assert look.mark is Mark.WARNING
    assert look.says.startswith("limit entries of BTC/USDT, XRP/USDT bring no stop")
    path.write_text('mode = "sandbox"\n' + "".join(tables[1:4]))
    assert not [*orders(load(path, {}))]


def test_a_state_folder_in_the_way_of_a_file_is_wrong(config: Path, exchange: Running) -> None:
    """Trying again changes nothing."""
    (config.parent / "state").write_text("a file")
    code, looks = checked(config, exchange.rest_url)
    assert (code, looks["folder"]["mark"]) == (exit_codes.CONFIG, "wrong")


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_journal_of_another_mode_is_wrong(config: Path, compacted: bool) -> None:
    """A start would be refused: whoever goes on from the sandbox to paper in the same folder is told before."""
    config.write_text(CONFIG.replace("testnet", "sandbox"))
    settings = load(config, {})
    begun = noted_mode(settings, 1)
    past = Past(settings.venue)
    past.observe(begun)
    async with await JournalWriter.open(settings.state_dir, World(clock=Clock(), seed=b"doctor")) as journal:
        await journal.append(begun, *(noted(number) for number in range(2, 3000)))
        if compacted:
            journal.mark_drained(2999)
            await journal.compact(checkpoint_of(Memory(last_sequence=2999), {"past": past}))
    (same,) = (look for look in machine(settings, now_ns=time.time_ns()) if look.name == "journal")
    assert same.mark is Mark.OK
    settings = load(config, {"KANGBOT_MODE": "paper"})
    (look,) = (look for look in machine(settings, now_ns=time.time_ns()) if look.name == "journal")
    assert (look.mark, look.remedy) == (Mark.WRONG, "give each mode and each venue a state_dir of its own")
    assert "was begun in mode sandbox at bybit, and the mode is paper at bybit" in look.says


@pytest.mark.parametrize(
    ("file", "statement", "name", "said"),
    [
        ("journal.sqlite", "PRAGMA user_version = 99", "journal", "has format 99; this kangbot knows formats up to"),
        (
            "history.sqlite",
            "UPDATE alembic_version SET version_num = '9999'",
            "database",
            "has a schema of revision 9999",
        ),
    ],
)
async def test_what_a_later_kangbot_wrote_is_wrong(
    config: Path, file: str, statement: str, name: str, said: str
) -> None:
    """A start would be refused, or its history: whoever goes back a version is told before."""
    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    settings = load(config, {})
    async with await JournalWriter.open(settings.state_dir, World(clock=Clock(), seed=b"doctor")) as journal:
        await journal.append(noted(1))
    await asyncio.to_thread(upgrade, SqliteUrl(path=settings.state_dir / "history.sqlite"))

    async def looked() -> Look:
        looks = {look.name: look for look in machine(settings, now_ns=time.time_ns())}
        return {**looks, "database": await database(settings)}[name]

    assert (await looked()).mark is Mark.OK
    with closing(sqlite3.connect(settings.state_dir / file, isolation_level=None)) as db:
        db.execute(statement)
    look = await looked()
    assert look.mark is Mark.WRONG
    assert said in look.says
    assert look.remedy.startswith("start the later version of kangbot that")


HUNG = """
import socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(600)
"""


def test_a_hung_resolver_holds_up_neither_the_look_nor_the_end(config: Path, tmp_path: Path) -> None:
    """No call can end it, so nobody waits for it: database and venue are away, and the process is gone."""
    world = tmp_path / "world"
    world.mkdir()
    (world / "sitecustomize.py").write_text(HUNG)
    began = time.monotonic()
    code, looks = checked(
        config,
        "https://venue.example",
        PYTHONPATH=str(world),
        KANGBOT_DATABASE__URL="mysql://u:p@database.example/kangbot",
    )
    assert code == exit_codes.TEMPORARY
    assert [looks[name]["mark"] for name in ("database", "venue")] == ["away", "away"]
    assert time.monotonic() - began < 90  # eight seconds each, and the start of a process on a busy machine


def test_credentials_of_a_service_are_found_beside_the_configuration(config: Path, exchange: Running) -> None:
    """As the unit names them: what root's `check` looks at is what the service gets."""
    for name, text in (("bybit/key", KEY), ("bybit/secret", SECRET), ("database/url", "mysql://u:p@127.0.0.1:1/k")):
        file = config.parent / "credentials" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o600)
    code, looks = checked(config, exchange.rest_url, KANGBOT_VENUES__BYBIT__KEY="", KANGBOT_VENUES__BYBIT__SECRET="")
    assert code == exit_codes.TEMPORARY
    assert looks["key"]["mark"] == "ok"
    assert "127.0.0.1:1" in looks["database"]["says"]


def test_a_folder_that_may_not_be_entered_is_told_in_words(config: Path) -> None:
    """As whoever asks without being the daemon's user; whatever else can be looked at is looked at."""
    locked = config.parent / "locked"
    locked.mkdir()
    config.write_text(CONFIG.replace('"testnet"', '"paper"').replace('"state"', '"locked/state"'))
    settings = load(config, {})
    locked.chmod(0)
    with somebody():
        looks = {look.name: look for look in machine(settings, now_ns=time.time_ns())}
        looks["database"] = asyncio.run(database(settings))
    locked.chmod(0o700)
    assert looks["folder"].mark is Mark.WRONG
    assert "cannot be made" in looks["folder"].says
    assert looks["database"].mark is Mark.WARNING
    assert "Permission denied" in looks["database"].says
    assert looks["disk"].figure


@contextmanager
def somebody() -> Iterator[None]:
    """Be nobody in particular for a while, where the tests run as root."""
    us = os.getresuid()
    if not us[1]:
        os.setresuid(65_534, 65_534, 0)
    try:
        yield
    finally:
        os.setresuid(*us)


def test_a_machine_without_proc_is_told_of_beside_all_else(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chroot in which nobody has mounted it: a daemon would not start there, and the other looks are looked at."""
    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "none"))
    looks = {look.name: look for look in machine(load(config, {}), now_ns=time.time_ns())}
    assert list(looks) == ["folder", "disk", "memory", "clock"]
    assert looks["memory"].mark is Mark.WRONG
    assert "cannot be seen in /proc" in looks["memory"].says
    assert "mount /proc" in looks["memory"].remedy


def test_a_proc_with_processes_alone_shows_the_limit(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `ProcSubset=pid` of a unit leaves it: what the machine could still give is not to be seen, the daemon runs."""

    def gone() -> None:
        raise FileNotFoundError(2, "No such file or directory", "/proc/meminfo")

    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    monkeypatch.setattr(psutil, "virtual_memory", gone)
    looks = {look.name: look for look in machine(load(config, {}), now_ns=time.time_ns())}
    assert looks["memory"].mark in {Mark.OK, Mark.WARNING}
    assert (looks["memory"].figure or 0) > 0
