"""The command line put together: its help, its completion, and what it imports, in real processes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from kangbot.settings.paths import shipped_config
from tests.support.typed import kangbot

SHIPPED = str(shipped_config("kangbot.toml"))


def test_help_names_every_command() -> None:
    """How long it takes is measured by `make bench`."""
    done = kangbot("--help")
    assert done.returncode == exit_codes.OK
    for command in ("run", "check", "demo", "sandbox", "status", "kill", "release", "reset-drawdown", "db", "version"):
        assert f"  {command} " in done.stdout


@pytest.mark.parametrize("group", [(), ("config",), ("db",), ("journal",)])
def test_every_command_is_described_in_one_line(group: tuple[str, ...]) -> None:
    """Whole, in a terminal of 80 columns."""
    told = kangbot(*group, "--help", COLUMNS="80").stdout
    assert "..." not in told.split("Commands:")[1]


def test_the_documentation_names_every_command_and_every_exit_code() -> None:
    """docs/commands.md, from the program itself."""
    text = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()
    for group in ((), ("config",), ("db",), ("journal",)):
        told = kangbot(*group, "--help").stdout.split("Commands:")[1].split("Exit codes")[0]
        names = re.findall(r"^  ([a-z-]+)", told, re.MULTILINE)
        assert names
        for name in names:
            whole = " ".join((*group, name))
            assert f"`{whole}`" in text or f"`{whole} " in text or name in {"config", "db", "journal"}
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert codes == {int(line.split("|")[1]) for line in text.splitlines() if re.match(r"\| \d+ \|", line)}


def test_help_imports_nothing_of_the_daemon() -> None:
    """That is why it is quick."""
    code = (
        "import sys; from kangbot.cli.main import app\n"
        "print(sorted({'pydantic', 'structlog', 'rich', 'asyncio', 'aiohttp', 'ccxt', 'msgspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_command_imports_nothing_that_it_does_not_use() -> None:
    """Half of what they took was for pydantic, drivers, adapters and colours, of which none of these makes use."""
    code = (
        "import sys\n"
        "def there(*names): print(sorted({*names} & set(sys.modules)))\n"
        "import kangbot.cli.check, kangbot.cli.offline, kangbot.cli.status, kangbot.cli.kill, kangbot.cli.online\n"
        "there('pydantic', 'structlog', 'rich', 'aiohttp', 'ccxt', 'aiomysql', 'sqlalchemy')\n"
        "import kangbot.cli.backup, kangbot.cli.database, kangbot.cli.restore\n"
        "there('pydantic', 'rich', 'aiohttp', 'ccxt', 'sqlalchemy')\n"
        "import kangbot.cli.report\n"
        "there('pydantic', 'aiohttp', 'ccxt', 'sqlalchemy')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n[]\n"


def test_no_command_is_a_question_for_help() -> None:
    """And a wrong one is a wrong usage."""
    assert "Usage" in kangbot().stdout + kangbot().stderr
    wrong = kangbot("strat")
    assert wrong.returncode == exit_codes.USAGE
    assert "No such command" in wrong.stderr


def test_version() -> None:
    """One line, asked either way."""
    assert kangbot("version").stdout == kangbot("--version").stdout == "kangbot 0.1.0\n"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("events", "--limit", "x"), "'--limit': must be a whole number, not 'x'"),
        (("events", "--limit", "0"), "'--limit': must be greater than or equal to 1, not '0'"),
        (("demo", "--seconds", "soon"), "'--seconds': must be a number, not 'soon'"),
        (("reset", "BTC", "--lane", "moon"), "'--lane': 'moon' is not one of 'data', 'entry', 'exit'\n"),
        (("report", "--from", "May"), "--from takes a day such as 2026-11-01, not 'May'"),
    ],
)
def test_a_wrong_value_is_told_as_one_of_the_configuration_is(typed: tuple[str, ...], told: str) -> None:
    """What it must be, and what it was; not in the words of a library."""
    done = kangbot(*typed)
    assert done.returncode == exit_codes.USAGE
    assert told in done.stderr


def test_a_real_bash_completes_commands_and_options() -> None:
    """By the script that is offered: a command, one of a group, and an option."""
    script = """
        eval "$(kangbot --show-completion)"
        complete -p kangbot
        for words in "kangbot st" "kangbot config v" "kangbot status --s"; do
            COMP_WORDS=($words) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _kangbot_completion kangbot
            echo "${COMPREPLY[@]}"
        done
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "PATH": path}
    )
    assert done.stdout.splitlines() == [
        "complete -o default -F _kangbot_completion kangbot",
        "status start stop start-all stop-all",
        "validate versions",
        "--socket",
    ]
    assert done.stderr == ""
