"""A private MariaDB or MySQL server from the installed binary: its own folder, socket and loopback port.

Tests stop it, kill it and start it again on the same data. Each test process makes its own (pytest-xdist's workers
too), so no test meets another's tables. Where the binary comes from is said by `tests/mariadb.sh`.
"""

import functools
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql
import pymysql.cursors
import pytest

from tests.support.ports import own_port

USER = "trader"
PASSWORD = "a/b:c@d%41 #'p"  # characters that a URL or an SQL string could stumble over
_START_S = 300.0  # two cores may be shared by much else
_STOP_S = 120.0


def binary() -> str | None:
    """Return the server's path, or None where it is not installed."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return shutil.which("mariadbd", path=path) or shutil.which("mysqld", path=path)


@functools.cache
def is_mysql() -> bool:
    """Whether the server is MySQL: older MariaDBs are called `mysqld` as well, and say so in their version."""
    program = binary()
    if program is None:
        return False
    version = subprocess.run([program, "--no-defaults", "--version"], check=True, capture_output=True, text=True).stdout
    return "MariaDB" not in version


@contextmanager
def running(folder: Path, *options: str) -> Iterator["MariadbServer"]:
    """A started server for as long as the block lasts. Skips where there is no binary, but never with CI=true."""
    if binary() is None:
        reason = "no mariadbd binary: install mariadb-server (tests/mariadb.sh does it for root)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = MariadbServer(folder)
    try:
        server.start(*options)
        yield server
    finally:
        server.close()


class MariadbServer:
    """A server with its data in `folder`: `start`, `kill` (`kill -9`) or `stop` (in order), `start` again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="kangbot-", dir="/tmp")  # a socket's path has 107 characters
        self._socket = f"{self._sockets.name}/s"
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"history_{number}" for number in itertools.count(1))
        self._install()
        self.port = own_port()

    @property
    def pid(self) -> int:
        """The server's process id, for signals of a test's own."""
        assert self._process is not None
        return self._process.pid

    def start(self, *options: str) -> None:
        """Start on the data that is there, with `options` for this once, and wait until it answers."""
        program = binary()
        assert program is not None
        command = [
            program,
            *self._common(),
            f"--socket={self._socket}",
            f"--pid-file={self._folder}/pid",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--innodb-file-per-table=OFF",  # a table is made ten times as quickly
            "--innodb-buffer-pool-size=16M",
            "--innodb-log-file-size=16M",
            "--key-buffer-size=1M",
            "--performance-schema=OFF",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--innodb-flush-method=nosync",  # a killed process loses nothing that the kernel has; only quicker
            *(["--mysqlx=OFF", "--secure-file-priv=NULL"] if is_mysql() else []),  # a second port, a folder: of all
            *options,
        ]
        with (self._folder / "log").open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        self.sql(f"CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY %s", PASSWORD)
        self.sql(f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1'")

    def kill(self) -> None:
        """End the server as a power cut would: `kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Shut the server down in order."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """End it for good."""
        if self._process is not None:
            self.kill()
        self._sockets.cleanup()

    def sql(self, statement: str, *values: object, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement as root on a connection of its own, and return its rows."""
        with self._connected(database) as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def database(self) -> str:
        """Make an empty database and return its name."""
        name = next(self._names)
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def copy(self, template: str) -> str:
        """Make a database with the tables of `template`, empty but for the schema's revision, and return its name."""
        name = self.database()
        tables = [table for (table,) in self.sql("SHOW TABLES", database=template)]
        with self._connected(name) as cursor:
            for table in tables:
                cursor.execute(f"CREATE TABLE {table} LIKE {template}.{table}")
            cursor.execute(f"INSERT INTO alembic_version SELECT * FROM {template}.alembic_version")
        return name

    def url(self, database: str, port: int | None = None, **options: object) -> str:
        """Return the database's URL for kangbot; `port` where a proxy stands before the server.

        Of an option's name `_` becomes `-`.
        """
        said = [f"{name.replace('_', '-')}={quote(str(value), safe='')}" for name, value in options.items()]
        query = f"?{'&'.join(said)}" if said else ""
        return f"mysql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port or self.port}/{database}{query}"

    def counter(self, name: str) -> int:
        """Return one of the server's own counters, such as Threads_connected, of which asking is one."""
        with self.counters() as counter:
            return counter(name)

    @contextmanager
    def counters(self) -> Iterator[Callable[[str], int]]:
        """Yield what returns one of the server's own counters, such as Questions: each call is one itself.

        All by one connection: that one ends is counted as well, at some time after it.
        """
        with self._connected(None) as cursor:

            def counter(name: str) -> int:
                cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name = %s", (name,))
                return int(cursor.fetchall()[0][1])

            yield counter

    @contextmanager
    def _connected(self, database: str | None) -> Iterator[pymysql.cursors.Cursor]:
        # Else it reads the system's certificates for each connection: 60 ms of computing, for a socket of our own.
        connection = pymysql.connect(
            unix_socket=self._socket, user="root", database=database, autocommit=True, ssl_disabled=True
        )
        with connection, connection.cursor() as cursor:
            yield cursor

    def _install(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if is_mysql():
            command = [binary() or "", *self._common(), "--initialize-insecure", "--innodb-flush-method=nosync"]
        else:
            program = shutil.which("mariadb-install-db") or "mysql_install_db"
            options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
            command = [program, *self._common(), *options]
        done = subprocess.run(command, check=False, capture_output=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def _common(self) -> list[str]:
        user = ["--user=root"] if os.geteuid() == 0 else []
        # A server that starts removes the temporary tables that it finds, others' too that begin beside it.
        own = [f"--datadir={self._folder.absolute()}/data", f"--tmpdir={self._sockets.name}"]
        return ["--no-defaults", *own, *user]

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:  # pymysql forgets to close a socket that was refused
            if probe.connect_ex(self._socket):
                return False
        self.sql("SELECT 1")
        return True

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_STOP_S)
        self._process = None
