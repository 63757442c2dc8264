"""The demo's two real processes: a sandbox exchange and a daemon, each as a user would start it."""

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from kangbot.settings.sources import ENV_PREFIX

# Between what takes long on a busy machine (the start of a process is seconds of computing) and what never comes.
_READY_S = 120.0
_STOP_S = 120.0
_ANSWER_S = 60.0
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the environment knows no loopback
_NO_PORT = {"KANGBOT_CONTROL__PORT": "0"}  # several may run at once, and the socket is enough for them


class DemoFailedError(RuntimeError):
    """The demo cannot go on; says why, and where to read more."""


class DemoInterruptedError(DemoFailedError):
    """Ctrl-C or SIGTERM came before there was anything to sum up."""


@functools.cache
def _leash() -> int:
    """Return the reading end of a pipe whose writing end this process holds until it ends, however it ends.

    It is the children's standard input, so that none of them outlives us.
    """
    reading, _ = os.pipe()
    return reading


def hold_port(usual: int) -> socket.socket:
    """Return a socket of ours on the usual port of the loopback, or on any where that one is taken.

    While it is open no second demo gets the same. It does not listen, and it may be shared from now on, so the daemon,
    which begins to listen a second later, does (and does again, where it was killed): man 7 socket, SO_REUSEADDR.
    """
    held = socket.socket()
    try:
        held.bind(("127.0.0.1", usual))
    except OSError:
        held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held


class Sandbox:
    """The sandbox exchange in a process of its own."""

    def __init__(self, *, seed: int, log: Path, options: tuple[str, ...] = ()) -> None:
        with log.open("w", encoding="utf-8") as out:  # the child has its own copy
            self._process = subprocess.Popen(  # noqa: S603 -- our own module, by our own interpreter
                [*_module("kangbot.sandbox"), "--leash", "--port", "0", "--seed", str(seed), *options],
                stdin=_leash(),
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which stops its children in order
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise DemoFailedError(f"the sandbox exchange did not start: {_last_lines(log)}")
        ready = json.loads(line)
        self.rest_url: str = ready["rest_url"]
        self.ws_public_url: str = ready["ws_public_url"].rpartition("/")[0]  # the daemon adds the kind of market
        self.ws_private_url: str = ready["ws_private_url"]

    def truth(self) -> dict[str, Any]:
        """Return what the exchange itself counts."""
        return dict(self._call("GET", "/sandbox/truth"))

    def pause(self) -> None:
        """Freeze prices, so that what the daemon believed when it stopped can be compared."""
        self._call("POST", "/sandbox/pause", {"paused": True})

    def go_on(self) -> None:
        """Have prices move again."""
        self._call("POST", "/sandbox/pause", {"paused": False})

    def transfer(self, amount: Decimal, kind: str = "") -> None:
        """Move money into the account, or out of it where it is negative; `kind` is Bybit's word for it."""
        self._call("POST", "/sandbox/transfer", {"amount": str(amount), "kind": kind})

    def jump(self, symbol: str, ratio: float) -> None:
        """Have a market's price move by that factor at once."""
        self._call("POST", "/sandbox/jump", {"symbol": symbol, "ratio": ratio})

    def fault(self, fault: Mapping[str, object]) -> None:
        """Make something go wrong."""
        self._call("POST", "/sandbox/faults", [fault])

    def heal(self) -> None:
        """End every fault."""
        self._call("DELETE", "/sandbox/faults")

    def orders(self) -> list[dict[str, Any]]:
        """Return every order that the exchange knows, newest first, as Bybit's rows."""
        return list(self._call("GET", "/sandbox/orders"))

    def by_hand(self, order: Mapping[str, object]) -> None:
        """Trade past the daemon: the body of Bybit's `order/create`."""
        self._call("POST", "/sandbox/order", order)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 -- a loopback address that we were told by our own child
            self.rest_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with _DIRECTLY.open(request, timeout=_ANSWER_S) as answer:
                return json.loads(answer.read() or b"null")
        except OSError as error:
            raise DemoFailedError(f"the sandbox exchange does not answer {method} {path}: {error}") from error

    def close(self) -> None:
        """Stop it."""
        _stop(self._process)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Daemon:
    """The daemon in a process of its own, with its configuration and its environment."""

    def __init__(self, *, config: Path, state: Path, environment: Mapping[str, str], log: Path) -> None:
        self.state = state
        self.log = log
        with log.open("a", encoding="utf-8") as out:  # the child has its own copy
            self._process = subprocess.Popen(  # noqa: S603 -- our own module, by our own interpreter
                [*_module("kangbot.daemon"), "--leash", "--config", str(config)],
                stdin=_leash(),
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**_NO_PORT, **_of_nobody(os.environ), **environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop in order, wait, and return its exit status."""
        return _stop(self._process)

    def hurry(self) -> None:
        """Ask it to stop, or to hurry where it stops already."""
        if self.ended is None:
            self._process.send_signal(signal.SIGTERM)

    def last_lines(self) -> str:
        """Return the end of its log."""
        return _last_lines(self.log)


def _module(name: str) -> tuple[str, ...]:
    """Return what runs a module of ours, whatever has its name where this is typed."""
    return (sys.executable, "-P", "-m", name)


def _of_nobody(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those of somebody's own daemon: its database and its chat are no demo's."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(ENV_PREFIX) and name not in {"CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"}
    }


def _stop(process: subprocess.Popen[Any]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:] if log.exists() else []
    return "\n".join(lines) or "it said nothing"


def wait_for(path: Path, daemon: Daemon, interrupted: Callable[[], bool] = lambda: False) -> None:
    """Wait until the daemon has made its control socket.

    DemoFailedError where it ends or takes too long, DemoInterruptedError where `interrupted`.
    """
    deadline = time.perf_counter() + _READY_S
    while not path.exists():
        if daemon.ended is not None:
            raise DemoFailedError(f"the daemon ended with status {daemon.ended}:\n{daemon.last_lines()}")
        if interrupted():
            raise DemoInterruptedError("interrupted before the daemon was ready")
        if time.perf_counter() > deadline:
            raise DemoFailedError(f"the daemon was not ready within {_READY_S:.0f} s:\n{daemon.last_lines()}")
        time.sleep(0.05)
