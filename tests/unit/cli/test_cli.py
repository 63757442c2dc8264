"""The command line as a person meets it: real processes, exit codes, and what stands on which stream."""

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.commands.configure import validate
from kangbot.cli.commands.options import Config
from kangbot.cli.run import become_daemon
from kangbot.errors import NeedsHuman
from kangbot.settings.paths import shipped_config
from tests.support.terminal import HEARS_ITS_END
from tests.support.typed import unread

SHIPPED = str(shipped_config("kangbot.toml"))
NO_VENUE = {"KANGBOT_VENUES__BYBIT__SANDBOX_URL": "http://127.0.0.1:1"}  # whatever runs on this machine


def kangbot(*arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kangbot", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, **NO_VENUE, **environ},
    )


def test_help_is_quick_and_names_every_command() -> None:
    """In processor time, the best of three: a loaded machine says nothing of the program. The promise is 0.3 s."""
    took: list[float] = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = kangbot("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert done.returncode == exit_codes.OK
    for command in ("run", "check", "demo", "sandbox", "status", "kill", "release", "reset-drawdown", "db", "version"):
        assert f"  {command} " in done.stdout
    assert min(took) < 0.3


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
        "import kangbot.cli.check, kangbot.cli.offline\n"
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


def test_check_says_what_a_right_configuration_means() -> None:
    """Mode, markets, database and secrets, on standard output."""
    done = kangbot("check", "--config", SHIPPED)
    assert done.returncode == exit_codes.OK
    for words in ("no mistakes", "sandbox", "27", "embedded SQLite"):
        assert words in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "messages   to nobody: [notify] has no address\n"),
        ({"NOTIFY__ADDRESSES": "json://a/t0ken"}, "messages   to 1 service, from warning on\n"),
        (
            {"NOTIFY__ADDRESSES": "tgram://1:t0ken/2 json://a", "TELEGRAM__TOKEN": "1:t0ken"},
            "messages   to 2 services, from warning on; Telegram: no chat may command yet\n",
        ),
        (
            {"TELEGRAM__TOKEN": "1:t0ken", "TELEGRAM__CHATS": "7,8"},
            "messages   to nobody: [notify] has no address; Telegram: 2 chats may command\n",
        ),
        ({"TELEGRAM__TOKEN": "1:t0ken", "TELEGRAM__CHATS": "7"}, "Telegram: 1 chat may command\n"),
    ],
)
def test_check_says_who_would_be_told(environment: dict[str, str], words: str) -> None:
    """So that a file of addresses in the wrong place is noticed before a message is missed; no token is shown."""
    variables = {f"KANGBOT_{name}": value for name, value in environment.items()}
    done = kangbot("config", "validate", SHIPPED, cwd=None, **variables)
    assert words in done.stdout
    assert "t0ken" not in done.stdout + done.stderr


def test_a_configuration_is_validated_without_asking_anybody(tmp_path: Path) -> None:
    """What it means, with the venue's address and that it gives data only; or every mistake."""
    path = tmp_path / "kangbot.toml"
    path.write_text('mode = "paper"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\nvenue = "binance_usdm"\n')
    done = kangbot("config", "validate", str(path))
    assert done.returncode == exit_codes.OK
    assert "binance_usdm, https://fapi.binance.com, data only" in done.stdout
    assert json.loads(kangbot("config", "validate", str(path), "--json").stdout)["looks"] == []
    path.write_text('mode = "pappr"\n')
    done = kangbot("config", "validate", str(path))
    assert (done.returncode, done.stdout) == (exit_codes.CONFIG, "")
    assert "Did you mean paper?" in done.stderr


