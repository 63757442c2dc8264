"""config/systemd/kangbot.service under a real systemd. Each test leaves the daemon running on the shipped unit."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.engine import ran, until
from tests.support.systemd import Machine

pytestmark = pytest.mark.engine

MARKETS = 27
CHECK = "/opt/kangbot/bin/kangbot check --config /etc/kangbot/kangbot.toml"
REBUILD = "/opt/kangbot/bin/kangbot journal rebuild --config /etc/kangbot/kangbot.toml"
LISTENER = """
import http.server, time
class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open("/run/heard", "a") as heard:
            print(self.path, file=heard)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(0.5)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok": true, "result": []}')
    do_GET = do_POST
http.server.ThreadingHTTPServer(("127.0.0.1", 8791), Listener).serve_forever()
"""
LOGS = "/opt/kangbot/bin/kangbot logs --config /etc/kangbot/kangbot.toml"


@pytest.fixture(autouse=True)
def _running(machine: Machine) -> Iterator[None]:
    """Before and after each test: the shipped unit, live."""
    machine.whole()
    machine.live(MARKETS)
    yield
    machine.sh("rm -f /etc/kangbot/hang /etc/kangbot/eat")


def test_the_hardening_is_measured(machine: Machine) -> None:
    """The figure of `systemd-analyze security`, the lower the better; 1.5 at most."""
    said = machine.sh("systemd-analyze security kangbot --no-pager")
    found = re.search(r"exposure level for kangbot.service: ([0-9.]+)", said)
    assert found is not None, said
    print(f"systemd-analyze security: {found[1]}")
    assert float(found[1]) <= 1.5


def test_it_is_ready_after_the_recovery_and_not_before(machine: Machine) -> None:
    """While the exchange is away the start is long, past its own limit, and says why; then it is ready."""
    machine.sh("systemctl stop kangbot; systemctl stop exchange; rm -r /var/lib/kangbot")
    machine.drop_in("[Service]\nTimeoutStartSec=5\n")
    machine.sh("systemctl start --no-block kangbot")
    time.sleep(20)
    assert machine.show("ActiveState") == "activating"
    assert "waiting" in machine.show("StatusText")
    machine.start_exchange()  # with empty books, as the daemon's are
    took_s = until(lambda: machine.show("ActiveState") == "active", "ready", 60)
    print(f"ready {took_s:.1f} s after the exchange was there")


def test_a_hung_loop_is_ended_by_the_watchdog_with_its_stack_in_the_journal(machine: Machine) -> None:
    """And started again."""
    since, restarts = machine.now(), int(machine.show("NRestarts"))
    machine.sh("touch /etc/kangbot/hang")
    took_s = until(lambda: "Watchdog timeout" in machine.log(since), "the watchdog", 60)
    machine.sh("rm /etc/kangbot/hang")
    until(lambda: int(machine.show("NRestarts")) > restarts, "a restart", 60)
    machine.live(MARKETS)
    said = machine.log(since)
    assert "Fatal Python error: Aborted" in said
    assert "hangs.py" in said
    print(f"the watchdog ended the hung loop within {took_s:.1f} s")


def test_what_takes_too_much_memory_is_ended_and_started_again(machine: Machine) -> None:
    """MemoryMax is the kernel's own limit; nothing else of the machine is hurt."""
    since, restarts = machine.now(), int(machine.show("NRestarts"))
    assert machine.show("MemoryMax") == str(320 * 1024 * 1024)
    machine.sh("touch /etc/kangbot/eat")
    until(lambda: "status=9/KILL" in machine.log(since) or "oom-kill" in machine.log(since), "the end", 60)
    machine.sh("rm /etc/kangbot/eat")
    until(lambda: int(machine.show("NRestarts")) > restarts, "a restart", 60)
    machine.live(MARKETS)
    assert machine.sh("systemctl is-active exchange") == "active"


