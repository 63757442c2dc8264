"""`kangbot check` before a real MariaDB server: there, stopped, and with another password."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from kangbot.cli import exit_codes
from tests.support.mariadb import PASSWORD, MariadbServer
from tests.support.processes import World

pytestmark = [pytest.mark.mariadb, pytest.mark.process]


def looked(world: World, url: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code, and what is said of the database."""
    done = subprocess.run(
        [sys.executable, "-m", "kangbot", "check", "--config", str(world.config), "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **world.environment, "KANGBOT_DATABASE__URL": url},
    )
    assert PASSWORD not in done.stdout + done.stderr
    looks = {look["name"]: look for look in json.loads(done.stdout)["looks"]}
    assert looks["withdrawal"]["mark"] == "ok"
    return done.returncode, looks["database"]


def test_a_database_is_there_refuses_and_is_away(world: World, database_server: MariadbServer) -> None:
    """New tables are made at the start, a wrong password is a person's matter, and a stopped server may come back."""
    url = database_server.url(database_server.database())
    code, database = looked(world, url)
    assert (code, database["mark"]) == (exit_codes.OK, "ok")
    assert database["unit"] == "ms"
    assert 0 < database["figure"] < 8000
    code, database = looked(world, url.replace(url.split(":")[2].split("@")[0], "wrong"))
    assert (code, database["mark"]) == (exit_codes.CONFIG, "wrong")
    assert database["remedy"]
    database_server.stop()
    try:
        code, database = looked(world, url)
        assert (code, database["mark"]) == (exit_codes.TEMPORARY, "away")
    finally:
        database_server.start()
