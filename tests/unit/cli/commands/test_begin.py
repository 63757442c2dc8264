"""Commands to begin with: what is typed is within what they can do."""

import json

import pytest
from typer.testing import CliRunner

from kangbot.cli.commands.begin import SANDBOX_PORT
from kangbot.cli.main import app
from kangbot.settings import venues


def test_the_sandbox_is_served_where_mode_sandbox_asks() -> None:
    """The number stands twice, so that `--help` imports no settings."""
    assert SANDBOX_PORT == venues.SANDBOX_PORT


@pytest.mark.parametrize(
    "typed",
    [
        "demo --seconds 0",
        "demo --markets 0",
        "demo --markets 28",
        "sandbox --port -1",
        "sandbox --port 65536",
        "simulate --seed -1",
        "simulate --minutes 2",
        "simulate --minutes inf",
        "simulate --markets 28",
        "simulate --jobs 0",
        "simulate --seed 1 --seeds 1..2",
        "simulate --seeds 2..1",
        "simulate --mutant none",
    ],
)
def test_what_cannot_be_done_is_wrong_usage(typed: str) -> None:
    """Told before anything is started."""
    done = CliRunner().invoke(app, typed.split())
    assert (done.exit_code, done.stdout) == (2, "")


def test_the_service_is_only_shown() -> None:
    """Without --write; with --uninstall it is what would be taken away."""
    said = json.loads(CliRunner().invoke(app, ["install-service", "--json"]).stdout)
    assert said["changed"] is False
    assert CliRunner().invoke(app, ["install-service", "--uninstall"]).exit_code == 0