def test_exit_code_78_is_not_tried_again(machine: Machine) -> None:
    """A mistake of the configuration: said once, with what to do."""
    machine.sh("systemctl stop kangbot")
    machine.drop_in("[Service]\nEnvironment=KANGBOT_MODE=live\n")
    since = machine.now()
    assert ran(("docker", "exec", machine.name, "systemctl", "start", "kangbot")).returncode != 0
    time.sleep(12)  # more than twice RestartSec
    assert (machine.show("ActiveState"), machine.show("NRestarts")) == ("failed", "0")
    assert machine.show("ExecMainStatus") == "78"
    assert machine.log(since).count("live trades with money and needs a second switch") == 1


def test_keys_come_as_credentials(machine: Machine) -> None:
    """Root's files, in the daemon's hands alone: the exchange takes the key, and no environment holds it."""
    machine.sh("systemctl stop kangbot")
    for name in ("key", "secret"):
        machine.write(f"/etc/kangbot/credentials/bybit/{name}", "sandbox\n")
    machine.sh("chmod 600 /etc/kangbot/credentials/bybit/*")
    address = "127.0.0.1:8790"
    environment = {
        "MODE": "testnet",
        "STATE_DIR": "/var/lib/kangbot/testnet",
        "VENUES__BYBIT__REST_URL": f"http://{address}",
        "VENUES__BYBIT__WS_PUBLIC_URL": f"ws://{address}/v5/public",
        "VENUES__BYBIT__WS_PRIVATE_URL": f"ws://{address}/v5/private",
    }
    lines = "".join(f"Environment=KANGBOT_{name}={value}\n" for name, value in environment.items())
    machine.drop_in(f"[Service]\n{lines}")
    machine.sh("systemctl start kangbot")
    assert machine.show("ActiveState") == "active"
    pid = machine.show("MainPID")
    held = machine.sh(
        f"ls -l /run/credentials/kangbot.service; cat /proc/{pid}/environ /proc/{pid}/cmdline | tr '\\0' '\\n'"
    )
    assert held.count("-r--------") == 2
    assert "bybit_key" in held
    assert "=sandbox" not in held
    _checked_beside(machine, environment)
    machine.sh("systemctl stop kangbot; echo wrong > /etc/kangbot/credentials/bybit/key")
    since = machine.now()
    assert ran(("docker", "exec", machine.name, "systemctl", "start", "kangbot")).returncode != 0
    assert machine.show("ExecMainStatus") == "78"
    assert "daemon.needs_human" in machine.log(since)
    machine.sh("rm /etc/kangbot/credentials/bybit/*; systemctl stop exchange")  # its books have that daemon's orders


def _checked_beside(machine: Machine, environment: dict[str, str]) -> None:
    """Root's `check` asks the exchange with the service's key; another user's says that it may not look."""
    variables = " ".join(f"KANGBOT_{name}={value}" for name, value in environment.items())
    looks = {look["name"]: look for look in json.loads(machine.sh(f"env {variables} {CHECK} --json"))["looks"]}
    assert looks["key"]["mark"] == "ok", looks
    assert "may not withdraw" in looks["withdrawal"]["says"]
    said = machine.sh(f"runuser -u kangbot -- env {variables} {CHECK} 2>&1 && exit 1; echo ended with $?")
    assert "the API key cannot be looked for: /etc/kangbot/credentials is not this user's to read" in said
    assert said.endswith("ended with 78")


def test_logs_are_those_of_the_unit(machine: Machine) -> None:
    """While it runs, by its own handle; once it is stopped, its last words."""
    said = machine.sh(f"{LOGS} --lines 5")
    assert len(said.splitlines()) == 5
    assert "daemon.stopping" not in said
    machine.sh("systemctl stop kangbot")
    said = machine.sh(f"{LOGS} --lines 30")
    assert said in machine.log()
    assert "Stopped kangbot.service" in said


