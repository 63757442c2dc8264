"""`kangbot check` as a process, and what it looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kangbot.cli import exit_codes
from tests.support.sandbox_process import KEY, SECRET

CONFIG = 'mode = "testnet"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


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
