"""A container whose process 1 is systemd, and what the tests do there."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.engine import Neighbour, docker, inspected, ran, until

DROP_IN = "/etc/systemd/system/kangbot.service.d/test.conf"


class Machine:
    """One such container."""

    def __init__(self, name: str) -> None:
        self.name = name

    def sh(self, script: str) -> str:
        """Run a script as root; it must succeed."""
        return docker("exec", self.name, "sh", "-ec", script)

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        subprocess.run(
            ("docker", "exec", "-i", self.name, "sh", "-c", f"mkdir -p $(dirname {path}) && cat > {path}"),
            input=text,
            text=True,
            check=True,
        )

    def prepare(self, config: str, strategies: Sequence[Path]) -> None:
        """Install kangbot as a person would, with this configuration; start the exchange."""
        until(lambda: ran(("docker", "exec", self.name, "systemctl", "is-system-running")).returncode == 0, "a boot")
        # systemd shares its mounts, except in a container: credentials would not reach the service.
        self.sh("mount --make-rshared /")
        self.sh("python3 -m venv /opt/kangbot && /opt/kangbot/bin/pip install -q --no-index --no-deps /wheels/*.whl")
        print(self.sh("/opt/kangbot/bin/kangbot install-service --write"))
        self.write("/etc/kangbot/kangbot.toml", config)
        for file in strategies:
            self.write(f"/etc/kangbot/{file.name}", file.read_text())
        self.start_exchange()

    def start_exchange(self) -> None:
        """Start the exchange, which begins anew: its books are empty."""
        self.sh("systemd-run --quiet --unit exchange /opt/kangbot/bin/kangbot sandbox --host 0.0.0.0")
        until(lambda: ran(("docker", "exec", self.name, *_LISTENS)).returncode == 0, "the exchange")

    def whole(self) -> None:
        """Bring back what the last test took away: the shipped unit, the exchange, the daemon."""
        self.drop_in("")
        if ran(("docker", "exec", self.name, "systemctl", "is-active", "exchange")).returncode:
            self.sh("systemctl stop --no-block kangbot; rm -rf /var/lib/kangbot")
            self.start_exchange()
        self.sh("systemctl start kangbot")

    @property
    def exchange(self) -> Neighbour:
        """The exchange."""
        return Neighbour(inspected(self.name, "{{.NetworkSettings.IPAddress}}"))

    def show(self, name: str) -> str:
        """Return a property of the unit."""
        return self.sh(f"systemctl show kangbot --property {name} --value")

    def drop_in(self, text: str) -> None:
        """Change the unit for a test; "" takes the change away."""
        if text:
            self.write(DROP_IN, text)
        else:
            self.sh(f"rm -f {DROP_IN}")
        self.sh("systemctl daemon-reload; systemctl reset-failed kangbot 2>/dev/null || true")

    def live(self, markets: int) -> None:
        """Wait until systemd shows that so many markets are live."""
        until(
            lambda: self.show("StatusText").startswith(f"{markets} of {markets} markets live"),
            f"{markets} live markets; {self.show('StatusText')}; {self.log()[-1500:]}",
            90,
        )

    def log(self, since: str = "-15min") -> str:
        """Return what the unit left in the journal."""
        return self.sh(f"journalctl --unit kangbot --no-pager --output cat --since '{since}'")

    def now(self) -> str:
        """Return the time, as `log` takes it."""
        time.sleep(1.1)
        return self.sh("date '+%F %T'")

    def state(self, folder: Path) -> Path:
        """Copy the daemon's state folder out, and return where it is."""
        shutil.rmtree(folder, ignore_errors=True)
        docker("cp", f"{self.name}:/var/lib/kangbot/.", str(folder))
        return folder


_LISTENS = ("python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 8790), 3)")
