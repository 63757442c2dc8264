"""Every look, one after the other: what is well, what is away, and that nobody is waited for for ever."""

import time
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from tests.support.looks import checked, checked_apart
from tests.support.sandbox_process import KEY, SECRET, Running

pytestmark = pytest.mark.process


def test_what_is_well_is_marked_with_its_figure(config: Path, exchange: Running) -> None:
    """Machine, database, venue, clock and key; nothing is made and nothing is traded."""
    code, looks = checked_apart(config, exchange.rest_url)
    assert code == exit_codes.OK
    assert list(looks) == [
        *("folder", "disk", "memory", "clock", "database", "venue", "venue_clock", "markets"),
        *("key", "withdrawal", "key_address", "key_expiry"),
    ]
    assert {name for name, look in looks.items() if look["mark"] != "ok"} <= {"key_address", "disk", "memory"}
    assert looks["key"]["says"] == "may trade contracts and spot"
    assert looks["disk"]["figure"] > 0
    assert abs(looks["venue_clock"]["figure"]) < 8000  # half of what the answer took on a busy machine
    assert looks["key_address"]["remedy"] == "bind it to this server's address, at the venue"
    assert not (config.parent / "state").exists()
    assert exchange.truth()["orders"]["total"] == 0


def test_a_person_reads_lines_with_marks(config: Path, exchange: Running) -> None:
    """And what to do stands below what is not well."""
    code, text = checked(config, exchange.rest_url, as_json=False)
    assert code == exit_codes.OK
    assert "✓ withdrawal   the key may not withdraw or move money\n" in text
    assert "! key_address  the key works from every address\n               → bind it to" in text


def test_a_database_that_is_away_may_come_back(config: Path, exchange: Running) -> None:
    """Its password is not shown, and the venue is asked all the same."""
    code, looks = checked(config, exchange.rest_url, KANGBOT_DATABASE__URL="mysql://u:canary-9f3c@127.0.0.1:1/kangbot")
    assert (code, looks["database"]["mark"]) == (exit_codes.TEMPORARY, "away")
    assert looks["database"]["says"].startswith("mysql://u@127.0.0.1:1/kangbot: ")
    assert "canary" not in str(looks)
    assert looks["withdrawal"]["mark"] == "ok"


HUNG = """
import socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(3600)
"""


def test_a_hung_resolver_holds_up_neither_the_look_nor_the_end(config: Path, tmp_path: Path) -> None:
    """No call can end it, so nobody waits for it: database and venue are away, and the process is gone."""
    world = tmp_path / "world"
    world.mkdir()
    (world / "sitecustomize.py").write_text(HUNG)
    began = time.monotonic()
    code, looks = checked_apart(
        config,
        "https://venue.example",
        PYTHONPATH=str(world),
        KANGBOT_DATABASE__URL="mysql://u:p@database.example/kangbot",
    )
    assert code == exit_codes.TEMPORARY
    assert [looks[name]["mark"] for name in ("database", "venue")] == ["away", "away"]
    assert time.monotonic() - began < 600  # eight seconds each, and the start of a process on a busy machine


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
