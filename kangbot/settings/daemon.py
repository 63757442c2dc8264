"""Sections about the process rather than the trade: database, start, supervision, shutdown, logs, control."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from kangbot.settings.kinds import FilePath, Seconds, Section, Whole


class Live(Section):
    """`[live]`: the second switch. `mode = "live"` alone trades nothing."""

    i_understand: str = ""
    """Must be the words `real money` where `mode` is live. Absent: live does not start."""


class Database(Section):
    """`[database]`: the history. Without an address it is the embedded file `history.sqlite` in the state folder."""

    url: SecretStr | None = Field(default=None, repr=False)
    """`mysql://user@host:3306/name`, MariaDB or MySQL. It may hold a password only where it comes from the environment
    (`KANGBOT_DATABASE__URL`). Absent: see `url_file`."""

    url_file: FilePath | None = None
    """A file that holds the address with its password. Absent: the file `database_url` in systemd's credentials
    folder, if there is one; else the embedded file."""

    pool_size: Whole = Field(default=2, ge=1, le=5)
    """Connections. One writes the history in sequence, one answers questions; more than 5 buys nothing here and costs
    about 200 kB each at the server."""

    statement_timeout_s: Seconds = Field(default=10.0, ge=0.1, le=600)
    """A statement that takes longer has its connection closed and is tried again on another, in seconds."""

    connect_timeout_s: Seconds = Field(default=5.0, ge=0.1, le=60)
    """In seconds. The order path never waits for it."""

    batch: Whole = Field(default=500, ge=1, le=5000)
    """Events a transaction. 500 keep one transaction under about 100 ms on a small server."""


class Start(Section):
    """`[start]`: how start-all spreads the markets, so that the venue sees no burst."""

    interval_s: Seconds = Field(default=0.25, le=60)
    """Between two markets, in seconds. 27 markets are up in about 7 s."""

    jitter_s: Seconds = Field(default=0.1, le=60)
    """At most so much is added to each interval, drawn, in seconds."""


class Supervision(Section):
    """`[supervision]`: what happens to a market's task that falls."""

    restarts: Whole = Field(default=5, ge=0, le=1000)
    """So many falls within `within_s` are answered by a restart; one more and the market alone is FAILED."""

    within_s: Seconds = Field(default=300.0, ge=1)
    """In seconds."""

    first_wait_s: Seconds = Field(default=1.0, ge=0.01, le=600)
    """Before the first restart, in seconds; doubled with each further fall."""

    longest_wait_s: Seconds = Field(default=60.0, ge=0.01, le=3600)
    """The doubling ends here, in seconds."""


class Shutdown(Section):
    """`[shutdown]`: SIGTERM, Ctrl-C, and the end of a demo."""

    grace_s: Seconds = Field(default=20.0, ge=0.5, le=300)
    """For everything together, in seconds. Keep the service manager's own limit above it."""

    open_entries: Literal["cancel", "leave"] = "cancel"
    """Entry orders that rest at the venue. `cancel`: nobody watches them while we are away. Stops of open positions
    stay in both cases."""


class Logs(Section):
    """`[logs]`: to standard error, so that a command's `--json` output stays clean."""

    format: Literal["console", "json"] = "console"
    """`console` for a person, `json` one object a line for a machine."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """What is less than this is not written."""


class Control(Section):
    """`[control]`: how `kangbot status` reaches the daemon."""

    socket: FilePath | None = None
    """A unix socket, readable by the daemon's user only. Absent: `control.sock` in the state folder."""


DEFAULT_STATE_DIR = Path("state")
LONGEST_SOCKET_PATH = 107  # bytes: Linux' sun_path without its final zero, see unix(7)