def test_check_prints_one_json_object(tmp_path: Path) -> None:
    """For a right configuration and for a wrong one, and nothing else on standard output."""
    right = kangbot("check", "--config", SHIPPED, "--json", KANGBOT_VENUES__BYBIT__KEY="k" * 8)
    finding = json.loads(right.stdout)
    assert (finding["ok"], finding["mode"], finding["markets"]["enabled"]) == (True, "sandbox", 27)
    assert finding["secrets"] == {
        "bybit_key": True,
        "bybit_secret": False,
        "database_url": False,
        "notify_addresses": False,
        "telegram_token": False,
    }
    path = tmp_path / "wrong.toml"
    path.write_text('mode = "x"\n')
    wrong = kangbot("check", "--config", str(path), "--json")
    assert wrong.returncode == exit_codes.CONFIG
    problem = json.loads(wrong.stdout)["problems"][0]
    assert (problem["file"], problem["line"], problem["key"]) == (str(path), 1, "mode")


@pytest.mark.parametrize("command", [["check"], ["run"], ["status"], ["db", "upgrade"]])
def test_mistakes_are_one_message_and_exit_code_78(tmp_path: Path, command: list[str]) -> None:
    """All of them at once, on standard error, without a traceback, whichever command reads the file."""
    path = tmp_path / "wrong.toml"
    path.write_text('mode = "lvie"\n[databse]\n')
    done = kangbot(*command, "--config", str(path))
    assert done.returncode == exit_codes.CONFIG
    assert "Did you mean live?" in done.stderr
    assert "Did you mean database?" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_missing_file_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    """Named, with the option that would name another."""
    done = kangbot("check", cwd=tmp_path)
    assert done.returncode == exit_codes.CONFIG
    assert (
        "config/kangbot.toml: cannot be read: no such file or directory. Put it there, or name another with --config."
        in done.stderr
    )
    done = kangbot("config", "validate", "mine.toml", cwd=tmp_path)  # which has no such option
    assert done.returncode == exit_codes.CONFIG
    assert done.stderr.splitlines()[0] == (
        "mine.toml: cannot be read: no such file or directory. Put it there, or name another."
    )


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


def test_the_file_can_be_named_by_a_variable() -> None:
    """For containers and services."""
    assert kangbot("check", cwd=Path("/"), KANGBOT_CONFIG=SHIPPED).returncode == exit_codes.OK


def test_status_says_that_no_daemon_answers(tmp_path: Path) -> None:
    """With an exit code of its own, by configuration and by socket."""
    for arguments in (["--config", SHIPPED], ["--socket", str(tmp_path / "none.sock")]):
        done = kangbot("status", *arguments, KANGBOT_STATE_DIR=str(tmp_path))
        assert done.returncode == exit_codes.NO_DAEMON
        assert "no daemon answers" in done.stderr


def test_the_kill_switch_without_a_daemon_is_a_file(tmp_path: Path) -> None:
    """It holds the next start; releasing needs the daemon, and a folder that is not there is said."""
    socket = ["--socket", str(tmp_path / "control.sock")]
    done = kangbot("kill", "--reason", "news", *socket)
    assert done.returncode == exit_codes.OK
    assert (tmp_path / "KILL").read_text() == "news\n"
    assert kangbot("kill", "--flatten", *socket).returncode == exit_codes.OK
    assert (tmp_path / "KILL").read_text() == "news\nflatten\n"
    said = json.loads(kangbot("kill", "--reason", "later", "--json", *socket).stdout)
    assert said == {"killed": "news", "flatten": True, "file": str(tmp_path / "KILL")}
    done = kangbot("release", *socket)
    assert done.returncode == exit_codes.NO_DAEMON
    assert (tmp_path / "KILL").exists()
    done = kangbot("kill", "--socket", str(tmp_path / "nowhere" / "control.sock"))
    assert done.returncode == exit_codes.NO_DAEMON
    assert "cannot be written" in done.stderr


