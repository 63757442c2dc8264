"""docker-compose.yml as it is shipped, for real: MariaDB, the exchange, the daemon with 27 markets.

Each test leaves the daemon trading. What the exchange says is the truth; journal and database are held against it.
"""

import json
import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.support.books import agreed
from tests.support.engine import House, docker, inspected, ran, until
from tests.support.reports import write_report

pytestmark = pytest.mark.engine

MARKETS = 27
BASE = "python:3.11-slim-bookworm"
MIB = 1024 * 1024
HANG_S = 60.0  # runtime/hang.py


def live(house: House, *, filled: int = 5) -> None:
    """Wait until every market is live, and this run of the daemon has traded."""
    house.reported(lambda r: r.live == MARKETS and r.orders.filled > filled, f"{MARKETS} markets live and trading")


def test_27_markets_trade_and_the_cost_is_told(house: House, image: str) -> None:
    """From a cold start, with MariaDB healthy; what the image weighs and what the daemon takes is printed."""
    live(house)
    until(lambda: inspected(house.name("kangbot"), "{{.State.Health.Status}}") == "healthy", "a healthy daemon", 90)
    assert inspected(house.name("mariadb"), "{{.State.Health.Status}}") == "healthy"
    report = house.report()
    assert report is not None
    assert report.history == "mysql"
    assert report.history_away == ""
    size, base = (int(docker("image", "inspect", "--format", "{{.Size}}", name)) for name in (image, BASE))
    usage = {service: house.charged(service) for service in ("kangbot", "mariadb", "exchange")}
    found = {
        "image_mib": round(size / MIB),
        "image_over_base_mib": round((size - base) / MIB),
        "daemon_rss_mb": report.rss_mb,
        "containers": usage,
    }
    print(json.dumps(found))
    write_report("container-cost", found)
    assert size - base < 250 * MIB


def test_what_an_idle_daemon_takes_is_told(house: House) -> None:
    """Every market stopped, and ten seconds on: what the daemon says of itself, and what its container is charged."""
    live(house, filled=0)
    house.within("kangbot", "kangbot", "stop-all")
    try:
        house.reported(lambda r: r.live == 0, "no market live")
        time.sleep(10)
        report = house.report()
        assert report is not None
        found = {"daemon_rss_mb": report.rss_mb, "container": house.charged("kangbot")}
        print(json.dumps(found))
        write_report("container-idle", found)
        assert report.live == 0
    finally:
        house.within("kangbot", "kangbot", "start-all")
    live(house, filled=0)


def test_a_restart_is_quick(house: House) -> None:
    """From `docker start` to all markets live, with the look before the start and the migrations in it.

    What it takes is printed; the bound is for a machine with other work on it, and a restart that hangs.
    """
    live(house, filled=0)
    docker("stop", house.name("kangbot"))
    began = time.monotonic()
    docker("start", house.name("kangbot"))
    house.reported(lambda r: r.live == MARKETS, "all live")
    took_s = time.monotonic() - began
    print(f"restarted to {MARKETS} live markets in {took_s:.1f} s")
    assert took_s < 90


def test_the_limits_are_in_force(house: House) -> None:
    """Not only asked for: the kernel refuses."""
    name = house.name("kangbot")
    host = json.loads(inspected(name, "{{json .HostConfig}}"))
    assert host["ReadonlyRootfs"] is True
    assert [cap.removeprefix("CAP_") for cap in host["CapDrop"]] == ["ALL"]
    assert host["Memory"] == host["MemorySwap"] == 320 * MIB
    assert host["PidsLimit"] == 64
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"]["max-size"] == "10m"
    assert house.within("kangbot", "id", "-u") == "10001"
    refused = ran(("docker", "exec", name, "touch", "/opt/kangbot/here"))
    assert "Read-only file system" in refused.stderr
    status = house.within("kangbot", "cat", "/proc/1/status")
    fields = {line.partition(":")[0]: line.partition(":")[2].strip() for line in status.splitlines()}
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    root = ran(("docker", "run", "--rm", "--entrypoint", "sh", "kangbot", "-c", "command -v gcc cc make ld; exit 0"))
    assert root.stdout == ""


def test_no_secret_is_in_argv_the_environment_or_the_image(house: House) -> None:
    """Passwords are drawn, not default, and stand in files alone."""
    password = house.within("mariadb", "cat", "/run/secrets/database/password")
    assert len(password) == 48
    for service in ("kangbot", "mariadb", "exchange"):
        seen = inspected(house.name(service), "{{json .Config}}{{json .Args}}{{json .HostConfig}}")
        assert password not in seen
        assert password not in house.log(service)
    processes = docker("top", house.name("kangbot"), "-eo", "pid,args")
    assert password not in processes
    made = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", "kangbot")
    assert password not in made
    assert "secret" not in re.sub(r"/run/secrets|(database|grafana)-secrets\.sh", "", made)  # but in the names of both


