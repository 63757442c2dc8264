"""The look for the venue: does it answer, how far is its clock, and what may the key do there."""

import http.server
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.doctor.finding import Mark
from kangbot.cli.doctor.venue import _kept, _trades, _withdraws, beside_ours
from kangbot.settings import Settings
from kangbot.settings.trading import Market
from kangbot.venues.bybit.rights import KeyRights
from tests.support.binance_rest import contract, listing
from tests.support.looks import CONFIG, checked
from tests.support.sandbox_process import Running, sandbox_process

pytestmark = pytest.mark.process


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


def test_the_simulated_exchange_s_key_is_everybody_s_and_nobody_is_to_keep_it(config: Path, exchange: Running) -> None:
    """What it may do is told; that it works from every address, and ends, is no warning."""
    code, looks = checked(config, exchange.rest_url, KANGBOT_MODE="sandbox")
    assert (code, looks["key"]["mark"], looks["withdrawal"]["mark"]) == (exit_codes.OK, "ok", "ok")
    assert not looks.keys() & {"key_address", "key_expiry"}


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


NOW_NS = 1_790_000_000_000_000_000


def rights(**given: Any) -> KeyRights:
    """Return what a good key may do, changed as asked."""
    good: dict[str, Any] = {"reads_only": False, "contracts": True, "spot": True, "withdraws": False}
    good |= {"transfers": False, "addresses": ("203.0.113.7",), "expires_ns": None}
    return KeyRights(**{**good, **given})


def trading(*symbols: str) -> Settings:
    """Return settings of these markets."""
    return Settings(markets=tuple(Market(symbol=symbol) for symbol in symbols))


@pytest.mark.parametrize(
    ("given", "symbols", "mark", "says"),
    [
        ({}, ("BTC/USDT", "BTC/USDT:USDT"), Mark.OK, "may trade contracts and spot"),
        ({"spot": False}, ("BTC/USDT:USDT",), Mark.OK, "may trade contracts"),
        ({"spot": False}, ("BTC/USDT", "BTC/USDT:USDT"), Mark.WRONG, "may not trade spot"),
        ({"contracts": False}, ("BTC/USDT:USDT",), Mark.WRONG, "may not trade contracts"),
        (
            {"contracts": False, "spot": False},
            ("BTC/USDT", "BTC/USDT:USDT"),
            Mark.WRONG,
            "may not trade contracts nor spot",
        ),
        ({"reads_only": True}, ("BTC/USDT",), Mark.WRONG, "may not trade anything: it may only read"),
    ],
)
def test_a_key_may_trade_what_is_traded(given: dict[str, Any], symbols: tuple[str, ...], mark: Mark, says: str) -> None:
    """A right that nobody uses may be missing."""
    look = _trades(trading(*symbols), rights(**given))
    assert (look.mark, look.says) == (mark, says)


def test_no_right_is_missed_for_a_market_that_is_not_traded_now() -> None:
    """It stands in the file, and is switched off."""
    markets = (Market(symbol="BTC/USDT:USDT"), Market(symbol="BTC/USDT", enabled=False))
    assert _trades(Settings(markets=markets), rights(spot=False)).mark is Mark.OK
    idle = Settings(markets=tuple(replace(market, enabled=False) for market in markets))
    assert _trades(idle, rights(spot=False, contracts=False)).says == "may trade nothing, and nothing is traded"


@pytest.mark.parametrize(
    ("given", "mark", "says"),
    [
        ({}, Mark.OK, "may not withdraw or move money"),
        ({"transfers": True}, Mark.WARNING, "may not withdraw, but may move money between accounts or pay with it"),
        ({"withdraws": True}, Mark.WRONG, "MAY WITHDRAW MONEY"),
        ({"withdraws": True, "transfers": True}, Mark.WRONG, "MAY WITHDRAW MONEY"),
    ],
)
def test_what_a_key_could_take_out_is_told(given: dict[str, Any], mark: Mark, says: str) -> None:
    """The worst of it."""
    look = _withdraws(rights(**given))
    assert (look.mark, says in look.says, look.remedy != "") == (mark, True, mark is not Mark.OK)


@pytest.mark.parametrize(
    ("days", "mark", "says"),
    [
        (14, Mark.OK, "the key ends in 14 days"),
        (13.9, Mark.WARNING, "the key ends in 13 days"),
        (0.5, Mark.WARNING, "the key ends in 0 days"),
        (-0.5, Mark.WARNING, "the key has ended"),
    ],
)
def test_a_key_that_works_from_everywhere_ends_and_that_is_told_in_time(days: float, mark: Mark, says: str) -> None:
    """Two weeks before: whoever renews it has to be there."""
    address, expiry = _kept(rights(addresses=(), expires_ns=NOW_NS + int(days * 86_400) * 10**9), NOW_NS)
    assert (address.name, address.mark) == ("key_address", Mark.WARNING)
    assert (expiry.mark, expiry.says, expiry.remedy != "") == (mark, says, mark is Mark.WARNING)


def test_a_key_that_is_bound_has_no_end_whatever_day_is_told() -> None:
    """Bybit tells one all the same."""
    (look,) = _kept(rights(expires_ns=NOW_NS), NOW_NS)
    assert (look.mark, look.says) == (Mark.OK, "bound to 203.0.113.7")
