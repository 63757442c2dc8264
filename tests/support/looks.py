"""`kangbot check` in this process or in one of its own, and what it looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from kangbot.cli import exit_codes
from kangbot.cli.main import app
from tests.support.sandbox_process import KEY, SECRET

CONFIG = 'mode = "testnet"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


def checked(config: Path, rest_url: str, *, as_json: bool = True, **environ: str) -> tuple[int, Any]:
    """Return the exit code, and the looks by name; the whole text where it is not JSON."""
    done = CliRunner().invoke(app, _words(config, as_json=as_json), env=_environment(rest_url, environ))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return _read(done.exit_code, done.stdout, done.stderr, as_json=as_json)


def checked_apart(config: Path, rest_url: str, *, as_json: bool = True, **environ: str) -> tuple[int, Any]:
    """Return the same of a process, as a person starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "kangbot", *_words(config, as_json=as_json)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, **_environment(rest_url, environ)},
    )
    assert "Traceback" not in done.stderr
    return _read(done.returncode, done.stdout, done.stderr, as_json=as_json)


def _words(config: Path, *, as_json: bool) -> list[str]:
    return ["check", "--config", str(config), *(["--json"] if as_json else [])]


def _environment(rest_url: str, more: dict[str, str]) -> dict[str, str]:
    key = {"KANGBOT_VENUES__BYBIT__KEY": KEY, "KANGBOT_VENUES__BYBIT__SECRET": SECRET}
    return {**key, "KANGBOT_VENUES__BYBIT__REST_URL": rest_url, **more}


def _read(code: int, out: str, messages: str, *, as_json: bool) -> tuple[int, Any]:
    assert SECRET not in out + messages
    if not as_json:
        return code, out
    said = json.loads(out)
    assert said["ok"] == (code == exit_codes.OK)
    return code, {look["name"]: look for look in said["looks"]}
