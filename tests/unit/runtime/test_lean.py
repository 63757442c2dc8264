"""structlog without rich."""

import subprocess
import sys


def answer(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_rich_is_not_imported_with_structlog() -> None:
    """4 MB less in a daemon that stays for months."""
    code = "import sys, kangbot.runtime.lean, structlog; structlog.get_logger().info('x'); print('rich' in sys.modules)"
    assert answer(code).endswith("False")


def test_rich_is_there_for_who_asks_later() -> None:
    """The command line draws with it in the same process."""
    assert answer("import kangbot.runtime.lean; from rich.console import Console; print(Console.__name__)") == "Console"


def test_nothing_happens_where_structlog_is_there_already() -> None:
    """Too late is harmless."""
    assert answer("import structlog, sys, kangbot.runtime.lean; print('rich' in sys.modules)") == "True"


def test_the_daemon_is_without_rich() -> None:
    """Its main module imports this one before anything that imports structlog; so does the sandbox exchange's."""
    for module in ("kangbot.daemon", "kangbot.sandbox.__main__"):
        assert answer(f"import sys, {module}; print('rich' in sys.modules, 'pygments' in sys.modules)") == "False False"