def test_killed_under_load_nothing_is_lost_or_doubled(house: House, scratch: Path) -> None:
    """`docker kill -s KILL` at random moments, five times, then `docker stop` under load: all books agree."""
    draw = random.Random(21)
    for _ in range(5):
        house.reported(lambda r: r.orders.filled > 0, "trading")
        time.sleep(draw.uniform(0.0, 2.0))
        docker("kill", "--signal", "KILL", house.name("kangbot"))
        docker("start", house.name("kangbot"))
    live(house)
    found = agreed(house, scratch)
    print(json.dumps(found))
    write_report("container-kills", found)
    assert found["violations"] == []
    assert found["orders"] > 27  # type: ignore[operator]
    assert found["stopped_s"] < 30  # type: ignore[operator]  # [shutdown] grace_s is 10 here
    live(house)


def test_a_process_that_dies_is_started_again(house: House, scratch: Path) -> None:
    """Not by us: by the restart policy, as after a crash."""
    live(house)
    before = inspected(house.name("kangbot"), "{{.RestartCount}}")
    (daemon,) = [
        int(line.split()[0])
        for line in docker("top", house.name("kangbot"), "-eo", "pid,args").splitlines()
        if "-m kangbot.daemon" in line and "init" not in line
    ]
    os.kill(daemon, signal.SIGKILL)
    until(lambda: inspected(house.name("kangbot"), "{{.RestartCount}}") != before, "a restart", 30)
    live(house)
    assert agreed(house, scratch)["violations"] == []
    live(house)


def test_the_database_dies_and_comes_back(house: House, scratch: Path) -> None:
    """Trading goes on meanwhile; afterwards the database has everything, once."""
    live(house)
    docker("kill", "--signal", "KILL", house.name("mariadb"))
    away = house.reported(lambda r: bool(r.history_away), "the history away")
    house.reported(lambda r: r.orders.filled > away.orders.filled + 3, "trading without the database")
    docker("start", house.name("mariadb"))
    house.reported(lambda r: not r.history_away and r.history_backlog < 500, "the history back")
    assert agreed(house, scratch)["violations"] == []
    live(house)


def test_a_loop_that_hangs_ends_and_is_started_again(house: House, scratch: Path) -> None:
    """Within the documented bound, by exit code 1, with the stacks of all threads in the log."""
    live(house)
    before = inspected(house.name("kangbot"), "{{.RestartCount}}")
    flag = house.config / "hang"
    flag.touch()
    try:
        took_s = until(
            lambda: inspected(house.name("kangbot"), "{{.RestartCount}}") != before, "an end by itself", HANG_S + 20
        )
    finally:
        flag.unlink()
    print(f"the hung loop ended and was started again within {took_s:.1f} s")
    log = house.log()
    assert "Timeout (0:01:00)!" in log
    assert "hangs.py" in log
    live(house)
    assert agreed(house, scratch)["violations"] == []
    live(house)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"KANGBOT_MODE": "live"}, "live trades with money and needs a second switch"),
        ({"KANGBOT_CONFIG": "/etc/kangbot/nothing.toml"}, "nothing.toml"),
        ({"KANGBOT_STATE_DIR": "/opt/kangbot/state"}, "the state folder /opt/kangbot/state cannot be written"),
        ({"KANGBOT_DATABASE__URL": "mysql://kangbot:wrong@mariadb/kangbot"}, "Access denied"),
        ({"KANGBOT_DATABASE__URL": "mysql://kangbot:wrong@nowhere.invalid/kangbot"}, "did not answer within 60 s"),
    ],
)
def test_a_start_that_cannot_succeed_says_why_and_ends_with_78(
    house: House, environment: dict[str, str], words: str
) -> None:
    """Whatever is wrong, nothing is started in spite of it."""
    options = [f"--env={name}={value}" for name, value in environment.items()]
    options += [
        "--network=kangbot-test_inside",
        "--read-only",
        "--tmpfs=/tmp",
        "--tmpfs=/var/lib/kangbot:uid=10001",
        f"--volume={house.config}:/etc/kangbot:ro",
    ]
    done = ran(("docker", "run", "--rm", *options, "kangbot"))
    assert done.returncode == 78, done.stderr
    assert words in done.stderr
    assert "kangbot does not start" in done.stderr
    assert "wrong@" not in done.stderr
