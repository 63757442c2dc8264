"""Sections about the process rather than the trade: database, start, supervision, shutdown, logs, control."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from kangbot.settings.kinds import DAY_S, SECTION, Between, FilePath, HostName, ListenHost, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """`[live]`: the second switch. `mode = "live"` alone trades nothing."""

    __pydantic_config__ = SECTION

    i_understand: str = ""
    """Must be the words `real money` where `mode` is live. Absent: live does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """`[database]`: the history. Without an address it is the embedded file `history.sqlite` in the state folder."""

    __pydantic_config__ = SECTION

    url: Secret | None = None
    """`mysql://user@host:3306/name`, MariaDB or MySQL; with TLS where `?ssl-mode=` asks for it (docs/history.md). It
    may hold a password only where it comes from the environment (`KANGBOT_DATABASE__URL`). Absent: see `url_file`."""

    url_file: FilePath | None = None
    """A file that holds the address with its password. Absent: the file `database_url` in systemd's credentials
    folder, if there is one; else the embedded file."""

    pool_size: Annotated[int, Between(1, 5)] = 2
    """Connections, all together. One writes the history in sequence, one answers questions."""

    statement_timeout_s: Annotated[float, Between(0.1, 600)] = 10.0
    """A statement that takes longer has its connection closed and is tried again on another, in seconds."""

    connect_timeout_s: Annotated[float, Between(0.1, 60)] = 5.0
    """In seconds. The order path never waits for it."""

    batch: Annotated[int, Between(1, 5000)] = 500
    """Events a transaction, at most. More is fewer commits after an outage, and a longer one to repeat."""

    keep_bars: Annotated[int, Between(0, 100_000_000)] = 100_000
    """So many closed bars of each market and length are kept; the oldest go as newer ones are stored. 0 keeps all.
    100,000 of a minute are 69 days, and of 27 markets half a gigabyte of the embedded file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`[start]`: how start-all spreads the markets, so that the venue sees no burst."""

    __pydantic_config__ = SECTION

    interval_s: Annotated[float, Between(0, 60)] = 0.25
    """Between two markets, in seconds. 27 markets are up in about 7 s."""

    jitter_s: Annotated[float, Between(0, 60)] = 0.1
    """At most so much is added to each interval, drawn, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """`[supervision]`: what happens to a market's task that falls."""

    __pydantic_config__ = SECTION

    restarts: Annotated[int, Between(0, 1000)] = 5
    """So many falls within `within_s` are answered by a restart; one more and the market alone is FAILED."""

    within_s: Annotated[float, Between(1, DAY_S)] = 300.0
    """In seconds."""

    first_wait_s: Annotated[float, Between(0.01, 600)] = 1.0
    """Before the first restart, in seconds; doubled with each further fall."""

    longest_wait_s: Annotated[float, Between(0.01, 3600)] = 60.0
    """The doubling ends here, in seconds."""

    slow_decision_ms: Annotated[int, Between(1, 10_000)] = 50
    """One loop serves all markets: while one decides, the others wait. A strategy that takes longer for a bar is named
    in the log and asked aside from then on, in a thread of its own, and at twice that it is interrupted to be asked
    there."""

    blocking_decision_ms: Annotated[int, Between(10, 60_000)] = 10_000
    """A strategy that takes longer for one bar has its market FAILED, alone: its stop stays, its books are kept. No
    other market waits for it meanwhile, so this is about the market's own decisions: they come too late."""

    slow_decisions: Annotated[int, Between(1, 1000)] = 20
    """So many times within 10 minutes that all markets wait for longer than `slow_decision_ms` have the market FAILED
    as well: a library that keeps the interpreter to itself holds up the loop from a thread as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """`[shutdown]`: SIGTERM, Ctrl-C, and the end of a demo."""

    __pydantic_config__ = SECTION

    grace_s: Annotated[float, Between(0.5, 300)] = 20.0
    """For everything together, in seconds. systemd is asked for as long as it takes; keep a container's
    `stop_grace_period` above it."""

    open_entries: Literal["cancel", "leave"] = "cancel"
    """Entry orders that rest at the venue. `cancel`: nobody watches them while we are away. `leave` is for contracts,
    whose stop rides with the entry: those of a spot market are cancelled all the same, since coins that they buy while
    we are away would have none. Stops of open positions stay in both cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """`[logs]`: to standard error, so that a command's `--json` output stays clean."""

    __pydantic_config__ = SECTION

    format: Literal["console", "json"] = "console"
    """`console` for a person, `json` one object a line for a machine."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """What is less than this is not written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """`[control]`: how a person, a browser or a script reaches the daemon."""

    __pydantic_config__ = SECTION

    socket: FilePath | None = None
    """A unix socket, readable by the daemon's user only; the command line uses it. Absent: `control.sock` in the state
    folder."""

    host: ListenHost = "127.0.0.1"
    """The address to listen on for HTTP, such as `::1`. What is not of the loopback is refused without `hosts`."""

    port: Annotated[int, Between(0, 65_535)] = 8787
    """Its port. 0: no TCP, the socket alone."""

    hosts: tuple[HostName, ...] = ()
    """Names, beside those of the loopback, under which the daemon may be asked: what a browser has in its address
    line, without a port. Every other name is refused, so that no page of the web reaches the daemon by a name that it
    points here. In `KANGBOT_CONTROL__HOSTS` there are commas between them. Absent: none."""

    control_token_file: FilePath | None = None
    """Holds the token that may command; made with mode 600 where it is not there. Absent: `control.token` in the state
    folder."""

    read_token_file: FilePath | None = None
    """Holds the token that may look. Absent: `read.token` in the state folder."""


DEFAULT_STATE_DIR = Path("state")
CONTROL_SOCKET = "control.sock"  # in the state folder, where `control.socket` says no other
LONGEST_SOCKET_PATH = 107  # bytes: Linux' sun_path without its final zero, see unix(7)