def test_people_are_told_and_heard_by_credentials_that_may_be_absent(machine: Machine) -> None:
    """Notifications and the chat's token too; an empty folder is none, and a missing one is told by systemd."""
    machine.write("/opt/listener.py", LISTENER)
    machine.sh("systemctl stop kangbot; systemd-run --quiet --unit listener python3 /opt/listener.py")
    machine.write("/etc/kangbot/credentials/notify/addresses", "json://127.0.0.1:8791/told\n")
    machine.write("/etc/kangbot/credentials/telegram/token", "123456:chat\n")
    machine.sh("chmod 600 /etc/kangbot/credentials/notify/* /etc/kangbot/credentials/telegram/*")
    machine.drop_in(
        "[Service]\nEnvironment=KANGBOT_TELEGRAM__API_URL=http://127.0.0.1:8791 KANGBOT_TELEGRAM__CHATS=1\n"
    )
    machine.sh("systemctl start kangbot")
    machine.live(MARKETS)
    until(lambda: "/bot123456:chat/getUpdates" in machine.sh("cat /run/heard"), "a question to the chat", 60)
    for command in ("kill --reason trying", "release"):
        machine.sh(f"/opt/kangbot/bin/kangbot {command} --socket /var/lib/kangbot/control.sock")
    until(lambda: "/told" in machine.sh("cat /run/heard"), "a message", 60)
    assert "notify_addresses" in machine.sh("ls /run/credentials/kangbot.service")
    machine.sh(
        "systemctl stop kangbot listener; rm -r /etc/kangbot/credentials/notify /etc/kangbot/credentials/telegram"
    )
    machine.drop_in("")
    assert ran(("docker", "exec", machine.name, "systemctl", "start", "kangbot")).returncode != 0
    assert machine.show("ExecMainStatus") == "243"
    said = machine.sh("/opt/kangbot/bin/kangbot install-service --write; systemctl reset-failed kangbot")
    assert said.count("make the folder") == 2


def test_it_stops_within_its_bound_and_all_books_agree(machine: Machine, tmp_path: Path) -> None:
    """Under load, after a kill: exchange, journal and history say the same."""
    machine.sh("systemctl kill --signal KILL kangbot")
    until(lambda: machine.show("ActiveState") == "active", "a restart", 60)
    machine.live(MARKETS)
    machine.exchange.pause()
    time.sleep(0.5)
    began = time.monotonic()
    machine.sh("systemctl stop kangbot")
    took_s = time.monotonic() - began
    assert (machine.show("Result"), machine.show("ExecMainStatus")) == ("success", "0")
    state = machine.state(tmp_path / "state")
    journal = Journalled(state)
    assert disagreements(journal, sqlite_query(state), machine.exchange) == []
    assert len(journal.statuses) > MARKETS
    print(f"stopped in order within {took_s:.1f} s; {len(journal.statuses)} orders, all books agree")
    assert took_s < 30
    machine.exchange.go_on()


def test_a_journal_that_root_rebuilds_is_the_services_to_write(machine: Machine) -> None:
    """Root types it, for only root sees the service's database; the daemon goes on from it."""
    machine.sh("systemctl stop kangbot; rm /var/lib/kangbot/journal.sqlite*")
    assert "is rebuilt up to record" in machine.sh(f"{REBUILD} 2>&1")
    assert machine.sh("find /var/lib/kangbot -not -user kangbot") == ""
    machine.sh("systemctl start kangbot")
    machine.live(MARKETS)


def test_uninstalling_leaves_what_it_remembers(machine: Machine) -> None:
    """The unit goes, state and configuration stay; installing again goes on from them."""
    said = machine.sh("/opt/kangbot/bin/kangbot install-service --uninstall --write")
    assert "left as they are" in said
    assert machine.sh("systemctl show kangbot --property LoadState --value") == "not-found"
    assert (
        machine.sh("test -f /var/lib/kangbot/journal.sqlite && test -f /etc/kangbot/kangbot.toml && echo there")
        == "there"
    )
    machine.sh("/opt/kangbot/bin/kangbot install-service --write")
