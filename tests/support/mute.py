"""A service on loopback that takes every request and, from a moment on, never answers one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_ANSWER = b'{"ok": true, "result": []}'  # an empty poll of Telegram's; a webhook's caller looks at the status alone
_POLL_S = 1.0


class Mute(ThreadingHTTPServer):
    """`port` is where it listens, `taken` what it has been asked, `swallowed` what of that it never answered."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port: int = self.server_address[1]
        self.silent = threading.Event()
        self.over = threading.Event()
        self.taken = 0
        self.swallowed = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked has hung up: that is what they are expected to do."""


class _Handler(BaseHTTPRequestHandler):
    server: Mute

    def do_POST(self) -> None:
        """Take the request whole, and answer after a second or never."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.taken += 1
        self.close_connection = True
        if not self.server.silent.wait(_POLL_S):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(_ANSWER)))
            self.end_headers()
            self.wfile.write(_ANSWER)
            return
        self.server.swallowed += 1
        self.server.over.wait()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 -- the base class names it so
        """Say nothing."""


@contextmanager
def mute() -> Iterator[Mute]:
    """Serve in threads, until the end of the block; it answers until `silent` is set."""
    with Mute() as server:
        serving = threading.Thread(target=server.serve_forever, name="mute", daemon=True)
        serving.start()
        try:
            yield server
        finally:
            server.over.set()
            server.silent.set()
            server.shutdown()
            serving.join()