def test_upgrading_a_database_says_from_where_to_where(tmp_path: Path) -> None:
    """The second time there is nothing to do."""

    def upgrade(*options: str) -> subprocess.CompletedProcess[str]:
        return kangbot("db", "upgrade", "--config", SHIPPED, *options, KANGBOT_STATE_DIR=str(tmp_path))

    first = upgrade()
    assert (first.returncode, first.stderr) == (exit_codes.OK, "")
    assert "empty →" in first.stdout
    assert "already" in upgrade().stdout
    said = json.loads(upgrade("--json").stdout)
    assert said["database"].endswith("history.sqlite")
    assert said["from"] == said["to"] != ""
    assert (tmp_path / "history.sqlite").exists()


def test_a_database_that_is_away_may_be_there_later() -> None:
    """Exit code 75, and the password in no message."""
    done = kangbot(
        "db", "upgrade", "--config", SHIPPED, KANGBOT_DATABASE__URL="mysql://u:canary-9f3c@127.0.0.1:1/kangbot"
    )
    assert done.returncode == exit_codes.TEMPORARY
    assert "canary" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_what_the_system_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    """A disk that takes no output, and a path through a file."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kangbot", "version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (
        exit_codes.FAILURE,
        "the output cannot be written: No space left on device\n",
    )
    within = tmp_path / ("x" * 300)
    done = kangbot("init", "--config", str(within))
    assert (done.returncode, done.stderr) == (exit_codes.FAILURE, f"{within}: File name too long\n")


def test_a_configuration_that_may_not_be_read_is_no_wrong_usage() -> None:
    """Its loader says so, with the exit code of a configuration. Root reads any file, so none is tried."""
    looked = (Config, get_type_hints(validate, include_extras=True)["file"])
    assert [get_args(kind)[1].readable for kind in looked] == [False, False]


def test_a_terminal_of_few_letters_shows_what_it_can() -> None:
    """Marks and frames that it does not have are no fault; and what is well does not look like what is not."""
    done = kangbot("check", "--config", SHIPPED, PYTHONIOENCODING="latin-1", KANGBOT_STATE_DIR="/proc/none")
    assert "Traceback" not in done.stderr
    assert "+ clock" in done.stdout
    assert "x disk" in done.stdout
    assert "?" not in {line[:1] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("command", [["--help"], ["config", "show", "--config", SHIPPED]])
async def test_a_reader_that_has_gone_is_no_error(command: list[str]) -> None:
    """`kangbot config show | head -0`: quiet, and as a shell says it of a process that SIGPIPE ended."""
    assert await unread(*command) == (exit_codes.NO_READER, "")


async def test_a_reader_of_messages_that_has_gone_is_no_error(tmp_path: Path) -> None:
    """`kangbot status 2>&1 | head -0`, where no daemon answers."""
    assert await unread("status", "--socket", str(tmp_path / "x.sock"), messages=True) == (exit_codes.NO_READER, "")


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


def test_a_python_that_was_taken_away_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An upgrade of the system, say."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NeedsHuman, match="cannot be started by"):
        become_daemon(tmp_path / "kangbot.toml", as_json=False)


@pytest.mark.parametrize(("in_a_terminal", "came_of_it"), [(False, 0), (True, -signal.SIGHUP)])
def test_a_daemon_that_is_told_to_reread_its_file_while_it_begins_goes_on(
    in_a_terminal: bool, came_of_it: int, tmp_path: Path
) -> None:
    """For a second after its start nothing of it hears SIGHUP; a terminal that is closed ends it all the same."""
    daemon = tmp_path / "python"
    daemon.write_text("#!/bin/sh\nkill -HUP $$\n")
    daemon.chmod(0o755)
    become = (
        "import sys; from pathlib import Path; from kangbot.cli.run import become_daemon;"
        f"sys.executable = {str(daemon)!r}; become_daemon(Path('kangbot.toml'), as_json=False)"
    )
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs) as terminal:
        done = subprocess.run(
            [*HEARS_ITS_END, sys.executable, "-c", become],
            stdin=terminal if in_a_terminal else subprocess.DEVNULL,
            check=False,
        )
    assert done.returncode == came_of_it
